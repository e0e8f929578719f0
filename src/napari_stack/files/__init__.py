"""Files: frames are read lazily from many formats; TIFF, PNG, JPEG and zarr are written.

The functions `read` and `write` bear the names of their modules: import other names of these by
``from napari_stack.files.read import ...``.
"""

from napari_stack.files.formats.tiff.layered import named_layers, why_no_layers
from napari_stack.files.paths import SUFFIXES
from napari_stack.files.provenance import reference_file
from napari_stack.files.read import (
    Choices,
    choices_in,
    list_series,
    load_image,
    odd_files,
    read,
    read_each,
    read_recipe,
)
from napari_stack.files.write import WRITTEN, check_target, write
from napari_stack.files.write_content import Compression

__all__ = ["SUFFIXES", "WRITTEN", "Choices", "Compression", "check_target", "choices_in",
           "list_series", "load_image", "named_layers", "odd_files", "read", "read_each",
           "read_recipe", "reference_file", "why_no_layers", "write"]  # fmt: skip
