"""`frame_table`: what was measured for every frame, as a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
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
        Names of the frames; by default their numbers.
    missing : set of int
        Frames that were never recorded, and cannot be used.

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
    missing: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if not self.labels:
            object.__setattr__(self, "labels", tuple(f"frame {i}" for i in range(len(self))))

    def __len__(self) -> int:
        return len(self.used)

    def state(self, index: int) -> str:
        """Say what is the matter with a frame, or nothing."""
        if index in self.missing:
            return "missing"
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
        save_csv(path, self.to_csv(), overwrite=overwrite)


def save_csv(path: str | Path, text: str, *, overwrite: bool) -> None:
    """Write the text of a table, whole or not at all."""
    from napari_stack.core.system.atomic_write import write_text

    write_text(path, text, overwrite=overwrite, ending=".csv", said="a table of frames is")


def frame_table(stack: Stack, more: Mapping[str, Any] | None = None) -> FrameTable:
    """Collect what was measured for the frames of a stack.

    Parameters
    ----------
    stack : Stack
        What it was corrected by tells: shifts and their standard deviations, rotation, scale and
        quality of a registration, and how far at most a frame is bent beyond these; gains of
        balancing and of bleaching.
    more : mapping of str to sequence of float, optional
        Further columns, such as the sharpness or the rejected fraction.
    """
    columns: dict[str, Column] = {}
    transforms = stack.moved_by
    if transforms is not None:
        parts = transforms.decomposed()
        unit = "px" if parts.unit == "pixel" else parts.unit
        columns[f"shift x ({unit})"], columns[f"shift y ({unit})"] = parts.shift.T
        if np.isfinite(sigma := transforms.shift_sigma()).any():
            columns[f"dx_sigma ({unit})"], columns[f"dy_sigma ({unit})"] = sigma.T
        columns["rotation (degrees)"] = parts.rotation
        columns["scale"] = np.sqrt(np.prod(parts.scale, axis=1))
        columns["quality"] = transforms.quality
        if (bent := transforms.deformation) is not None:
            columns["deformation (px)"] = bent.largest(transforms.matrices, stack.shape[1:3])
    for correction in stack.corrected_by:
        for part in parts_of(correction):
            for title, column in part.columns().items():
                columns.setdefault(title, column)
    for name, values in (more or {}).items():
        columns[name] = np.asarray(values, np.float64)
    failed = np.zeros(len(stack), bool) if transforms is None else transforms.failed
    labels = tuple(stack.source.label(i) for i in range(len(stack)))
    return FrameTable(columns, stack.used, failed, labels, stack.source.missing)


def measure_sharpness(stack: Stack, *, run: Run = Run()) -> Column:
    """Measure how sharp every frame is: its mean squared gradient (Tenenbaum), slightly blurred.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    from napari_stack.operators.registration.sequence.measure import MeasureOptions
    from napari_stack.operators.registration.sequence.reference import _sharpness

    found = run.each(partial(_sharpness, view=MeasureOptions()), stack, what="Measuring sharpness")
    return np.array(found, np.float64)
