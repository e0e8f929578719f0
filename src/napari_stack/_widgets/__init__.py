"""The docks: one for every operator, and those that open, compute, look and repeat."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_stack._widgets._compute import ComputeNowDock
    from napari_stack._widgets._dock import OperatorDock
    from napari_stack._widgets._frames import FrameInspectorDock
    from napari_stack._widgets._open import OpenFramesDock
    from napari_stack._widgets._operators import (
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
    from napari_stack._widgets._others import ApplyToOthersDock
    from napari_stack._widgets._pixel import PixelInspectorDock
    from napari_stack._widgets._recipe import RecipeDock
    from napari_stack._widgets._surface import SurfaceDock

# The modules of the docks. Each is imported when its dock is first opened, so that a dock does not
# wait for what the others need.
_NAMES = {
    "_compute": "ComputeNowDock",
    "_dock": "OperatorDock",
    "_frames": "FrameInspectorDock",
    "_open": "OpenFramesDock",
    "_operators": """
        BalanceDock CombineDock CorrectBleachingDock
        CorrectFlatFieldDock CorrectVignettingDock DenoiseDock
        FindHotPixelsDock FocusSlabsDock FocusStackDock
        MovingAverageDock RegisterDock RepairHotPixelsDock
        SharpenDock SigmaClipDock TransformFramesDock
    """,
    "_others": "ApplyToOthersDock",
    "_pixel": "PixelInspectorDock",
    "_recipe": "RecipeDock",
    "_surface": "SurfaceDock",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'napari_stack._widgets' has no attribute {name!r}")
    return getattr(import_module(f"napari_stack._widgets.{_HOMES[name]}"), name)
