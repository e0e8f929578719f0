"""TIFF in its many forms: pages, axes, integrity, layers, sets of files."""
