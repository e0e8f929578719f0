"""The frames of a stack in sequence: which are measured against which, and their solution."""
