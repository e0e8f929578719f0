"""What is known about every frame, as a table; and one pixel through all frames."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.core.statistics import robust_sigma
from napari_stack.engine.run import Run
from napari_stack.operators.combine.sigma_clip import sigma_clip
from napari_stack.operators.corrections.balance import Gains
from napari_stack.operators.corrections.bleaching import Bleaching
from napari_stack.operators.corrections.pixelwise import parts_of

Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrameTable:
    """Numbers for every frame of a stack.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (n,)
        By title, which names the unit.
    used : ndarray of bool, shape (n,)
        Frames that reducers take.
    failed : ndarray of bool, shape (n,)
        Frames that could not be registered.
    labels : tuple of str
        Names of the frames.

    Examples
    --------
    >>> table = frame_table(Stack.wrap(np.zeros((2, 4, 5))), {"sharpness": [1.0, 2.0]})
    >>> print(table.to_csv(), end="")
    frame,name,used,failed,sharpness
    0,frame 0,1,0,1
    1,frame 1,1,0,2
    """

    columns: Mapping[str, Column]
    used: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    labels: Sequence[str] = field(default_factory=tuple)

    def __len__(self) -> int:
        return len(self.used)

    def state(self, index: int) -> str:
        """Say what is the matter with a frame, or nothing."""
        if self.failed[index]:
            return "failed"
        return "" if self.used[index] else "left out"

    def to_csv(self) -> str:
        """Write the table as text, a line a frame."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["frame", "name", "used", "failed", *self.columns])
        for i in range(len(self)):
            numbers = [f"{column[i]:.9g}" for column in self.columns.values()]
            writer.writerow([i, self.labels[i], int(self.used[i]), int(self.failed[i]), *numbers])
        return text.getvalue()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the table to a .csv file.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending.
        """
        from napari_stack.core.atomic_write import replacing

        if Path(path).suffix.lower() != ".csv":
            raise UserError(f"{path}: a table of frames is written as .csv")
        with replacing(Path(path), overwrite=overwrite) as temporary:
            temporary.write_text(self.to_csv(), encoding="utf-8")


def frame_table(stack: Stack, more: Mapping[str, Any] | None = None) -> FrameTable:
    """Collect what was measured for the frames of a stack.

    Parameters
    ----------
    stack : Stack
        What it was corrected by tells: shifts, rotation, scale and quality of a registration;
        gains of balancing and of bleaching.
    more : mapping of str to sequence of float, optional
        Further columns, such as the sharpness or the rejected fraction.
    """
    columns: dict[str, Column] = {}
    transforms = stack.moved_by
    if transforms is not None:
        parts = transforms.decomposed()
        unit = "px" if parts.unit == "pixel" else parts.unit
        columns[f"shift x ({unit})"], columns[f"shift y ({unit})"] = parts.shift.T
        columns["rotation (degrees)"] = parts.rotation
        columns["scale"] = np.sqrt(np.prod(parts.scale, axis=1))
        columns["quality"] = transforms.quality
    for correction in stack.corrected_by:
        for value in parts_of(correction):
            columns |= _gains(value, columns)
    for name, values in (more or {}).items():
        columns[name] = np.asarray(values, np.float64)
    failed = np.zeros(len(stack), bool) if transforms is None else transforms.failed
    labels = tuple(stack.source.label(i) for i in range(len(stack)))
    return FrameTable(columns, stack.used, failed, labels)


def _gains(value: Any, taken: Mapping[str, Any]) -> dict[str, Column]:
    name = {Gains: "gain", Bleaching: "bleaching gain"}.get(type(value), "")
    if not name or any(title.startswith(name) for title in taken):
        return {}
    lines = value.gains.T
    return {name if len(lines) == 1 else f"{name} {k}": line for k, line in enumerate(lines)}


def measure_sharpness(stack: Stack, *, run: Run = Run()) -> Column:
    """Measure how sharp every frame is: its mean squared gradient (Tenenbaum), slightly blurred.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    from napari_stack.operators.registration.reference import _sharpness
    from napari_stack.operators.registration.sequence import View

    found = run.each(partial(_sharpness, view=View()), stack, what="Measuring sharpness")
    return np.array(found, np.float64)


