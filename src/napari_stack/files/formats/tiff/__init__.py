"""TIFF: pages and rows read from the file, axes from its descriptions; written frame by frame."""

from napari_stack.files.formats.tiff.read import Tiff
from napari_stack.files.formats.tiff.write import TiffWriter

__all__ = ["Tiff", "TiffWriter"]
