"""What ``transform="auto"`` stands for: the motion that suits how frames came about."""

from collections.abc import Mapping
from typing import Any

from napari_stack.core.axis import usual_name
from napari_stack.core.options import method_options, options_of
from napari_stack.core.stack import Stack
from napari_stack.files import reference_file
from napari_stack.files.exif import origin_of
from napari_stack.operators.registration.methods import MEASURABLE
from napari_stack.operators.registration.refinement.motion_models import Transform

#: EXIF's tag of the camera's model.
_MODEL = 272


def suitable_transform(stack: Stack, method: Any = None) -> Transform:
    """Return the transform that suits frames.

    What is watched over time shifts and turns (rigid), a picture grows as the focus moves
    (similarity), a camera that is held by hand turns and tilts (homography). Of anything else it
    is the usual similarity. A method that cannot measure so much gets what it can.

    Parameters
    ----------
    stack : Stack
    method : Method, optional
    """
    wanted = _of_frames(stack)
    able = MEASURABLE.get(type(method))
    return wanted if able is None or wanted in able else able[-1]


def settled(stack: Stack, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that frames decide, as decided: the transform, where that is "auto"."""
    if options.get("transform") != "auto":
        return {}
    from napari_stack.operators.registration.register import measure_transforms

    option = options_of(measure_transforms)["method"]
    method = method_options(option, options.get("method", option.default))
    return {"transform": suitable_transform(stack, method)}


def _of_frames(stack: Stack) -> Transform:
    known = usual_name(stack.axis)
    if known in ("t", "time"):
        return "rigid"
    if known != "z" and _photographs(stack):
        return "homography"
    return "similarity"


def _photographs(stack: Stack) -> bool:
    """Whether a camera took the frames, by the EXIF of the one that counts."""
    file = reference_file(stack)
    return file is not None and _MODEL in origin_of(file).main
