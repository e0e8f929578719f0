"""The docks of the operators: which options are always in view."""

from napari_stack._widgets.docks.operator import OperatorDock


class RegisterDock(OperatorDock):
    """Dock of `napari_stack.register`."""

    operator = "register"
    main = ("transform", "method", "reference")


class BalanceDock(OperatorDock):
    """Dock of `napari_stack.balance`."""

    operator = "balance"
    main = ("channels", "mapping", "reference")


class CorrectVignettingDock(OperatorDock):
    """Dock of `napari_stack.correct_vignetting`."""

    operator = "correct_vignetting"
    main = ("model", "scene")


class CorrectFlatFieldDock(OperatorDock):
    """Dock of `napari_stack.correct_flat_field`."""

    operator = "correct_flat_field"
    main = ("flat", "dark")


class CorrectBleachingDock(OperatorDock):
    """Dock of `napari_stack.correct_bleaching`."""

    operator = "correct_bleaching"
    main = ("method",)


class FindHotPixelsDock(OperatorDock):
    """Dock of `napari_stack.find_hot_pixels`."""

    operator = "find_hot_pixels"
    main = ("thresholds", "kind")


class RepairHotPixelsDock(OperatorDock):
    """Dock of `napari_stack.repair_hot_pixels`."""

    operator = "repair_hot_pixels"
    main = ("mask", "method")


class CombineDock(OperatorDock):
    """Dock of `napari_stack.combine`."""

    operator = "combine"
    main = ("method",)


class SigmaClipDock(OperatorDock):
    """Dock of `napari_stack.sigma_clip`."""

    operator = "sigma_clip"
    main = ("sigma", "iterations")


class MovingAverageDock(OperatorDock):
    """Dock of `napari_stack.moving_average`."""

    operator = "moving_average"
    main = ("frames",)


class FocusStackDock(OperatorDock):
    """Dock of `napari_stack.focus_stack`."""

    operator = "focus_stack"
    main = ("method",)


class DenoiseDock(OperatorDock):
    """Dock of `napari_stack.denoise`."""

    operator = "denoise"
    main = ("strength",)


class SharpenDock(OperatorDock):
    """Dock of `napari_stack.sharpen`."""

    operator = "sharpen"
    main = ("amount", "radius")


class FocusSlabsDock(OperatorDock):
    """Dock of `napari_stack.focus_slabs`."""

    operator = "focus_slabs"
    main = ("frames", "overlap", "method")


class TransformFramesDock(OperatorDock):
    """Dock of `napari_stack.transform_frames`."""

    operator = "transform_frames"
    main = ("rotate", "crop", "resize")