@dataclass(frozen=True, eq=False)
class PixelValues:
    """One pixel through a stack.

    Attributes
    ----------
    values : ndarray, shape (n, channels)
        As computed with; one channel for grey frames.
    valid : ndarray of bool, shape (n,)
        Frames that cover the pixel.
    used : ndarray of bool, shape (n,)
        Frames that reducers take.
    """

    values: NDArray[Any]
    valid: NDArray[np.bool_]
    used: NDArray[np.bool_]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Frames that count at this pixel."""
        return self.valid & self.used


def pixel_values(stack: Stack, y: int, x: int, *, run: Run = Run()) -> PixelValues:
    """Read one pixel of every frame; of a source that can, only the rows that are needed.

    Raises
    ------
    IndexError
        For a pixel outside the frames.
    """
    height, width = stack.shape[1:3]
    if not (0 <= y < height and 0 <= x < width):
        raise IndexError(f"the pixel ({y}, {x}) is outside the frames of {height} x {width}")
    found = run.each(partial(_pixel, y=y, x=x), stack, what="Reading a pixel")
    values = np.stack([value for value, _ in found])
    return PixelValues(values, np.array([valid for _, valid in found], bool), stack.used)


def _pixel(stack: Stack, index: int, *, y: int, x: int) -> tuple[NDArray[Any], bool]:
    values, valid = stack.values(index, slice(y, y + 1))
    return np.atleast_1d(values[0, x]).copy(), valid is None or bool(valid[0, x])


@dataclass(frozen=True, eq=False)
class ClippedValues:
    """What sigma clipping does to one pixel of one channel.

    Attributes
    ----------
    rejected : ndarray of bool, shape (n,)
    image : float
        Mean of what is kept; NaN where nothing counts.
    centre, low, high : float
        Centre of what is kept and the bounds about it.
    """

    rejected: NDArray[np.bool_]
    image: float
    centre: float
    low: float
    high: float


def clipped_values(
    values: NDArray[Any], counts: NDArray[np.bool_], options: Mapping[str, Any]
) -> ClippedValues:
    """Clip the values of one pixel as `sigma_clip` does.

    Parameters
    ----------
    values : ndarray, shape (n,)
        In the type that the frames are clipped in.
    counts : ndarray of bool, shape (n,)
        Frames that are used and cover the pixel.
    options : mapping
        Options of `sigma_clip`. The values have been brought to one level already where
        ``normalisation`` asks for it.

    Returns
    -------
    ClippedValues
        With the bounds about what is kept, which is where the last round left them.
    """
    kept_out = {name: value for name, value in options.items() if name not in _NOT_OF_A_PIXEL}
    nowhere = ClippedValues(np.zeros(len(values), bool), np.nan, np.nan, np.nan, np.nan)
    if not counts.any():
        return nowhere
    alone = Stack.wrap(np.ascontiguousarray(values).reshape(-1, 1, 1), rgb=False)
    found = sigma_clip(replace(alone, used=counts), **kept_out, dtype="float64", run=Run(workers=1))
    rejected = np.nan_to_num(found.rejected_fraction) > 0
    kept = values[counts & ~rejected].astype(np.float64)
    return ClippedValues(rejected, float(found.image[0, 0]), *_bounds(kept, **kept_out))


#: Options of `sigma_clip` that are not about one pixel.
_NOT_OF_A_PIXEL = ("normalisation", "dtype", "details")


def _bounds(
    kept: Column,
    sigma: float = 2.5,
    sigma_low: float = 0.0,
    sigma_high: float = 0.0,
    centre: str = "mean",
    spread: str = "standard deviation",
    **_others: Any,
) -> tuple[float, float, float]:
    """Centre of what is kept, and the bounds about it."""
    middle = float(np.mean(kept) if centre == "mean" else np.median(kept))
    width = _SPREADS[spread](kept)
    width = width if width > 0 else float(np.std(kept))  # most values are the same
    return middle, middle - (sigma_low or sigma) * width, middle + (sigma_high or sigma) * width


def _mad(kept: Column) -> float:
    return float(robust_sigma(kept))


def _winsorised(kept: Column) -> float:
    """Take the standard deviation of the values drawn in to 1.5 of it (Siril), until it settles."""
    middle, width = np.median(kept), float(np.std(kept))
    for _ in range(100):
        drawn = np.clip(kept, middle - 1.5 * width, middle + 1.5 * width)
        before, width = width, float(1.134 * np.std(drawn))
        if abs(width - before) <= 5e-4 * before:
            break
    return width


_SPREADS = {
    "standard deviation": lambda kept: float(np.std(kept)),
    "MAD": _mad,
    "winsorised": _winsorised,
}
