"""Cases: the operators on napari's layers, without a viewer."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scenes
from napari.layers import Image, Labels, Points, Shapes
from scenes import frames

from napari_stack import layers
from napari_stack.operators import CATALOGUE

#: Where the layers lie.
PLACE = {"scale": (2.0, 0.5, 0.5), "translate": (1.0, 10.0, 20.0), "axis_labels": ("t", "y", "x"),
         "units": ("second", "micrometer", "micrometer")}  # fmt: skip

#: Shifts of a registration whose transforms move other layers.
SHIFTED = {"transform": "translation", "method": "phase", "framing": "all"}


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    for operator in CATALOGUE:
        for kind in ("uint8", "uint16 rgb"):
            yield f"layers/{operator}/{kind}", partial(_single, operator, kind)
        yield f"layers/{operator}/hyperstack", partial(_several, operator)
    for kind in ("labels", "points", "shapes", "image"):
        for inverse in (False, True):
            yield (f"layers/apply_transforms/{kind}/{'back' if inverse else 'on'}",
                   partial(_moved, kind, inverse))  # fmt: skip
    yield (
        "layers/apply_transforms/measured",
        lambda: layers.apply_transforms(layer("uint8"), scenes.drift(5)),
    )
    yield "layers/compute_now/memory", lambda: layers.compute_now(_registered())
    yield (
        "layers/compute_now/zarr",
        lambda: layers.compute_now(_registered(), scenes.folder() / "now.zarr"),
    )
    yield (
        "layers/computed and clipped",
        lambda: layers.sigma_clip(layers.compute_now(_registered()), sigma=1.0),
    )
    for exaggeration in (0.0, 1.0, 3.0):
        yield f"layers/depth_surface/{exaggeration}", partial(_surface, exaggeration)
    yield "layers/to_layer", lambda: layers.to_layer(frames("drifting_cells"))
    yield "layers/to_layer/hyperstack", lambda: layers.to_layer(scenes.hyperstack(), "many")
    yield "layers/twice", lambda: layers.register(_registered(), transform="rigid")
    yield "layers/questions", _questions


def layer(kind: str, sample: str = "drifting_cells") -> Image:
    """Make a layer of a sample, of numpy arrays."""
    stack = frames(sample, kind)
    return Image(np.asarray(stack), name="cells", rgb=stack.rgb, **PLACE)


def _sample(operator: str) -> str:
    return "focus_series" if operator.startswith("focus") else "drifting_cells"


def _single(operator: str, kind: str) -> Any:
    return getattr(layers, operator)(layer(kind, _sample(operator)))


def _several(operator: str) -> Any:
    data = np.asarray(scenes.hyperstack())
    axis = "z" if operator.startswith("focus") else "t"
    many = Image(data, name="many", axis_labels=tuple("tczyx"), scale=(30, 1, 2, 0.25, 0.25))
    return getattr(layers, operator)(many, axis=axis)


def _registered() -> Image:
    return layers.register(layer("uint16"), **SHIFTED)


def _moved(kind: str, inverse: bool) -> Any:
    return layers.apply_transforms(_other(kind), _registered(), inverse=inverse)


def _other(kind: str) -> Any:
    if kind == "image":
        return layer("uint8")
    place = {name: PLACE[name] for name in ("scale", "translate", "axis_labels", "units")}
    if kind == "labels":
        return Labels((np.asarray(frames("drifting_cells", "uint8")) // 64).astype(int), **place)
    points = np.array([[t, 20.0 + 9 * t, 100.0 - 7 * t] for t in range(5)])
    if kind == "points":
        return Points(points, **place)
    box = [[0, 0], [0, 30], [20, 30], [20, 0]]
    boxes = [np.array([[t, y + 20 + t, x + 30] for y, x in box], float) for t in range(5)]
    kinds = ["rectangle", "ellipse", "polygon", "path", "rectangle"]
    return Shapes(boxes, shape_type=kinds, **place)


def _surface(exaggeration: float) -> Any:
    image, depth, *_ = layers.focus_stack(layer("uint8", "focus_series"))
    return layers.depth_surface(image, depth, exaggeration=exaggeration)


def _questions() -> Any:
    made, plain = _registered(), layer("uint8")
    asked = {"lazy": layers.is_lazy, "made here": layers.is_made_here, "kept": layers.is_preview}
    told = {name: f"{ask(made)} {ask(plain)}" for name, ask in asked.items()}
    return {**told, "axis": str(layers.default_axis("focus_stack", plain)),
            "limits": np.array(layers.show_limits(frames("drifting_cells")), float)}  # fmt: skip
