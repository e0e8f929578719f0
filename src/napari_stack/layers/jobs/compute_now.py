"""`compute_now`: the frames of a lazy layer computed once, into memory or into a zarr folder."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.pixels.casting import cast
from napari_stack.core.source import ArraySource, Pixels, Source, WrappedSource
from napari_stack.core.sources.stack_source import StackSource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import check_target, read, write
from napari_stack.layers.compat import full_resolution, is_dask
from napari_stack.layers.jobs.forecast import size_text
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.places.motion import recorded_size
from napari_stack.layers.provenance import KEY, Chain, history, recall, remember, remember_pixels
from napari_stack.layers.stacks.read_layer import Data, read_layer


def is_lazy(layer: Any) -> bool:
    """Tell whether the frames of an image layer are computed when they are shown."""
    return isinstance(layer, Image) and is_dask(full_resolution(layer))


def is_made_here(layer: Any) -> bool:
    """Tell a lazy layer whose frames this project computes."""
    return is_lazy(layer) and recall(layer) is not None


@dataclass(frozen=True, eq=False)
class ComputedSource(WrappedSource):
    """Computed frames as a source that still knows which of their pixels are valid.

    Parameters
    ----------
    source : Source
        The frames as seen.
    valid : mapping of int to ndarray
        For frames with pixels that are not: which are, as packed bits.
    corrected_by : tuple of Correction
        What was done to the frames, to be looked up; their pixels are done already.
    recorded : tuple of int
        Height and width of a frame before that.
    """

    valid: Mapping[int, NDArray[np.uint8]]
    corrected_by: tuple[Correction, ...]
    recorded: tuple[int, int]

    @property
    def computed(self) -> bool:  # type: ignore[override]
        """Whether some pixels are not valid: then the working values are handed on."""
        return bool(self.valid)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        stored, _ = self.source.pixels(index, rows)
        if not self.valid:
            return stored, None
        values = np.array(stored, np.result_type(self.dtype, np.float32))
        if index not in self.valid:
            return values, None
        size = self.shape[1:3]
        known = np.unpackbits(self.valid[index], count=prod(size)).view(bool).reshape(size)
        return values, known if rows is None else known[rows]


@dataclass(frozen=True)
class _Recorder(StackSource):
    """Frames as seen; it notes on the way which pixels are valid."""

    valid: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    computed: ClassVar[bool] = False  # type: ignore[misc]
    partial: ClassVar[bool] = False  # type: ignore[misc]

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:
        if not self.stack.corrections and not self.stack.source.computed:
            return self.stack.render(index, rows), None
        values, valid = self.stack.read(index)
        # Floats say so by themselves: what is not valid is NaN.
        if valid is not None and self.dtype.kind != "f":
            self.valid[index] = np.packbits(valid)
        frame = cast(values, self.dtype, valid)
        return (frame if rows is None else frame[rows]), None


@dataclass(frozen=True, eq=False)
class FrameComputation:
    """The frames of a lazy layer, about to be computed; made by `prepare_compute`.

    Parameters
    ----------
    chain : Chain
    appearance : Appearance
    path : Path or None
        Of a zarr folder; None stands for memory.
    """

    chain: Chain
    appearance: Appearance
    path: Path | None

    @property
    def _frames(self) -> Stack:
        return self.chain.data.frames

    @property
    def size(self) -> int:
        """Bytes of all frames."""
        return int(prod(self._frames.shape)) * self._frames.dtype.itemsize

    @property
    def free(self) -> int:
        """Bytes of memory, or of the folder's disk, that are free."""
        if self.path is not None:
            return shutil.disk_usage(self.path.absolute().parent).free
        import psutil

        return int(psutil.virtual_memory().available)

    def forecast(self) -> tuple[str, str]:
        """Tell what it takes, and what is wrong with that or ""."""
        stack, where = self._frames, "memory" if self.path is None else "disk"
        text = (
            f"{len(stack)} frames, {stack.shape[2]} x {stack.shape[1]}, {stack.dtype}: "
            f"{size_text(self.size)} of {where}; {size_text(self.free)} are free"
        )
        # zarr is compressed; by how much is not known before.
        return text, self._too_large if self.path is None else ""

    @property
    def _too_large(self) -> str:
        if self.size <= self.free:
            return ""
        return (
            f"{size_text(self.size)} are needed and {size_text(self.free)} of memory are free: "
            "compute into a zarr folder instead"
        )

    def compute(self, run: Run = Run()) -> Data:
        """Compute the frames; it touches no layer and may run in any thread.

        Raises
        ------
        MemoryError
            When they do not fit into memory.
        OSError
            When the folder exists or cannot be written.
        Cancelled
            From the run's tick; nothing is left behind.
        """
        frames = self._frames
        recorder = _Recorder(frames)
        seen = replace(frames, source=recorder, corrections=())
        source = self._in_memory(seen, run) if self.path is None else self._on_disk(seen, run)
        computed = ComputedSource(
            source, recorder.valid, frames.corrected_by, recorded_size(frames)
        )
        made = replace(frames, source=computed, corrections=())
        return self.chain.data.with_frames(made)

    def _in_memory(self, seen: Stack, run: Run) -> Source:
        if self._too_large:
            raise MemoryError(self._too_large)
        pixels = np.empty(seen.shape, seen.dtype)
        for index, frame in enumerate(run.stream(Stack.__getitem__, seen, what="Computing frames")):
            pixels[index] = frame
        return Stack.wrap(pixels, rgb=seen.rgb).source

    def _on_disk(self, seen: Stack, run: Run) -> Source:
        assert self.path is not None
        whole = self.chain.data.with_frames(seen)
        recipe = history(self.chain)[KEY]["recipe"]
        how: dict[str, Any] = {"compression": "zstd", "recipe": recipe, "exif_from": None}
        write(self.path, whole, levels=1, **how, run=run)
        return read(self.path).frames.source

    def finish(self, data: Data) -> Image:
        """Make the layer; on the main thread where there is Qt."""
        chain = replace(self.chain, data=data)
        if self.path is None:
            computed: Any = data.frames.source
            array = computed.source.data.reshape(data.shape)
            # The chain is kept apart from the array, which it must not hold.
            none = ArraySource(np.broadcast_to(computed.dtype.type(0), computed.shape))
            remember_pixels(array, partial(_chained, _with_source(chain, none)))
        else:
            array = data.to_dask()
            remember(array, chain)
        return self.appearance.frames(
            array, name=f"{self.appearance.name} - computed",
            metadata=history(self.chain),
        )  # fmt: skip


