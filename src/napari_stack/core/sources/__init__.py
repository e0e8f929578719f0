"""Sources of frames made of other frames: kept in memory, joined, taken apart, in blocks."""
