"""OME sets: one image in several TIFF files, which their metadata names."""

from math import prod
from pathlib import Path

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.files.formats.base import FileSet, Series
from napari_stack.files.formats.tiff.axes import contents_of
from napari_stack.files.formats.tiff.ome_xml import ome_of
from napari_stack.files.formats.tiff.opened import opened
from napari_stack.files.formats.tiff.pages import page_of


def set_of(files: list[str]) -> FileSet | None:
    """Find the set that a file belongs to, or None where it stands by itself.

    Parameters
    ----------
    files : list of str
        The first one is asked; the others must belong to its set.

    Raises
    ------
    FileNotFoundError
        Naming the first file of the set that is missing.
    ValueError
        Naming the first of `files` that does not belong to it.
    """
    path = files[0]
    with opened(path) as tif:
        ome = ome_of(tif)
    names = ome.other_files(path) if ome else set()
    if not names:
        return None
    folder = Path(path).parent
    if missing := sorted(name for name in names if not (folder / name).is_file()):
        raise FileNotFoundError(
            f"{path} is a part of an OME set, and its file {missing[0]} is missing: put the files "
            "of the set into one folder"
        )
    for other in files[1:]:
        if Path(other).name not in names | {Path(path).name} or Path(other).parent != folder:
            raise UserError(f"{other} does not belong to the OME set of {path}: read it by itself")
    return _read(path)


def _read(path: str) -> FileSet:
    with opened(path, whole_set=True) as tif:
        series = tif.series[0]
        pages = list(series.pages)
        if None in pages:
            raise UserError("pages of its OME set are missing")
        frame_axes = series.get_shape(squeeze=False)
        count = prod(frame_axes) // max(prod(series.keyframe.shape), 1)
        if count != len(pages):
            raise UserError(f"its OME set has {len(pages)} pages for {count} frames")
        layout = page_of(tif, series.keyframe, keep_palette=False).layout
        contents = contents_of(tif, layout, count)
        paths = [str(Path(page.parent.filehandle.path)) for page in pages]
        files = list(dict.fromkeys(paths))
        pairs = [(files.index(file), page.index) for file, page in zip(paths, pages, strict=True)]
    return FileSet(files, np.array(pairs, np.intp), (Series("", contents),))
