"""Writing TIFF, frame by frame: as ImageJ's where it can hold the pixels, as OME, or described."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.units import metres
from napari_stack.engine.scratch import unnamed_array
from napari_stack.files.formats.pyramid import halved_frame
from napari_stack.files.formats.tiff import exif as tiff_exif
from napari_stack.files.formats.tiff import imagej, ome_axes
from napari_stack.files.formats.tiff.axes import imagej_order, imagej_roles
from napari_stack.files.write_content import Content, WriteOptions, Writer, refuse

#: Sides of the tiles of a file with several resolutions.
_TILE = (256, 256)

#: Types of pixels that OME has not.
_NOT_IN_OME = ("int64", "uint64", "float16")

#: Bytes from which a file needs the 64-bit offsets of BigTIFF, less what headers may take.
_BIG = 2**32 - 2**26


class TiffWriter(Writer):
    """A file of ImageJ where that can hold the pixels, OME-TIFF by suffix, or a described TIFF."""

    suffixes = (".tif", ".tiff")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Refuse axes that OME-TIFF has not, and several resolutions in another file."""
        names = [axis.name for axis in content.leading]
        refuse({
            f"{path}: OME-TIFF holds time, channel and z besides y and x, and these are "
            f"{', '.join(names)}: write a .tif or .zarr":
                _is_ome(path) and imagej_roles(names) is None,
            f"{path}: OME-TIFF holds no {content.frames.dtype} pixels: write a .tif or .zarr, or "
            "convert them to a type of 32 bits or to float64":
                _is_ome(path) and content.frames.dtype.name in _NOT_IN_OME,
            f"{path}: several resolutions go to an OME-TIFF or a zarr: name an .ome.tif or a .zarr":
                not _is_ome(path) and (options.levels or 1) > 1,
        })  # fmt: skip

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        import tifffile

        note = content.note(options.recipe)
        ome, levels = _is_ome(path), options.levels or 1
        size = prod(content.frames.shape) * content.frames.dtype.itemsize
        big = (size if levels == 1 else size * 4 / 3) > _BIG
        roles = None if big or ome else _roles(content)
        sizes = content.sizes
        if ome:
            named = imagej_roles([axis.name for axis in content.leading]) or []
            described = {"metadata": ome_axes.described(content, named, note.to_text())}
        elif roles is None:
            described = _described(content, note.to_plain())
        else:
            order = sorted(roles, key="tzc".index)
            described = imagej.described(content, roles, order, note.to_text())
            sizes = tuple(size for _, size in _sorted(content, roles))
            in_file = np.argsort(imagej_order(content.leading, content.sizes))
            if (np.diff(in_file) < 0).any():
                content = replace(content, frames=content.frames.select(in_file))
        stack, shape = content.frames, content.frame_shape
        # Bits are for one channel only.
        bits = stack.dtype.kind == "b" and len(shape) == 3
        dtype = np.dtype(np.uint8) if bits else stack.dtype
        how = {"dtype": dtype, "maxworkers": options.run.threads,
               **_compression(options, dtype), **_colours(content)}  # fmt: skip
        how |= {"tile": _TILE} if levels > 1 else {}
        more = {**tiff_exif.options(options.origin, rgb=stack.rgb, big=big), **described}
        with (
            content.made(options.run) as frames,
            tifffile.TiffWriter(path, bigtiff=big, imagej=roles is not None, ome=ome) as tif,
        ):
            made = (frame * np.uint8(255) for frame in frames) if bits else frames
            smaller = [_room(content, level, dtype, options) for level in range(1, levels)]
            more |= {"subifds": len(smaller)} if smaller else {}
            whole = _tiles(_kept(made, smaller)) if smaller else made
            tif.write(whole, shape=(*sizes, *shape), **how, **more)
            for copies in smaller:
                tif.write(_tiles(copies), shape=(*sizes, *copies.shape[1:]), subfiletype=1,
                          metadata=None, **how)  # fmt: skip
        tiff_exif.append(path, options.origin, big=big)


