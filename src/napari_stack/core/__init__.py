"""The core types: axes, sources of frames, corrections, stacks, and the options of operators."""
