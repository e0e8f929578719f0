"""Pixels of a fused image taken from frames that the user names: strokes, blended and replayed."""
