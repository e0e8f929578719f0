"""The docks: one for every operator, and one that opens frames."""

from napari_stack._widgets._dock import OperatorDock
from napari_stack._widgets._open import OpenFramesDock


class RegisterDock(OperatorDock):
    """Dock of `napari_stack.register`."""

    operator = "register"
    main = ("transform", "method", "reference")


class CombineDock(OperatorDock):
    """Dock of `napari_stack.combine`."""

    operator = "combine"
    main = ("method",)


class SigmaClipDock(OperatorDock):
    """Dock of `napari_stack.sigma_clip`."""

    operator = "sigma_clip"
    main = ("sigma", "iterations")


class FocusStackDock(OperatorDock):
    """Dock of `napari_stack.focus_stack`."""

    operator = "focus_stack"


__all__ = [
    "CombineDock",
    "FocusStackDock",
    "OpenFramesDock",
    "OperatorDock",
    "RegisterDock",
    "SigmaClipDock",
]
