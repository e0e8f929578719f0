"""The docks: one for every operator, and those that open, compute, look and repeat."""

from functools import cache
from typing import TYPE_CHECKING, Any

from napari_stack.core.operator import resolve
from napari_stack.operators import CATALOGUE, Operator

if TYPE_CHECKING:
    from napari_stack._widgets.docks.apply_to_others import ApplyToOthersDock
    from napari_stack._widgets.docks.compute_now import ComputeNowDock
    from napari_stack._widgets.docks.frame_inspector import FrameInspectorDock
    from napari_stack._widgets.docks.open_frames import OpenFramesDock
    from napari_stack._widgets.docks.operator import OperatorDock
    from napari_stack._widgets.docks.pixel_inspector import PixelInspectorDock
    from napari_stack._widgets.docks.recipe import RecipeDock
    from napari_stack._widgets.docks.retouch import RetouchDock
    from napari_stack._widgets.docks.stack import StackDock
    from napari_stack._widgets.docks.surface import SurfaceDock

# The modules of the docks. Each is imported when its dock is first opened, so that a dock does not
# wait for what the others need.
_HOMES = {
    "ApplyToOthersDock": "apply_to_others",
    "ComputeNowDock": "compute_now",
    "FrameInspectorDock": "frame_inspector",
    "OpenFramesDock": "open_frames",
    "OperatorDock": "operator",
    "PixelInspectorDock": "pixel_inspector",
    "RecipeDock": "recipe",
    "RetouchDock": "retouch",
    "StackDock": "stack",
    "SurfaceDock": "surface",
}


def dock_name(operator: str) -> str:
    """Name of an operator's dock in this package, as manifests give it.

    Examples
    --------
    >>> dock_name("sigma_clip")
    'SigmaClipDock'
    """
    return "".join(word.capitalize() for word in operator.split("_")) + "Dock"


@cache
def _operator_dock(operator: str, entry: Operator) -> Any:
    table = f"{__name__}.docks.table:TableDock"
    base = resolve(table) if entry.output == "table" else __getattr__("OperatorDock")
    text = f"Dock of the operator `{operator}`."
    shown = {"operator": operator, "main": entry.main, "__doc__": text, "__module__": __name__}
    return type(dock_name(operator), (base,), shown)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return resolve(f"{__name__}.docks.{_HOMES[name]}:{name}")
    if name == "__all__":
        return sorted([*_HOMES, *map(dock_name, CATALOGUE)])
    if name.endswith("Dock"):
        for operators in (CATALOGUE.own, CATALOGUE):
            for operator in operators:
                if dock_name(operator) == name:
                    return _operator_dock(operator, CATALOGUE[operator])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
