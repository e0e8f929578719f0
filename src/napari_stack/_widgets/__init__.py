"""The docks: one for every operator, and those that open, compute, look and repeat."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_stack._widgets.docks.apply_to_others import ApplyToOthersDock
    from napari_stack._widgets.docks.compute_now import ComputeNowDock
    from napari_stack._widgets.docks.frame_inspector import FrameInspectorDock
    from napari_stack._widgets.docks.open_frames import OpenFramesDock
    from napari_stack._widgets.docks.operator import OperatorDock
    from napari_stack._widgets.docks.operators import (
        BalanceDock,
        CombineDock,
        CorrectBleachingDock,
        CorrectFlatFieldDock,
        CorrectVignettingDock,
        DenoiseDock,
        FindHotPixelsDock,
        FocusSlabsDock,
        FocusStackDock,
        MovingAverageDock,
        RegisterDock,
        RepairHotPixelsDock,
        SharpenDock,
        SigmaClipDock,
        TransformFramesDock,
    )
    from napari_stack._widgets.docks.pixel_inspector import PixelInspectorDock
    from napari_stack._widgets.docks.recipe import RecipeDock
    from napari_stack._widgets.docks.surface import SurfaceDock

# The modules of the docks. Each is imported when its dock is first opened, so that a dock does not
# wait for what the others need.
_NAMES = {
    "docks.compute_now": "ComputeNowDock",
    "docks.operator": "OperatorDock",
    "docks.frame_inspector": "FrameInspectorDock",
    "docks.open_frames": "OpenFramesDock",
    "docks.operators": """
        BalanceDock CombineDock CorrectBleachingDock
        CorrectFlatFieldDock CorrectVignettingDock DenoiseDock
        FindHotPixelsDock FocusSlabsDock FocusStackDock
        MovingAverageDock RegisterDock RepairHotPixelsDock
        SharpenDock SigmaClipDock TransformFramesDock
    """,
    "docks.apply_to_others": "ApplyToOthersDock",
    "docks.pixel_inspector": "PixelInspectorDock",
    "docks.recipe": "RecipeDock",
    "docks.surface": "SurfaceDock",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_stack._widgets' has no attribute {name!r}")
    return getattr(import_module(f"napari_stack._widgets.{_HOMES[name]}"), name)
