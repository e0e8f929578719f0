"""Combine frames to one image: means, ranks and clipping."""
