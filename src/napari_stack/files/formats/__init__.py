"""Formats of files: one module or folder each, and which of them reads or writes a file."""

import os
import stat
from pathlib import Path

from napari_stack.core.errors import UserError
from napari_stack.files.damage import damage_named
from napari_stack.files.formats.base import Format
from napari_stack.files.formats.coded import Avif, Heic, Jpeg2000, JpegXl
from napari_stack.files.formats.fits import Fits
from napari_stack.files.formats.microscopes import Czi, Dicom, Hdf5, Lif, Mrc, Nd2, Olympus
from napari_stack.files.formats.movie_write import MovieWriter
from napari_stack.files.formats.ndtiff import NdTiff
from napari_stack.files.formats.npy import Npy
from napari_stack.files.formats.ome_zarr import OmeZarr
from napari_stack.files.formats.ome_zarr_images import is_zarr
from napari_stack.files.formats.ome_zarr_write import ZarrWriter
from napari_stack.files.formats.picture_write import PictureWriter
from napari_stack.files.formats.pictures import Pictures
from napari_stack.files.formats.pnm import Pnm
from napari_stack.files.formats.raw import Raw
from napari_stack.files.formats.remedies import remedy
from napari_stack.files.formats.tiff import Tiff, TiffWriter
from napari_stack.files.formats.video import Gif, Movie, Ser
from napari_stack.files.header_cache import HeaderCache
from napari_stack.files.remote import is_remote
from napari_stack.files.write_content import Writer

__all__ = ["FAMILIES", "KINDS", "WRITERS", "Format", "format_of", "is_zarr"]

#: Formats by families. The first family of which a folder holds files counts, since cameras put
#: JPEGs beside RAW, and programs measured values beside images. The last format that recognises a
#: file reads it: camera RAW begins as TIFF does, and so does NDTiff.
FORMATS: dict[str, tuple[type[Format], ...]] = {
    "pictures": (Tiff, NdTiff, Pictures, Pnm, Jpeg2000, JpegXl, Avif, Heic),
    "raw": (Raw,),
    "microscopes": (Hdf5, Dicom, Mrc, Olympus, Lif, Czi, Nd2),
    "video": (Movie, Ser, Gif),
    "fits": (Fits,),
    "zarr": (OmeZarr,),
    "numpy": (Npy,),
}

#: Suffixes by which images are found in a folder or by a glob, by family. A file that is named by
#: itself is known by its content.
FAMILIES = tuple(
    tuple(suffix for kind in family for suffix in kind.suffixes) for family in FORMATS.values()
)

#: What is read, in words.
KINDS = ", ".join(kind.name for family in FORMATS.values() for kind in family)

#: What writes a file, by its suffix.
WRITERS: dict[str, Writer] = {
    suffix: writer
    for writer in (TiffWriter(), PictureWriter(), ZarrWriter(), MovieWriter())
    for suffix in writer.suffixes
}


def format_of(path: str, headers: HeaderCache) -> Format:
    """Return the format of a file, known by its first bytes or, as camera RAW, by its suffix.

    Raises
    ------
    UserError, OSError
        Naming the file, when it is of no known kind or cannot be read.
    """
    kind = headers.recall("format", path) or headers.keep(_recognised(path), "format", path)
    return kind(headers)


def _recognised(path: str) -> type[Format]:
    if is_remote(path):
        return OmeZarr
    start = b"" if os.path.isdir(path) else _first_bytes(path)  # noqa: PTH112
    kinds = (kind for family in FORMATS.values() for kind in family)
    if found := [kind for kind in kinds if kind.recognises(path, start)]:
        return found[-1]
    what = "is of no known kind" if start else "is empty"
    do = remedy(path) if start else "leave it out, or copy it anew"
    raise UserError(f"{path} {what}: {do}; these are read: {KINDS}")


def _first_bytes(path: str) -> bytes:
    with damage_named(path):
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise UserError(f"{path} is a pipe or device, which cannot be read as a file")
        with Path(path).open("rb", buffering=0) as file:
            return file.read(16)
