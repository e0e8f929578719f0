"""`Stroke`: one stroke of a brush, and where the pixels that it paints come from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

import numpy as np

from napari_stack.core.errors import UserError, shortened

#: The source of a stroke that erases: the fused image as it was before any stroke.
FUSED: Final = "fused"


@dataclass(frozen=True)
class Slab:
    """Neighbouring frames, fused as the whole series is.

    Parameters
    ----------
    first, last : int
        Both belong to it.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not (is_whole(self.first) and is_whole(self.last) and 0 <= self.first <= self.last):
            raise UserError(
                f"a slab goes from a frame to a later one, counted from 0, got {self.first!r} to "
                f"{self.last!r}"
            )


@dataclass(frozen=True)
class Fusion:
    """Another fusion of the same frames.

    Parameters
    ----------
    options : mapping
        Options of `focus_stack` as plain data, such as ``{"method": "pyramid"}``.
    """

    options: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.options, Mapping):
            raise UserError(f"the options of a fusion must be given by name, got {self.options!r}")
        try:
            json.dumps(dict(self.options))
        except (TypeError, ValueError) as error:
            raise UserError(f"the options of a fusion must be plain data: {error}") from error
        object.__setattr__(self, "options", dict(self.options))


#: Where the pixels of a stroke come from: the number of a frame, frames, a fusion, or `FUSED`.
StrokeSource = int | Literal["fused"] | Slab | Fusion


@dataclass(frozen=True)
class Stroke:
    """One stroke of a round brush.

    Parameters
    ----------
    source : int, Slab, Fusion or "fused"
        The pixels that it puts there; "fused" erases what earlier strokes put there.
    points : sequence of (y, x)
        The line that the middle of the brush followed, in pixels of the registered frames.
    radius : float
        Of the brush, in pixels.
    position : mapping of str to int
        Its place on the axes that are not stacked; on those that are not named it is everywhere.
    """

    source: StrokeSource
    points: tuple[tuple[float, float], ...]
    radius: float
    position: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_source(self.source)
        if isinstance(self.source, np.integer):
            object.__setattr__(self, "source", int(self.source))
        object.__setattr__(self, "points", _points(self.points))
        if not _is_number(self.radius) or not 0 < self.radius <= 100_000:
            raise UserError(f"the radius of a stroke must be above 0 px, got {self.radius!r}")
        object.__setattr__(self, "radius", float(self.radius))
        named = isinstance(self.position, Mapping) and all(
            isinstance(name, str) and is_whole(at) and at >= 0 for name, at in self.position.items()
        )
        if not named:
            raise UserError(
                "the position of a stroke must be axes with numbers from 0, such as {'t': 2}, got "
                f"{self.position!r}"
            )
        object.__setattr__(self, "position", {n: int(at) for n, at in self.position.items()})

    def is_at(self, place: Mapping[str, int]) -> bool:
        """Whether it lies at a place, as far as that place and its position name the same axes."""
        return all(place[name] == at for name, at in self.position.items() if name in place)

    def to_json(self) -> dict[str, Any]:
        """Write it as plain data."""
        plain: dict[str, Any] = {"source": self.source}
        if isinstance(self.source, Slab | Fusion):
            plain["source"] = dict(vars(self.source))
        plain |= {"points": [list(point) for point in self.points], "radius": self.radius}
        return plain | ({"position": dict(self.position)} if self.position else {})

    @classmethod
    def from_json(cls, plain: Any) -> Self:
        """Read it from plain data."""
        if not isinstance(plain, Mapping) or not {"source", "points", "radius"} <= set(plain):
            raise UserError(f"it must hold source, points and radius, got {shortened(plain)}")
        if unknown := sorted(set(plain) - {"source", "points", "radius", "position"}):
            raise UserError(f"it has no {unknown[0]!r}; it takes source, points, radius, position")
        return cls(**{**plain, "source": _source(plain["source"])})


def _source(plain: Any) -> Any:
    for kind, names in ((Slab, {"first", "last"}), (Fusion, {"options"})):
        if isinstance(plain, Mapping) and set(plain) == names:
            return kind(**plain)
    return plain


def _check_source(source: Any) -> None:
    frame = is_whole(source) and source >= 0
    if not (frame or isinstance(source, Slab | Fusion) or source == FUSED):
        raise UserError(
            "the source of a stroke must be the number of a frame (from 0), a Slab(first, last), a "
            f"Fusion(options) or {FUSED!r}, got {shortened(source)}"
        )


def _points(points: Any) -> tuple[tuple[float, float], ...]:
    try:
        found = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        found = np.zeros((0, 0))
    if found.ndim != 2 or found.shape[1] != 2 or not len(found) or not np.isfinite(found).all():
        raise UserError(
            f"the points of a stroke must be (y, x), one or more, finite; got {shortened(points)}"
        )
    return tuple((float(y), float(x)) for y, x in found)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
