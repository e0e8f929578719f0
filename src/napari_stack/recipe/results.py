"""Results of steps in files: refused before the work when they cannot be written, then written."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.operator import resolve
from napari_stack.core.results import images_of
from napari_stack.core.stack import Stack
from napari_stack.core.system.atomic_write import refuse_existing, replacing, require_parent_folder
from napari_stack.core.system.home import at_home
from napari_stack.engine.run import Run
from napari_stack.files import check_target, named_layers, why_no_layers, write
from napari_stack.files.provenance import refuse_inputs
from napari_stack.recipe.step import Data, Step

#: In the name of an output it stands for the image's name: image, rejected, depth, ...
_PLACE = "{image}"
_ANY_PLACE = re.compile(r"\{\w*\}")


def output_paths(path: Path, step: Step) -> dict[str, Path]:
    """Pair each image of a step's result with its file: all where the name has a place for it.

    Frames, which go to one file or folder, are called "".
    """
    names: Sequence[str] = step.image_names or ("",)
    if not step.image_names or _PLACE not in path.name:
        return {names[0]: path}
    return {name: path.with_name(path.name.replace(_PLACE, name)) for name in names}


def check_outputs(
    path: Path,
    step: Step,
    data: Data,
    *,
    overwrite: bool = False,
    layered: bool = False,
    writing: Mapping[str, Any] | None = None,
) -> None:
    """Refuse, before a frame is computed, what writing the result would refuse after the work.

    Parameters
    ----------
    path : Path
        Where the result goes, as for `save_result`.
    step : Step
    data : Stack or Hyperstack
        What the step will be applied to.
    overwrite : bool
    layered : bool
        Layers go into the file of the first image.
    writing : mapping, optional
        See `save_result`.

    Raises
    ------
    OSError, ValueError
        See `napari_stack.write` and `Step.with_stacked_axis`.
    """
    placed = step.with_stacked_axis(data)
    _check_places(path, step)
    how: dict[str, Any] = {"overwrite": overwrite, **(writing or {})}
    targets = output_paths(at_home(path), step)
    refuse_inputs(targets.values(), data)
    for number, (name, target) in enumerate(targets.items()):
        if step.entry.kind == "table":
            _check_table(target, overwrite)
            continue
        if not name:  # frames keep the type, the number and the labels of those they are made of
            check_target(target, data=step.predicted_output(data), **how)
            continue
        if not target.suffix:
            raise UserError(f"{target} names no file for an image: add a suffix, as {target}.tif")
        if target.is_dir():
            raise IsADirectoryError(f"{target} is a folder: name a file for the image")
        image, axes = predicted_image(step, name, placed), step.image_axes(placed)
        kind = _channels(len(image[1]), axes, placed)
        first = layered and number == 0
        check_target(target, data=image, axes=axes, layered=first, **kind, **how)


def lacking(steps: Iterable[Step]) -> str:
    """Say what is not installed that files of some steps need, with the command; "" for nothing."""
    return why_no_layers() if any(step.layers for step in steps) else ""


def _check_table(path: Path, overwrite: bool) -> None:
    if path.suffix.lower() != ".csv":
        raise UserError(f"{path}: a table is written as .csv")
    refuse_existing(path, overwrite)
    require_parent_folder(path)


def _check_places(path: Path, step: Step) -> None:
    """Refuse a name with a place that nothing would fill: rather than a file called by it."""
    known = [_PLACE] if step.image_names else []
    for place in _ANY_PLACE.findall(path.name):
        if place not in known:
            none = f"{step.entry.kind} have none"
            what = f"{_PLACE} stands for the name of each image" if known else none
            raise UserError(f"{path} has {place} in its name, which stands for nothing: {what}")


def predicted_image(step: Step, name: str, placed: Data) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Type and shape of an image that a step makes.

    It is given the channels of the frames. A map has none, but channels matter to a PNG only, and
    the maps there are hold numbers that no PNG can hold.
    """
    loops = placed.loops.values()
    return _dtype(step, name, placed), (*loops, *placed.frames.shape[1:])


