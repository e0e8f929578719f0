"""Writing files and folders: where, and that no half file ever bears the final name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from napari_stack.core.atomic_write import (
    failure_named,
    hidden_folder,
    move,
    refuse_existing,
    replacing,
    require_parent_folder,
)
from napari_stack.core.errors import UserError
from napari_stack.engine.run import Run
from napari_stack.files import metadata
from napari_stack.files.exif import NOTHING, Origin, origin_of
from napari_stack.files.formats import ome_zarr_write, picture_write
from napari_stack.files.formats.tiff import write as tiff_write
from napari_stack.files.provenance import file_of, refuse_inputs
from napari_stack.files.write_content import Content, frame_names

Compression = Literal["none", "zlib", "lzw", "zstd"]

#: Levels of compression: least and greatest.
_LEVELS = {"zlib": (0, 9), "zstd": (1, 22)}

_PICTURES = (".png", ".jpg", ".jpeg")

#: Suffixes that can be written.
WRITTEN = (".tif", ".tiff", *_PICTURES, ".zarr")


@dataclass(frozen=True)
class How:
    """How files are written; see `napari_stack.write`."""

    compression: Compression = "zlib"
    level: int | None = None
    quality: int = 95
    overwrite: bool = False
    recipe: Mapping[str, Any] | None = None
    origin: Origin = NOTHING
    run: Run = Run()

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise UserError(f"quality must be in the range 1 to 100, got {self.quality}")
        if self.compression not in get_args(Compression):
            raise UserError(
                f"compression must be one of {', '.join(get_args(Compression))}, got "
                f"{self.compression!r}"
            )
        least, most = _LEVELS.get(self.compression, (0, 0))
        if self.level is not None and not least <= self.level <= most:
            kind = (
                f"{self.compression} takes {least} to {most}"
                if most
                else (f"{self.compression} has none")
            )
            raise UserError(f"level must fit the compression: {kind}, got {self.level}")


def is_folder(path: Path) -> bool:
    """Whether a path means a folder for one file a frame."""
    if path.suffix.lower() == ".zarr":
        return False
    return path.is_dir() or (not path.suffix and not path.exists())


def check_target(path: Path, overwrite: bool) -> None:
    """Refuse a target that cannot be written, or that must not be."""
    _check_suffix(path)
    if path.suffix.lower() == ".zarr":
        ome_zarr_write.check_target(path)
    elif path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it, or remove the folder")
    refuse_existing(path, overwrite)
    require_parent_folder(path)


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in WRITTEN:
        raise UserError(
            f"{path} cannot be written: its suffix {path.suffix!r} is none of "
            f"{', '.join(WRITTEN)}; choose one of these"
        )


def check(path: Path, content: Content, names: str, how: How) -> None:
    """Refuse all that would be refused on writing, before anything is computed."""
    if not (is_folder(path) and content.leading):
        refuse_inputs([path], content.frames)
        check_target(path, how.overwrite)
        _check_format(path, content, how)
        return
    require_parent_folder(path)
    alike = Content(content.frames.select([0]))
    targets = frame_names(content.frames, names)
    refuse_inputs((path / name for name in targets), content.frames)
    for name in targets:
        _check_suffix(path / name)
        refuse_existing(path / name, how.overwrite)
        _check_format(path / name, alike, how)


def _check_format(path: Path, content: Content, how: How) -> None:
    """Refuse what the format of a file cannot hold."""
    suffix = path.suffix.lower()
    if suffix == ".zarr":
        ome_zarr_write.check(path, how.compression)
    elif suffix in _PICTURES:
        picture_write.check(path, content, how.compression)


def write_file(path: Path, content: Content, how: How) -> None:
    """Write one file."""
    metadata.to_text(content.note(how.recipe))  # refuses what is no plain data before the work
    with replacing(path, overwrite=how.overwrite) as part:
        _write(part, content, how)


def _write(path: Path, content: Content, how: How) -> None:
    note, suffix = content.note(how.recipe), path.suffix.lower()
    if suffix == ".zarr":
        ome_zarr_write.write(
            path, content, compression=how.compression, level=how.level, note=note, run=how.run
        )
    elif suffix in _PICTURES:
        picture_write.write(
            path, content, level=0 if how.compression == "none" else how.level,
            quality=how.quality, note=note, origin=how.origin, run=how.run,
        )  # fmt: skip
    else:
        tiff_write.write(
            path, content, compression=how.compression, level=how.level, note=note,
            origin=how.origin, ome=Path(path.stem).suffix.lower() == ".ome", run=how.run,
        )  # fmt: skip


def write_folder(folder: Path, content: Content, names: str, how: How) -> None:
    """Write one file a frame, named after a pattern; all of them or none."""
    stack = content.frames
    files = frame_names(stack, names)
    with failure_named(folder), hidden_folder(folder) as part:
        for index, name in enumerate(files):
            frame = Content(stack.select([index]), tell_used=not stack.used.all())
            source = None if how.origin is NOTHING else file_of(stack, index)
            origin = how.origin if source is None else origin_of(source)
            run = how.run.part(index, len(files))
            _write(part / name, frame, replace(how, origin=origin, run=run))
        for name in files:
            refuse_existing(folder / name, how.overwrite and not (folder / name).is_dir())
        folder.mkdir(exist_ok=True)
        for name in files:
            move(part / name, folder / name)
