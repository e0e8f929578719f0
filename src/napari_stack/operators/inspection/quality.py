"""`measure_quality`, `select_frames`: how good each frame is, and which ones are used."""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.notices import number_text, warn_of_frames
from napari_stack.core.options import check
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.combine.combine import require_used
from napari_stack.operators.combine.measures.frame_likeness import repeats
from napari_stack.operators.combine.measures.frame_measures import (
    BESIDE,
    Measures,
    measure_frames,
    median_of,
)
from napari_stack.operators.inspection.frame_table import FrameTable, frame_table, save_csv

#: How reasons begin.
_LEFT_OUT = "are left out: "

By = Literal["sharpness", "noise", "both"]

#: Of what is usual: a level below which a frame is dark, or above which it is bright.
_DARK, _BRIGHT = 0.3, 3.0

#: Evenness of details, or roundness of points, of what is usual, below which a frame is trailed.
_TRAILED, _LONG = 0.5, 0.75

#: Share of the view that a frame must cover.
_COVERS = 0.5

#: Times the usual distance from the reference from which on a registered frame lies beside others.
_FARTHER = 5.0


@dataclass(frozen=True, eq=False)
class FrameQuality:
    """What was measured on each frame, and what is wrong with it.

    Parameters
    ----------
    columns : dict of str to ndarray of float64, shape (n,)
        By title; NaN for frames that are not used.
    faults : tuple of str
        What is wrong with each frame, or "".
    used : ndarray of bool, shape (n,)
        Frames that were measured.
    labels : tuple of str
        Names of the frames; by default their numbers.
    """

    columns: Mapping[str, NDArray[np.float64]]
    faults: tuple[str, ...]
    used: NDArray[np.bool_]
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.labels:
            object.__setattr__(self, "labels", tuple(f"frame {i}" for i in range(len(self))))

    def __len__(self) -> int:
        return len(self.used)

    def to_csv(self) -> str:
        """Write it as text, a line a frame; the last column says what is wrong with it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["frame", "name", "used", *self.columns, "fault"])
        for i in range(len(self)):
            numbers = [f"{column[i]:.9g}" for column in self.columns.values()]
            fault = self.faults[i].removeprefix(_LEFT_OUT)
            writer.writerow([i, self.labels[i], int(self.used[i]), *numbers, fault])
        return text.getvalue()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write it to a .csv file, as `FrameTable.save` does."""
        save_csv(path, self.to_csv(), overwrite=overwrite)

    def score(self, by: By = "sharpness") -> NDArray[np.float64]:
        """Return how good each frame is: its sharpness, what its noise allows, or both."""
        sharpness = self.columns["sharpness"]
        signal = self.columns["level"] / np.maximum(self.columns["noise"], 1e-12)
        return {"sharpness": sharpness, "noise": signal, "both": sharpness * signal**2}[by]

    def reasons(self, select: str, by: By = "sharpness") -> tuple[str, ...]:
        """Say why each frame is left out by a selection; "" for those that are used.

        Parameters
        ----------
        select : str
            As for `select_frames`.
        by : {"sharpness", "noise", "both"}
        """
        what, number, share = read_selection(select)
        good = self.used & np.array([not fault for fault in self.faults])
        score = np.where(good, np.nan_to_num(self.score(by)), -np.inf)
        if what == "above":
            usual = float(np.median(score[good])) if good.any() else 0.0
            kept = good & (score >= number * usual)
        else:
            count = int(np.ceil(self.used.sum() * number / 100 - 1e-9)) if share else int(number)
            best = np.argsort(-score, kind="stable")[: max(count, 1)]
            kept = np.isin(np.arange(len(score)), best) & good
        named = {"both": "sharpness and noise", "noise": "noise"}.get(by, "sharpness")
        below = f"are left out by their {named} ({select})"
        return tuple(
            "" if kept[i] or not self.used[i] else fault or below
            for i, fault in enumerate(self.faults)
        )


def measure_quality(stack: Stack, *, run: Run = Run()) -> FrameQuality:
    """Measure how good each used frame is, whatever its exposure.

    Sharpness, noise, signal over noise, background, width and roundness of points, evenness of
    details in all directions, the share of the view that it covers, and how far it lies from a
    frame with many details. Frames that are dark, bright, without details, trailed, the same as an
    earlier one or nearly so, that cover less than half of the view, or lie beside the others
    though registered, have a fault. Read frame by frame: memory hardly grows with their number.

    Parameters
    ----------
    stack : Stack
    run : Run

    Raises
    ------
    ValueError
        When no frame is used.
    """
    require_used(stack)
    numbers = np.flatnonzero(stack.used)
    found = measure_frames(stack, numbers.tolist(), run)
    columns = {}
    for place, name in enumerate(Measures._fields[:-2]):
        columns[name] = np.full(len(stack), np.nan)
        columns[name][numbers] = [one[place] for one in found]
    faults = [""] * len(stack)
    for number, fault in zip(numbers, _faults(found, stack.moved_by is not None), strict=True):
        faults[number] = fault
    labels = tuple(stack.source.label(i) for i in range(len(stack)))
    return FrameQuality(columns, tuple(faults), stack.used, labels)


