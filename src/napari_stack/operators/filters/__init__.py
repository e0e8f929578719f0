"""Filters of single frames: denoising and sharpening."""
