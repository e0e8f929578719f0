"""Writing OME-Zarr: frame by frame, or as many at a time as a chunk holds; level by level."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.notices import warn_caller
from napari_stack.files.formats import ngff
from napari_stack.files.formats.base import needed_package
from napari_stack.files.formats.ome_zarr_images import is_zarr
from napari_stack.files.formats.pyramid import halved
from napari_stack.files.formats.zarr_layout import Layout
from napari_stack.files.metadata import KEY
from napari_stack.files.write_content import Content, WriteOptions, Writer, refuse


class ZarrWriter(Writer):
    """OME-Zarr 0.5 where its axes allow, with our note in any case."""

    suffixes = (".zarr",)

    def check_target(self, path: Path) -> None:
        """Refuse to put an array where another thing lies."""
        if path.is_file() or (path.is_dir() and not is_zarr(path) and any(path.iterdir())):
            raise FileExistsError(f"{path} is there and is no zarr: choose another name")

    def check(self, path: Path, content: Content, options: WriteOptions) -> None:
        """Refuse what zarr has not; say how to install the package."""
        with needed_package(str(path), "zarr", "zarr", "zarr"):
            import zarr  # noqa: F401
        refuse({
            f"{path}: zarr takes zlib or zstd, not lzw: choose one of these":
                options.compression == "lzw",
        })  # fmt: skip
        Layout.of(content, options)

    def write(self, path: Path, content: Content, options: WriteOptions) -> None:  # noqa: D102
        import zarr

        layout = Layout.of(content, options)
        ranges = _Ranges(layout)
        group = zarr.create_group(path)
        arrays = [_array(group, str(k), content, layout, options) for k in range(layout.levels)]
        ordered = replace(content, frames=content.frames.select(layout.frame_order()))
        with ordered.made(options.run) as frames:
            for place, block in _blocks(frames, content.frames.dtype, layout, ranges):
                for level, array in enumerate(arrays):
                    block = halved(block) if level else block
                    array[place] = block
        group.attrs.update(_attributes(content, layout, options, ranges))
        if layout.plan is None:
            names = ", ".join(axis.name for axis in content.axes)
            warn_caller(
                f"OME-Zarr holds time, channels, z, y and x, and these are {names}: other programs "
                "open it as a plain zarr array",
            )


def _array(group: Any, name: str, content: Content, layout: Layout, options: WriteOptions) -> Any:
    """Make the array of a level; its chunks are no larger than it."""
    count, factor = len(layout.leading), 2 ** int(name)
    sides = tuple(-(-side // factor) for side in layout.plane[:2])
    shape = (*layout.leading, *sides, *layout.plane[2:])
    chunks = tuple(min(c, s) for c, s in zip(layout.chunks, shape, strict=True))
    shards = None
    if layout.shards:
        fits = zip(layout.shards, chunks, shape, strict=True)
        shards = tuple(min(-(-shard // c), -(-side // c)) * c for shard, c, side in fits)
    axes = layout.plan.axes if layout.plan else content.axes
    names = [axis.name for axis in axes]
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        shards=shards,
        dtype=content.frames.dtype,
        compressors=_codec(options),
        dimension_names=[*names, "channel"][: count + len(layout.plane)],
    )


def _codec(options: WriteOptions) -> Any:
    from zarr.codecs import GzipCodec, ZstdCodec

    codec = {"zlib": GzipCodec, "zstd": ZstdCodec}.get(options.compression)
    if codec is None:
        return None
    return codec() if options.level is None else codec(level=options.level)


def _blocks(
    frames: Iterator[NDArray[Any]], dtype: Any, layout: Layout, ranges: "_Ranges"
) -> Iterator[tuple[tuple[slice, ...], NDArray[Any]]]:
    """Put frames together to blocks, and say where each goes."""
    for start in layout.starts():
        stops = (min(s + b, n) for s, b, n in zip(start, layout.block, layout.leading, strict=True))
        where = tuple(slice(s, stop) for s, stop in zip(start, stops, strict=True))
        block = np.empty((*(w.stop - w.start for w in where), *layout.plane), dtype)
        for place in product(*(range(where[k].start, where[k].stop) for k in layout.rest)):
            frame = next(frames)
            ranges.add(place, frame)
            at: list[Any] = [slice(None)] * len(where)
            for k, number in zip(layout.rest, place, strict=True):
                at[k] = number - start[k]
            block[tuple(at)] = np.moveaxis(frame, -1, 0) if -1 in layout.order else frame
        yield where, block


class _Ranges:
    """The least and the greatest value of each channel, found while frames are written."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._found: dict[int, tuple[float, float]] = {}

    def add(self, place: tuple[int, ...], frame: NDArray[Any]) -> None:
        """Take a frame at a place along the axes that are not channels of a pixel."""
        plan = self._layout.plan
        if plan is None:
            return
        if -1 in plan.order:
            for number in range(frame.shape[-1]):
                self._take(number, frame[..., number])
        elif "channel" in plan.kinds:
            self._take(place[self._layout.rest.index(plan.kinds.index("channel"))], frame)
        else:
            self._take(0, frame)

    def _take(self, channel: int, values: NDArray[Any]) -> None:
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if values.size:
            low, high = self._found.get(channel, (inf, -inf))
            self._found[channel] = min(low, float(values.min())), max(high, float(values.max()))

    def each(self, count: int) -> list[tuple[float, float]]:
        """Return the ranges of so many channels, each of two numbers that differ."""
        known = [self._found.get(number, (0.0, 1.0)) for number in range(count)]
        return [(low, high if high > low else low + 1) for low, high in known]


def _attributes(
    content: Content, layout: Layout, options: WriteOptions, ranges: _Ranges
) -> dict[str, Any]:
    stack, plan = content.frames, layout.plan
    own = content.note(options.recipe).to_plain()[KEY] | {"rgb": stack.rgb, "alpha": stack.alpha}
    if plan is None:
        return {KEY: own}
    number = plan.kinds.index("channel") if "channel" in plan.kinds else None
    found = ranges.each(1 if number is None else layout.leading[number])
    omero = ngff.channels_of(content, plan, found)
    own |= {"order": list(plan.order), "windows": [c["window"] for c in omero["channels"]]}
    return {"ome": ngff.described(plan, layout.levels) | {"omero": omero}, KEY: own}
