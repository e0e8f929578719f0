"""`warm`: compile what an operator needs before it is asked for."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.samples import drifting_cells

#: So many frames as 2.5 sigma needs to clip at all, and a size that every operator can work on.
_FRAMES, _VOLUMES, _SIZE = 9, 3, (96, 96)

#: A kernel, as "module:name", and the types of its arguments, as `signatures` writes them.
Call = tuple[str, list[Any]]


def warm(
    operator: str,
    *,
    dtype: DTypeLike = np.uint16,
    colours: bool = False,
    options: dict[str, Any] | None = None,
    run: Run = Run(),
) -> None:
    """Run an operator on a few tiny frames, so that its first real run need not wait.

    Kernels are compiled for the type of the pixels when they are first called, which takes
    seconds, and kept on disk; later processes only load them, which takes a part of a second.
    Call it in a thread while the user is still choosing.

    Parameters
    ----------
    operator : str
        Name in the catalogue.
    dtype : dtype
        Type of the pixels that will come.
    colours : bool
        Whether frames with three channels will come.
    options : dict, optional
        Options of the operator. By default the usual ones, and others that need other kernels.
    run : Run
        How to run; its tick can stop it.

    Raises
    ------
    ValueError
        When no operator has that name.
    """
    for stack, chosen in _runs(operator, np.dtype(dtype), colours, options):
        _try(operator, stack, run, chosen)


def recorded(operator: str, *, dtype: DTypeLike, colours: bool) -> list[list[Call]]:
    """Return what `warm` compiles: by run, which kernels are called and with which types.

    Runs are on frames as they are, then on floats with holes; so for each choice of options.
    """
    from napari_stack.core.system.kernel_cache import calls_listed
    from napari_stack.core.system.signatures import written

    found = []
    for stack, chosen in _runs(operator, np.dtype(dtype), colours, None):
        with calls_listed() as calls:
            _try(operator, stack, Run(workers=1), chosen)
        found.append([
            (f"{f.__module__}:{f.__name__}", [written(kind) for kind in kinds])
            for f, kinds in calls
        ])  # fmt: skip
    return found


def _runs(
    operator: str, dtype: np.dtype[Any], colours: bool, options: dict[str, Any] | None
) -> Iterator[tuple[Stack, Mapping[str, Any]]]:
    from napari_stack.operators import CATALOGUE

    if operator not in CATALOGUE:
        raise UserError(f"operator must be one of {', '.join(CATALOGUE)}, got {operator!r}")
    plain = _frames(dtype, colours)
    moved = plain.astype(np.result_type(plain.dtype, np.float32))
    moved[0, :2] = np.nan  # as frames are that were registered: floats with holes
    for chosen in (options,) if options else CATALOGUE[operator].precompile:
        for frames in (plain, moved):
            yield Stack.wrap(frames, rgb=colours), chosen


def _try(name: str, stack: Stack, run: Run, options: Mapping[str, Any]) -> None:
    from napari_stack.operators import CATALOGUE

    operator, subject = CATALOGUE[name], cast("Any", stack)
    if operator.output == "volumes":
        planes = np.asarray(stack)
        shaped = planes.reshape(_VOLUMES, -1, *planes.shape[1:])
        subject = Hyperstack.wrap(shaped, axes="tzyx", rgb=stack.rgb)
    try:
        result = operator(subject, run=run, **options)
    except UserError:  # it cannot do without more input: then there is nothing to prepare
        return
    if isinstance(result, Hyperstack):
        result = result.frames
    if isinstance(result, Stack):  # lazy: pixels are computed when they are asked for
        result[0]


def _frames(dtype: np.dtype[Any], colours: bool) -> NDArray[Any]:
    stack, _ = drifting_cells(_FRAMES, _SIZE, shift=2.0, rotation=0.2, scale=0.001, dtype="float32")
    data = np.asarray(stack)
    if dtype.kind in "ui":
        data = data * min(np.iinfo(dtype).max, 4095)
    data = (data > data.mean()) if dtype.kind == "b" else data.astype(dtype)
    return np.stack([data] * 3, axis=-1) if colours else data
