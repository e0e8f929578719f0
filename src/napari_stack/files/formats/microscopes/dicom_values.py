"""Numbers in the header of a DICOM: where these are damaged, pydicom hands out lists or nothing."""

from typing import Any

from napari_stack.core.errors import UserError


def whole(header: Any, name: str, default: int = 0) -> int:
    """Return a whole number, or the default where it is not noted."""
    return int(real(header, name, default))


def real(header: Any, name: str, default: float = 0.0) -> float:
    """Return a number, or the default where it is not noted."""
    value = header.get(name)
    if value is None or value == "":
        return default
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise UserError(f"its {name} is {value!r}, which is no number") from error


def reals(header: Any, name: str, count: int = 0) -> list[float]:
    """Return numbers, none where they are not noted, or not as many as are needed."""
    values = header.get(name)
    if values is None or values == "":
        return []
    try:
        found = [float(value) for value in values]
    except (TypeError, ValueError):
        return []
    return found if count in (0, len(found)) else []
