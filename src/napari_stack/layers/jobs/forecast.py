"""What a job will take, and what would make it futile: told before it runs, computing no frame."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.operator import resolve
from napari_stack.core.source import ArraySource, WrappedSource
from napari_stack.core.stack import Stack
from napari_stack.engine.bands import are_filed, band_rows, may_be_invalid, reads_twice
from napari_stack.engine.run import Run
from napari_stack.engine.scratch import frame_bytes, free_scratch
from napari_stack.layers.jobs.job import Job
from napari_stack.operators.registration.register import reference_index

#: Frames that are looked at where all of them are alike.
_FEW = 8
#: Pixels that are looked at for how many bits there are.
_MOST_VALUES = 500_000


@dataclass(frozen=True)
class Forecast:
    """What a job will take.

    Parameters
    ----------
    text : str
        The frames, and the memory and scratch they need, in a line.
    warnings : tuple of str
        What to think of before it runs, a sentence each.
    memory, scratch : int
        Bytes that pixels take at most, and on disk; about.
    futile : bool
        It would do nothing: no frame is used, or too few for the options.
    """

    text: str
    warnings: tuple[str, ...] = ()
    memory: int = 0
    scratch: int = 0
    futile: bool = False


def forecast(job: Job, run: Run = Run()) -> Forecast:
    """Tell what a job will take before it runs.

    Parameters
    ----------
    job : Job
    run : Run
        How it will run.
    """
    # At one position of the other axes.
    stack = job.data if isinstance(job.data, Stack) else job.data.stack()
    memory, scratch = _needs(job, stack, run)
    in_vain = _of_options(job, stack)
    warnings = [*_of_frames(job, stack), *in_vain]
    if scratch and (missing := _missing(scratch, run)):
        warnings.append(missing)
    need = f"needs about {size_text(memory)} of memory" if memory else ""
    if scratch:
        need += f" and {size_text(scratch)} of disk for a while"
    if job.step.entry.gives_frames:
        need = "frames are computed when they are shown"
    futile = bool(in_vain) or not stack.used.any()
    return Forecast(f"{_frames(job, stack)}; {need}", tuple(warnings), memory, scratch, futile)


def size_text(size: float) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> size_text(2**30), size_text(5_000_000)
    ('1.0 GiB', '4.8 MiB')
    """
    units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1000 and len(units) > 1:
        size /= 1024
        units.pop(0)
    unit = units[0]
    return f"{size:.0f} {unit}" if size >= 100 or unit == "bytes" else f"{size:.1f} {unit}"


def _frames(job: Job, stack: Stack) -> str:
    height, width = stack.shape[1:3]
    places = prod(job.data.loops.values())
    count = f"{len(stack)} frames" + (f" at {places} places" if places > 1 else "")
    return f"{count}, {width} x {height}, {_type(stack)}"


def _type(stack: Stack) -> str:
    """Say of what type the pixels are, and how many bits they need where that can be seen."""
    bits = _bits(stack)
    return f"{bits}-bit data in {stack.dtype}" if bits else str(stack.dtype)


def _bits(stack: Stack) -> int:
    """Bits of 16 that pixels need, from some in memory; 0 when they need all, or none is there."""
    source = stack.source
    while isinstance(source, WrappedSource):
        source = source.source
    if not isinstance(source, ArraySource) or type(source.data) is not np.ndarray:
        return 0
    if stack.dtype != np.uint16:
        return 0
    from napari_stack.core.pixels.bit_depth import bits_top

    data = source.data
    leading = tuple(slice(None, None, max(1, n // 3)) for n in source.leading)
    pixels = prod(len(range(n)[s]) for n, s in zip(source.leading, leading, strict=True))
    step = max(1, int(np.sqrt(pixels * prod(data.shape[len(leading) :]) / _MOST_VALUES)))
    seen = data[(*leading, slice(None, None, step), slice(None, None, step))]
    bits = int(bits_top(stack.dtype, float(seen.max()))).bit_length()
    return bits if bits < 16 else 0


def _needs(job: Job, stack: Stack, run: Run) -> tuple[int, int]:
    """Bytes of memory and of scratch that the pixels take, about."""
    height, width, *channels = stack.shape[1:]
    pixels = height * width * prod(channels or [1])
    if job.step.entry.gives_frames:
        return 0, 0
    results = prod(job.data.loops.values()) * pixels * (stack.dtype.itemsize + 4)
    if not job.step.entry.holds_bands(job.step.options):
        # A running state and the frames in flight, in the working type.
        return results + pixels * stack.working.itemsize * (run.threads + 4), 0
    used = int(stack.used.sum())
    if not used:
        return results, 0
    rows = band_rows(stack, used, run.memory)
    masked = may_be_invalid(stack)
    frame = frame_bytes(stack, masked=masked)
    memory, filed = frame * used * rows // height, 0
    if prod(job.data.loops.values()) == 1 and are_filed(results, run.memory):
        filed = results
    else:
        memory += results
    bands = [slice(a, min(a + rows, height)) for a in range(0, height, rows)]
    numbers = np.flatnonzero(stack.used)
    few = stack.select(numbers[np.linspace(0, used - 1, min(_FEW, used)).astype(int)])
    spooled = len(bands) > 1 and run.executor is None and reads_twice(few, bands)
    return memory, filed + (frame * used if spooled else 0)


def _missing(scratch: int, run: Run) -> str:
    try:
        free = free_scratch(run.scratch)
    except OSError:
        return f"the folder for scratch files, {run.scratch}, is not there: see the Preferences"
    if free >= scratch:
        return ""
    return (
        f"{size_text(free)} of disk are free for scratch files, which is not enough: give more "
        "memory or another folder in the Preferences"
    )


def _of_frames(job: Job, stack: Stack) -> list[str]:
    left = len(stack) - int(stack.used.sum())
    if left == len(stack):
        return ["no frame is used: all failed or were ticked off"]
    return [f"{left} of {len(stack)} frames failed or were ticked off, and are left out"] * (
        left > 0 and not job.step.entry.gives_frames
    )


def _of_options(job: Job, stack: Stack) -> list[str]:
    """Ask the operator's own rules."""
    options: dict[str, Any] = dict(job.step.options)
    found = []
    if (caution := job.step.entry.caution) is not None:
        found.append(resolve(caution)(int(stack.used.sum()), **options))
    if "reference" in options:
        try:
            reference_index(stack, options["reference"])
        except UserError as error:
            found.append(str(error))
    return [text for text in found if text]
