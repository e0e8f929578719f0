"""Planes of a z-stack that jitter against each other."""
