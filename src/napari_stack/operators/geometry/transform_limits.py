"""`check_motion`: which forms of file hold which motion, known before it is measured."""

from pathlib import Path

from napari_stack.core.errors import UserError

_BEYOND_MATRICES = {"smooth", "rows", "z shifts"}
_LACKS = {
    ".zarr": {"rows", "z shifts", "homography"},
    ".csv": _BEYOND_MATRICES,
    ".npy": _BEYOND_MATRICES,
    ".txt": _BEYOND_MATRICES | {"affine", "homography"},
}


def check_motion(path: str | Path, motions: set[str]) -> None:
    """Refuse a form of file that cannot hold what is going to be measured.

    Parameters
    ----------
    path : path
    motions : set of str
        ``"affine"``, ``"homography"``, ``"smooth"``, ``"rows"``, ``"z shifts"`` and others.

    Raises
    ------
    UserError
        With the forms that hold it.
    """
    if lacking := motions & _LACKS.get(Path(path).suffix.lower(), set()):
        named = " and ".join(sorted(lacking))
        raise UserError(f"{path}: this form does not hold {named}: name a .json or .npz file")