def _dtype(step: Step, name: str, data: Data) -> np.dtype[Any]:
    """Type of an image that a step makes: the one of its annotation, else that of the frames."""
    known = step.entry.parts[name].dtype
    if known is not None:
        return known
    if step.entry.result_dtype is None:
        return data.dtype
    return np.dtype(resolve(step.entry.result_dtype)(data.dtype, **step.options))


def save_result(
    path: Path,
    result: Any,
    step: Step,
    data: Data,
    recipe: Mapping[str, Any],
    *,
    overwrite: bool = False,
    run: Run = Run(),
    layers: Mapping[str, Any] | None = None,
    writing: Mapping[str, Any] | None = None,
) -> dict[Path, str]:
    """Write the result of a step, with the recipe that made it; all of its images or none.

    Parameters
    ----------
    path : Path
        File, or folder for frames; ``{image}`` in its name stands for the name of each image.
    result : Stack, Hyperstack, ndarray or NamedTuple of ndarray
        What `Step.apply` gave.
    step : Step
    data : Stack or Hyperstack
        What it was made of.
    recipe : mapping
        Plain data that is kept in the files.
    overwrite : bool
    run : Run
    layers : mapping of str to object, optional
        Stacks and results that go as layers into the file of the first image.
    writing : mapping, optional
        More options of `napari_stack.write`: quality, exif_from (by default the frames), names.

    Returns
    -------
    dict of Path to str
        The files, or the folder, that were written, and what is in each.
    """
    how: dict[str, Any] = {"overwrite": overwrite, "recipe": recipe, **(writing or {})}
    if isinstance(result, Stack | Hyperstack):
        write(path, result, **how, run=run)
        return {path: _described(result)}
    if step.entry.kind == "table":
        result.save(path, overwrite=overwrite)
        return {path: f"table of {len(result)} lines"}
    how = {"exif_from": data, **how}
    images, axes = images_of(result), step.image_axes(data)
    targets = output_paths(at_home(path), step)
    with ExitStack() as stack:
        for number, (name, target) in enumerate(targets.items()):
            image, part = images[name], run.part(number, len(targets))
            temporary = stack.enter_context(replacing(target, overwrite=overwrite))
            kind = _channels(image.ndim, axes, data)
            kind |= {"look": _look(image, data)} if name == "image" else {}
            inside = named_layers({step.operator: image, **layers}) if layers else None
            layers = None  # only those of the first image
            if number:  # no recipe can go on from it as from the picture
                how["recipe"] = {**recipe, "image": name}
            with _named(temporary, target):
                write(temporary, image, axes=axes, layers=inside, **kind, **how, run=part)
    return {target: _described(images[name]) for name, target in targets.items()}


def _look(image: Any, data: Data) -> Look:
    """Return how frames are shown, for an image of them: in their range, if its type is theirs."""
    look = data.frames.look
    return look if image.dtype == data.dtype else replace(look, limits=None)


def _described(result: Any) -> str:
    """Say how large frames or an image are, and of what type."""
    return f"{tuple(map(int, result.shape))} {result.dtype}"


def _channels(ndim: int, axes: Sequence[Axis], data: Data) -> dict[str, Any]:
    """Tell what the channels of an image are: those of the frames, where it has any."""
    frames, some = data.frames, ndim == len(axes) + 1
    made = some and frames.ndim == 3  # colours that the frames had in a mosaic
    return {"rgb": (frames.rgb or made) and some, "alpha": frames.alpha and some}


@contextmanager
def _named(temporary: Path, target: Path) -> Iterator[None]:
    """Name in errors the file that was asked for, not the temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # `replacing` names the file itself
            raise
        raise type(error)(str(error).replace(str(temporary), str(target))) from error
