"""`bands_apart`: frames whose pixels have bands as frames along one more axis, for viewers."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis, usual_name
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Pixels, Source
from napari_stack.core.stack import Stack


@dataclass(frozen=True, eq=False)
class Bands(Source):
    """Each band of each frame of a stack, as a frame of its own.

    Parameters
    ----------
    stack : Stack
        Its frames have several bands.
    """

    stack: Stack
    _last: list[tuple[int, Pixels]] = field(default_factory=list, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the frame that was read last."""
        return {**self.__dict__, "_last": []}

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        count, height, width, bands = self.stack.shape
        return (count * bands, height, width)

    @property
    def dtype(self) -> np.dtype[Any]:  # noqa: D102
        return self.stack.dtype

    @property
    def partial(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.stack.source.partial

    @property
    def computed(self) -> bool:  # type: ignore[override]  # noqa: D102
        return self.stack.source.computed or bool(self.stack.corrections)

    @property
    def parents(self) -> tuple[Source, ...]:  # noqa: D102
        return (self.stack.source,)

    def pixels(self, index: int, rows: slice | None = None) -> Pixels:  # noqa: D102
        frame, band = divmod(index, self.stack.shape[3])
        values, valid = self._whole(frame) if rows is None else self._read(frame, rows)
        known = None if valid is None else valid.copy()
        return np.ascontiguousarray(values[..., band]), known

    def _whole(self, frame: int) -> Pixels:
        """Read a frame once for all its bands, which are mostly asked for one after another."""
        for number, pixels in self._last:
            if number == frame:
                return pixels
        pixels = self._read(frame, None)
        self._last[:] = [(frame, pixels)]
        return pixels

    def _read(self, frame: int, rows: slice | None) -> Pixels:
        if self.computed:
            return self.stack.values(frame, rows)
        return self.stack.source.pixels(frame, rows)

    def origin(self, index: int) -> tuple[Source, int]:  # noqa: D102
        return self.stack.source, index // self.stack.shape[3]

    def label(self, index: int) -> str:  # noqa: D102
        frame, band = divmod(index, self.stack.shape[3])
        return f"{self.stack.source.label(frame)} band {band + 1}"


def bands_apart(data: Stack | Hyperstack) -> Stack | Hyperstack:
    """Return frames whose pixels have bands with these along an axis before y; others as they are.

    Examples
    --------
    >>> five = Stack.wrap(np.zeros((3, 8, 9, 5), np.uint8))
    >>> apart = bands_apart(five)
    >>> apart.shape, [axis.name for axis in apart.axes]
    ((3, 5, 8, 9), ['frame', 'c', 'y', 'x'])
    """
    frames = data.frames
    if frames.ndim != 4 or frames.rgb:
        return data
    bands = frames.shape[3]
    taken = {usual_name(axis.name) for axis in data.leading}
    labels = ("grey", "alpha") if frames.alpha and bands == 2 else ()
    axis = Axis("band" if "c" in taken else "c", labels=labels)
    apart = replace(
        frames,
        source=Bands(frames),
        corrections=(),
        used=np.repeat(frames.used, bands),
        alpha=False,
        axes=(Axis("frame"), *frames.axes[1:]),
    )
    leading, sizes = (*data.leading, axis), (*data.sizes, bands)
    return Hyperstack(apart, leading, sizes, data.axis)
