"""Looks of layers: axes, names, colours and ranges of stacks as napari shows them, and back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np
from napari.utils.colormaps import Colormap
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look, gradient, ramp, rgb_of
from napari_stack.core.units import plain_unit
from napari_stack.files.metadata import axis_from_plain

#: Key of a layer's metadata that is this project's.
KEY = "napari_stack"

#: Colour maps of napari that are ramps from black.
_RAMPS = {
    ramp(name): name for name in ("gray", "red", "green", "blue", "cyan", "magenta", "yellow")
}

_GREY = ("#000000", "#ffffff")


def shown(look: Look) -> dict[str, Any]:
    """Return the colour map of a look, as a layer takes it; nothing where no colours are known."""
    if not look.colours:
        return {}
    if look.colours in _RAMPS:
        return {"colormap": _RAMPS[look.colours]}
    nodes = np.array([rgb_of(colour) for colour in look.colours]) / 255
    controls = np.linspace(0, 1, len(nodes))
    return {"colormap": Colormap(nodes, name=f"{look.colours[0]} to {look.colours[-1]}",
                                 controls=controls)}  # fmt: skip


def look_of(layer: Any) -> Look:
    """Return how a layer is shown: its colours, unless it is grey, and its contrast limits."""
    if layer.rgb:
        return Look()
    table = np.rint(layer.colormap.map(np.linspace(0, 1, 256))[:, :3] * 255)
    colours = gradient(table)
    low, high = map(float, layer.contrast_limits)
    return Look(_told_name(layer), () if colours == _GREY else colours, (low, high))


def told_axes(layer: Any) -> dict[str, Axis]:
    """Return the axes of which a layer's metadata tell, by name."""
    told = _told(layer).get("axes")
    return {axis.name: axis for axis in _axes(told if isinstance(told, list) else ())}


def _axes(told: Any) -> Iterator[Axis]:
    for plain in told:
        with suppress(KeyError, TypeError, ValueError):  # written by another version
            yield axis_from_plain(plain)


def _told_name(layer: Any) -> str:
    return str(_told(layer).get("channel", ""))


def _told(layer: Any) -> Mapping[str, Any]:
    told = layer.metadata.get(KEY, {})
    return told if isinstance(told, Mapping) else {}


def layer_axes(axes: Sequence[Axis]) -> dict[str, Any]:
    """Return placement, units and axis labels as layers take them; no step is no size."""
    return {
        "scale": [axis.step if axis.step and isfinite(axis.step) else 1.0 for axis in axes],
        "translate": [axis.positions[0] if axis.positions else axis.start for axis in axes],
        "units": [plain_unit(axis.unit) for axis in axes],
        "axis_labels": [axis.name for axis in axes],
    }


def value_range(data: NDArray[Any], *, rgb: bool) -> tuple[float, float] | None:
    """Return the least and the greatest finite value, alpha left out, or None without any."""
    values = data[..., :3] if rgb else data
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if values.size else None


def spread(low: float, high: float) -> tuple[float, float]:
    """Return contrast limits that are apart, also where all values are the same."""
    narrow = 1e-6 * max(abs(low), abs(high))
    return low, high if high - low > narrow else low + max(1.0, narrow)