def _room(
    content: Content, level: int, dtype: np.dtype[Any], options: WriteOptions
) -> NDArray[Any]:
    """Make room on disk for a smaller copy of all frames, which is written after these."""
    height, width, *channels = content.frame_shape
    sides = (-(-side // 2**level) for side in (height, width))
    return unnamed_array((len(content.frames), *sides, *channels), dtype, options.run.scratch)


def _kept(
    frames: Iterable[NDArray[Any]], smaller: Sequence[NDArray[Any]]
) -> Iterator[NDArray[Any]]:
    """Hand frames on, and keep smaller copies of them."""
    for number, frame in enumerate(frames):
        copy = frame
        for copies in smaller:
            copies[number] = copy = halved_frame(copy)
        yield frame  # at the end: after the last frame no more is asked for


def _tiles(frames: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """Cut frames into tiles, row by row; those at an end are filled up."""
    high, wide = _TILE
    for frame in frames:
        for top in range(0, frame.shape[0], high):
            for left in range(0, frame.shape[1], wide):
                part = frame[top : top + high, left : left + wide]
                missing = [(0, high - part.shape[0]), (0, wide - part.shape[1])]
                yield np.pad(part, [*missing, *[(0, 0)] * (part.ndim - 2)])


def _is_ome(path: Path) -> bool:
    return Path(path.stem).suffix.lower() == ".ome"


def _compression(options: WriteOptions, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Compress differences of whole numbers of up to 32 bits, as all readers know them."""
    if options.compression == "none":
        return {}
    found: dict[str, Any] = {"compression": options.compression}
    if dtype.kind in "ui" and dtype.itemsize <= 4:
        found["predictor"] = 2
    if options.level is not None and options.compression in ("zlib", "zstd"):
        found["compressionargs"] = {"level": options.level}
    return found


def _roles(content: Content) -> list[str] | None:
    """Which of ImageJ's axes the leading ones are, or None where it cannot hold the pixels."""
    stack = content.frames
    grey = len(content.frame_shape) == 2 and stack.dtype in (np.uint8, np.uint16, np.float32)
    colour = stack.rgb and stack.shape[3:] == (3,) and stack.dtype == np.uint8
    return imagej_roles([axis.name for axis in content.leading]) if grey or colour else None


def _sorted(content: Content, roles: list[str]) -> list[tuple[str, int]]:
    """Leading axes in the order in which ImageJ stores them."""
    return sorted(zip(roles, content.sizes, strict=True), key=lambda item: "tzc".index(item[0]))


def _described(content: Content, note: Mapping[str, Any]) -> dict[str, Any]:
    """Options for a file whose axes and recipe stand in a description (JSON)."""
    names = [axis.name for axis in content.leading]
    letters = [name.upper() if name in ("t", "z", "c") else "Q" for name in names]
    colours = "S" * (len(content.frame_shape) == 3)
    options: dict[str, Any] = {"metadata": {"axes": "".join(letters) + "YX" + colours, **note}}
    y, x = content.axes[-2:]
    width, height = ((metres(axis.unit) or 0) * 100 * abs(axis.step) for axis in (x, y))
    if imagej.holds(width) and imagej.holds(height):
        options |= {"resolution": (1 / width, 1 / height), "resolutionunit": "CENTIMETER"}
    return options


def _colours(content: Content) -> dict[str, Any]:
    """Say which channels are colours, which is alpha, and which are just bands."""
    stack, (channels,) = content.frames, content.frame_shape[2:] or (1,)
    rgb = stack.rgb and channels in (3, 4)
    extra = ["unspecified"] * (channels - (3 if rgb else 1))
    if stack.alpha and extra:
        extra[-1] = "unassalpha"
    found: dict[str, Any] = {"photometric": "rgb" if rgb else "minisblack"}
    found |= {"planarconfig": "contig"} if channels > 1 else {}
    return found | ({"extrasamples": extra} if extra else {})