def quality_table(stack: Stack, *, run: Run = Run()) -> FrameTable:
    """Return what `measure_quality` measures as a table, to be saved as .csv."""
    return frame_table(stack, measure_quality(stack, run=run).columns)


def _faults(found: list[Measures], registered: bool) -> list[str]:
    """Say what is wrong with each frame, or nothing."""
    again = repeats([one.sample for one in found], np.array([one.noise for one in found]))
    motion = np.array([one.motion for one in found])
    far = max(BESIDE, _FARTHER * median_of(motion)) if registered else np.inf
    level = np.array([one.level for one in found])
    usual = float(np.median(level))
    even = np.array([one.evenness for one in found])
    round_ = np.array([one.roundness for one in found])
    usual_even, usual_round = (median_of(values) for values in (even, round_))
    seen: set[bytes] = set()
    faults = []
    for k, one in enumerate(found):
        if one.overlap < _COVERS:
            fault = "are left out: they cover less than half of the view"
        elif one.digest in seen:
            fault = "are left out: they have the pixels of an earlier frame"
        elif again[k]:
            fault = "are left out: they are nearly the same as an earlier frame"
        elif usual > 0 and level[k] < _DARK * usual:
            fault = "are left out: they are dark"
        elif usual > 0 and level[k] > _BRIGHT * usual:
            fault = "are left out: they are bright"
        elif one.sharpness == 0:
            fault = "are left out: they show no details above their noise"
        elif even[k] < _TRAILED * usual_even or round_[k] < _LONG * usual_round:
            fault = "are left out: they are trailed"
        elif motion[k] > far:
            fault = f"are left out: they lie more than {number_text(far, 2)} px beside the others"
        else:
            fault = ""
        seen.add(one.digest)
        faults.append(fault)
    return faults


def read_selection(select: str) -> tuple[str, float, bool]:
    """Read "best 50 %", "best 20" or "above 0.8": what, the number, and whether it is a share.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> read_selection("best 50 %"), read_selection("above 0.8")
    (('best', 50.0, True), ('above', 0.8, False))
    """
    match = re.fullmatch(r"\s*(best|above)\s+(\d+(?:\.\d+)?)\s*(%?)\s*", select)
    number = float(match[2]) if match else 0.0
    if match and number > 0 and (not match[3] or (match[1] == "best" and number <= 100)):
        return match[1], number, bool(match[3])
    raise UserError(
        "select_frames: select must be 'best 50 %', 'best 20' (frames) or 'above 0.8' (of the "
        f"median of the frames), got {select!r}"
    )


def select_frames(
    stack: Stack, *, select: str = "best 50 %", by: By = "sharpness", run: Run = Run()
) -> Stack:
    """Use the best frames only, and say why each of the others is left out.

    Frames that are dark, bright, without details, trailed, the same as an earlier one or nearly so,
    that cover less than half of the view, or lie beside the others though they are registered,
    are left out in any case. Frames are read one by one, as for lucky
    imaging: combine what comes out. In napari the frame inspector shows them, to be ticked on.

    Parameters
    ----------
    stack : Stack
        Of those that are used; registered or not.
    select : str
        "best 50 %" of the frames, "best 20" of them, or "above 0.8": those that reach that part of
        the median.
    by : {"sharpness", "noise", "both"}
        How good a frame is: energy of its fine details over its squared level, its level over its
        noise, or the product of the first with the square of the second.
    run : Run

    Returns
    -------
    Stack
        Of all frames; those left out are not used.

    Raises
    ------
    ValueError
        When no frame is used or none would be, or `select` cannot be read.

    Warns
    -----
    UserWarning
        Of the frames that are left out, for each reason.
    """
    check(select_frames, locals())
    read_selection(select)
    quality = measure_quality(stack, run=run)
    reasons = np.array(quality.reasons(select, by))
    used = stack.used & (reasons == "")
    if not used.any():
        _refuse_none(select, quality)
    for reason in dict.fromkeys(reasons[reasons != ""].tolist()):
        warn_of_frames(reason, reasons == reason, stack.source.label)
    return replace(stack, used=used)


def _refuse_none(select: str, quality: FrameQuality) -> None:
    """Say why a selection leaves no frame, and what to do."""
    faults = [fault.removeprefix(_LEFT_OUT) for fault in np.array(quality.faults)[quality.used]]
    count = f"select={select!r} leaves none of {len(faults)} frames"
    if not all(faults):
        raise UserError(f"{count}: choose a lower threshold, or use them all")
    kinds = "; ".join(f"{faults.count(fault)}: {fault}" for fault in dict.fromkeys(faults))
    raise UserError(
        f"{count}, since all have a fault ({kinds}), which no threshold changes: use them all, or "
        "choose by hand which are used"
    )
