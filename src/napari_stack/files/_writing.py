"""Writing files and folders: where, and that no half file ever bears the final name."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import numpy as np

from napari_stack.files import _image, _note, _tiff_writing
from napari_stack.files._content import Content, frame_names, frames_of
from napari_stack.files._replacing import (
    failure_named,
    refuse_existing,
    refuse_homeless,
    replacing,
)
from napari_stack.run import Run

Compression = Literal["none", "zlib", "lzw", "zstd"]

#: Suffixes that can be written.
WRITTEN = (".tif", ".tiff", ".png")


def is_folder(path: Path) -> bool:
    """Whether a path means a folder for one file a frame."""
    return path.is_dir() or (not path.suffix and not path.exists())


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a target that cannot be written, or that must not be."""
    if path.suffix.lower() not in WRITTEN:
        raise ValueError(
            f"{path} cannot be written: its suffix {path.suffix!r} is none of "
            f"{', '.join(WRITTEN)}; choose one of these"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it, or remove the folder")
    refuse_existing(path, overwrite)
    refuse_homeless(path)


def check(path: Path, content: Content, *, compression: str, overwrite: bool) -> None:
    """Refuse all that would be refused on writing, before anything is computed."""
    if is_folder(path) and content.leading:
        refuse_homeless(path)
        for name in frame_names(content.frames):
            refuse_existing(path / name, overwrite)
        return
    check_target(path, overwrite)
    if path.suffix.lower() == ".png":
        _check_png(path, content, compression)


def write_file(
    path: Path,
    content: Content,
    *,
    compression: Compression,
    overwrite: bool,
    recipe: Mapping[str, Any] | None,
    run: Run,
) -> None:
    """Write one file."""
    note = content.note(recipe)
    _note.to_text(note)  # what is no plain data is refused before anything is computed
    with replacing(path, overwrite=overwrite) as part:
        if path.suffix.lower() == ".png":
            _write_png(part, content, compression=compression, note=note, run=run)
        else:
            _tiff_writing.write(part, content, compression=compression, note=note, run=run)


def _write_png(
    path: Path, content: Content, *, compression: str, note: Mapping[str, Any], run: Run
) -> None:
    with frames_of(content.frames, run) as frames:
        (image,) = frames
    level = 0 if compression == "none" else None
    path.write_bytes(_image.encode_png(image, {_note.KEY: _note.to_text(note)}, level=level))


def _check_png(path: Path, content: Content, compression: str) -> None:
    stack = content.frames
    if len(stack) != 1:
        raise ValueError(
            f"{path}: a PNG holds one image, and these are {len(stack)} frames: write a .tif, or "
            "name a folder"
        )
    if stack.dtype not in (np.uint8, np.uint16, np.bool_):
        raise ValueError(
            f"{path}: a PNG holds 8-bit or 16-bit whole numbers, and these are {stack.dtype}: "
            "convert them, or write a .tif"
        )
    channels = stack.shape[3] if stack.ndim == 4 else 1
    if channels != 1 and not stack.rgb and not (channels == 2 and stack.alpha):
        raise ValueError(
            f"{path}: a PNG holds grey or colours, and these are {channels} bands: write a .tif"
        )
    if compression not in ("none", "zlib"):
        raise ValueError(f"{path}: a PNG is compressed by zlib, not {compression}: write a .tif")


def write_folder(
    folder: Path,
    content: Content,
    *,
    compression: Compression,
    overwrite: bool,
    recipe: Mapping[str, Any] | None,
    run: Run,
) -> None:
    """Write one TIFF a frame, named after where it came from; all of them or none."""
    stack, names = content.frames, frame_names(content.frames)
    part = folder.absolute().with_name(f".napari-stack-{uuid4().hex[:12]}")
    try:
        with failure_named(folder):
            part.mkdir()
            for index, name in enumerate(names):
                frame = Content(stack.select([index]), tell_used=not stack.used.all())
                note, each = frame.note(recipe), run.part(index, len(names))
                _tiff_writing.write(
                    part / name, frame, compression=compression, note=note, run=each
                )
            for name in names:
                refuse_existing(folder / name, overwrite)
            folder.mkdir(exist_ok=True)
            for name in names:
                (part / name).replace(folder / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)
