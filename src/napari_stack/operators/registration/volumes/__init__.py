"""Volumes that drift along x, y and z over time."""
