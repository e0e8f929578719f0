"""`opened`: a TIFF opened with tifffile, which is called for headers, and for compressed pixels."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.files.damage import damage_named

#: Packages that decode.
LIBRARIES = ("tifffile", "imagecodecs")


@contextmanager
def opened(path: str, *, whole_set: bool = False) -> Iterator[Any]:
    """Open a file with tifffile, which stays silent, and close it.

    The other files of an OME set are looked into only for the `whole_set`.

    Raises
    ------
    UserError, OSError
        Naming the file, whatever of it is damaged.
    """
    import tifffile

    with damage_named(path, LIBRARIES), silenced("tifffile"):
        try:
            found = tifffile.TiffFile(path, _multifile=whole_set)
        except MemoryError as error:  # of a header, which is small
            raise UserError("its header claims more than memory holds") from error
        with found as tif:
            yield tif


@contextmanager
def silenced(name: str) -> Iterator[None]:
    """Keep a logger from writing to the terminal, as Python does where no handler is set.

    Handlers that are set get its messages as ever. Each call adds a handler of its own and removes
    it, so that threads do not mind each other.
    """
    logger, handler = logging.getLogger(name), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