def _chained(chain: Chain, array: NDArray[Any]) -> Chain:
    """Put an array in the place of the frames of a chain."""
    shape = chain.data.frames.source.shape
    return _with_source(chain, ArraySource(array.reshape(shape)))


def _with_source(chain: Chain, source: Source) -> Chain:
    frames = chain.data.frames
    computed: Any = frames.source
    return chain.with_frames(replace(frames, source=replace(computed, source=source)))


def prepare_compute(layer: Image, path: str | Path | None = None) -> FrameComputation:
    """Read from a lazy layer what computing its frames needs.

    Raises
    ------
    ValueError
        For a layer whose frames are computed already, or a path that is no zarr folder.
    FileExistsError
        When there is something at the path.
    """
    if isinstance(layer, Image) and not is_lazy(layer):
        raise UserError(f"the frames of {layer.name!r} are computed already")
    chain = read_layer(layer)
    folder = None if path is None else Path(path)
    if folder is not None:
        if folder.suffix.lower() != ".zarr":
            raise UserError(f"{folder} must end with .zarr: frames are computed into such folders")
        check_target(folder)
    return FrameComputation(chain, Appearance.of(layer), folder)


def compute_now(layer: Image, path: str | Path | None = None, *, run: Run = Run()) -> Image:
    """Compute the frames of a lazy layer once, so that showing them costs nothing any more.

    Parameters
    ----------
    layer : Image layer
        Frames that are computed when they are shown: registered, corrected, or another dask array.
    path : str or path, optional
        Of a new folder ending with ``.zarr``, where there is not memory enough; by default they go
        into memory.
    run : Run

    Returns
    -------
    Image layer
        It continues the history of the layer: which frames are used, which pixels are valid, and
        the steps so far. The layer itself stays as it is.

    Raises
    ------
    MemoryError
        When the frames do not fit into memory.
    """
    work = prepare_compute(layer, path)
    return work.finish(work.compute(run))
