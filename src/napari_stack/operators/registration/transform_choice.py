"""What ``transform="auto"`` stands for: the motion that suits how frames came about."""

from collections.abc import Mapping
from typing import Any

from napari_stack.core.axis import usual_name
from napari_stack.core.stack import Stack
from napari_stack.files import reference_file
from napari_stack.files.exif import origin_of
from napari_stack.operators.registration.methods import Fourier, Imreg_dft, Phase
from napari_stack.operators.registration.refinement.motion_models import Transform

#: EXIF's tag of the camera's model.
_MODEL = 272

#: By methods that cannot measure every motion: the most that they can.
_MOST: dict[type, Transform] = {
    Phase: "translation",
    Fourier: "similarity",
    Imreg_dft: "similarity",
}


def suitable_transform(stack: Stack, method: Any = "auto") -> Transform:
    """Return the transform that suits frames.

    What is watched over time shifts and turns (rigid), a picture grows as the focus moves
    (similarity), a camera that is held by hand turns and tilts (homography). Of anything else it
    is the usual similarity. A method that cannot measure so much gets what it can.

    Parameters
    ----------
    stack : Stack
    method : Method or str
    """
    wanted = _of_frames(stack)
    most = _MOST.get(type(method))
    able = most is None or (wanted in ("rigid", "similarity") and most == "similarity")
    return wanted if able or most is None else most


def settled(stack: Stack, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that frames decide, as decided: the transform, where that is "auto"."""
    if options.get("transform") != "auto":
        return {}
    return {"transform": suitable_transform(stack, options.get("method", "auto"))}


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
