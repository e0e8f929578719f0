"""What is needed to retouch a fused layer: its frames, its images, the strokes that it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Layer
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.options_json import options_to_json
from napari_stack.core.stroke import Fusion
from napari_stack.core.strokes import Strokes
from napari_stack.engine.run import Run
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.jobs.job import Computed, Job
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.provenance import LayerReference, Link, link_of, results_of
from napari_stack.layers.stacks.read_layer import read_layer
from napari_stack.operators.focus.retouch.sources import FUSING
from napari_stack.recipe import Step

#: Options of the fusion that come after the strokes: painted on is the image before them.
_AFTER = ("denoise", "sharpen")


def strokes_of(layer: Layer) -> Strokes | None:
    """Return the strokes that a layer was retouched with in this session, or None."""
    made = link_of(layer)
    name = "" if made is None else _option(made.steps[-1])
    value = made.steps[-1].options.get(name) if made is not None and name else None
    try:
        return None if value is None else Strokes.of(value)
    except (OSError, UserError):  # its file is gone
        return None


def may_retouch(layer: Layer | None) -> bool:
    """Whether a layer is a fused image whose frames are known and there."""
    made = None if layer is None else link_of(layer)
    if made is None or made.kind != "image" or made.layer is None:
        return False
    return bool(_option(made.steps[-1]))


def other_fusions(layer: Layer, among: Iterable[Layer]) -> dict[str, Fusion]:
    """Return the fusions of the same frames with other options, by the names of their layers."""
    made = link_of(layer)
    if made is None or made.layer is None:
        return {}
    own, found = _fusing(made), {}
    for other, theirs in results_of(made.layer, among):
        same = theirs.kind == made.kind and theirs.steps[-1].operator == made.steps[-1].operator
        if same and (options := _fusing(theirs)) != own:
            found[other.name] = Fusion(options)
    return found


def _fusing(made: Link) -> dict[str, Any]:
    """Return how frames became one image, as plain data."""
    step = made.steps[-1]
    chosen = {name: value for name, value in step.options.items() if name in FUSING}
    return options_to_json(step.function, chosen)


def _option(step: Step) -> str:
    """Return the name of an operator's option that is strokes, or ""."""
    return next((n for n, o in step.entry.options.items() if o.kind is Strokes), "")


@dataclass(frozen=True, eq=False)
class Start:
    """A fused layer about to be retouched; made by `start`. It needs no layer while it computes.

    Parameters
    ----------
    job : Job
        Fuses as the layer was fused, without what comes after strokes.
    images : mapping of str to ndarray
        What the layer shows, where that is what is painted on; else it is fused anew.
    original : mapping of str to ndarray
        The same before any stroke, where it is known.
    strokes : Strokes
        That it has.
    name : str
        Of the layer.
    option : str
        Of the operator: the one that is strokes.
    """

    job: Job
    images: Mapping[str, Any]
    original: Mapping[str, Any]
    strokes: Strokes
    name: str
    option: str

    def compute(self, run: Run = Run()) -> Computed:
        """Copy the images, or fuse them where the layer shows them denoised or sharpened."""
        if not self.images:
            return self.job.compute(run)
        images = {kind: np.array(image) for kind, image in self.images.items()}
        return Computed(self.job.step, None, images, self.job.limits(images))

    def finish(self, computed: Computed) -> list[Any]:
        """Make the layers that are painted on, the picture first."""
        made = self.job.finish(computed)
        for layer, kind in zip(made, computed.images, strict=True):
            layer.name = f"{self.name} - retouched" + ("" if kind == "image" else f" - {kind}")
        return made


def start(layer: Any) -> Start:
    """Look up what is needed to retouch a fused layer.

    Raises
    ------
    ValueError
        For a layer that is no fused image, or whose frames are gone.
    """
    made = link_of(layer)
    if made is None or not may_retouch(layer):
        raise UserError(
            f"{layer.name!r} is no focus-stacked image whose frames are in the viewer: focus-stack "
            "them first, and keep their layer"
        )
    frames, step = made.layer, made.steps[-1]
    if step.measure_at:
        raise UserError(
            f"{layer.name!r} was fused along {', '.join(step.measure_at)} by the depth of one "
            "place, which cannot be retouched place by place: fuse the frames again with "
            "'Measure at: each position' (in scripts without measure_at), and retouch that"
        )
    after = [name for name in _AFTER if step.options.get(name)]
    step = replace(step, options={n: v for n, v in step.options.items() if n not in after})
    job = Job(read_layer(frames), Appearance.of(frames), step, {}, LayerReference.of(frames))
    images = {} if after else _images(made, layer, job.data.number)
    strokes = strokes_of(layer) or Strokes()
    known = {} if len(strokes) else images
    return Start(job, images, known, strokes, layer.name, _option(step))


def _images(made: Link, layer: Any, stacked: int) -> dict[str, NDArray[Any]]:
    """Return the images that were made together, without the axis that stands for the frames."""
    kinds = {kind: made.image(kind) for kind in made.others}
    kinds[made.kind] = full_resolution(layer)
    there = {kind: image for kind, image in kinds.items() if image is not None}
    return {kind: image[(slice(None),) * stacked + (0,)] if stacked else image
            for kind, image in there.items()}  # fmt: skip
