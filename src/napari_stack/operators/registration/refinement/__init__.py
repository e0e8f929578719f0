"""Transforms of sub-pixel accuracy by Gauss-Newton, and how sure these are."""
