"""Combine frames to one image: means, ranks, clipping, and the levels they are brought to."""
