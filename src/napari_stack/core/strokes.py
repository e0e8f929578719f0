"""`Strokes`: what the user painted on a fused image, and from which frames its pixels come."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np

from napari_stack.core.errors import UserError, shortened
from napari_stack.core.stroke import Slab, Stroke, StrokeSource, is_whole

_FORMAT, _VERSION = "napari-stack strokes", 1


@dataclass(frozen=True)
class Strokes:
    """Strokes in the order in which they were painted; a later one covers an earlier one.

    Parameters
    ----------
    strokes : sequence of Stroke
    frames : int, optional
        How many frames there were when they were painted.
    size : (int, int), optional
        Height and width of those frames.

    Examples
    --------
    >>> strokes = Strokes((Stroke(3, [(10, 20), (10, 40)], radius=8),))
    >>> strokes.to_json()["strokes"]
    [{'source': 3, 'points': [[10.0, 20.0], [10.0, 40.0]], 'radius': 8.0}]
    >>> Strokes.of(strokes.to_json()) == strokes
    True
    """

    strokes: tuple[Stroke, ...] = ()
    frames: int | None = None
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "strokes", tuple(self.strokes))
        if not all(isinstance(stroke, Stroke) for stroke in self.strokes):
            raise UserError("strokes must be a sequence of Stroke(source, points, radius)")
        if self.frames is not None and not (is_whole(self.frames) and self.frames > 0):
            raise UserError(f"the number of frames must be 1 or more, got {self.frames!r}")
        if self.size is not None:
            object.__setattr__(self, "size", _size(self.size))

    def __len__(self) -> int:
        return len(self.strokes)

    def __iter__(self) -> Iterator[Stroke]:
        return iter(self.strokes)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Read strokes from plain data, from a sequence of `Stroke`, or from a .json file.

        Raises
        ------
        ValueError
            For anything else.
        """
        if isinstance(value, Strokes):
            return cls(value.strokes, value.frames, value.size)
        if isinstance(value, str | Path):
            return cls._load(Path(value))
        if isinstance(value, list | tuple):
            return cls(tuple(_stroke(number, each) for number, each in enumerate(value)))
        if not isinstance(value, Mapping) or not isinstance(value.get("strokes"), list | tuple):
            raise UserError(
                "strokes must be Strokes(...), a list of strokes or the path of a .json file of "
                f"them, got {shortened(value)}"
            )
        if value.get("format", _FORMAT) != _FORMAT or value.get("version", _VERSION) != _VERSION:
            raise UserError(
                f"the format {_FORMAT!r}, version {_VERSION}, is read; got "
                f"{value.get('format')!r}, version {value.get('version')!r}"
            )
        strokes = tuple(_stroke(number, each) for number, each in enumerate(value["strokes"]))
        return cls(strokes, value.get("frames"), value.get("size"))

    @classmethod
    def _load(cls, path: Path) -> Self:
        path = path.expanduser()
        try:
            return cls.of(json.loads(path.read_text(encoding="utf-8-sig")))
        except ValueError as error:  # no JSON, or no strokes
            raise UserError(f"{path} holds no strokes: {error}") from error

    def to_json(self) -> dict[str, Any]:
        """Write them as plain data (JSON types)."""
        known = {"frames": self.frames, "size": list(self.size) if self.size else None}
        plain = {"format": _FORMAT, "version": _VERSION}
        plain |= {name: value for name, value in known.items() if value is not None}
        return {**plain, "strokes": [stroke.to_json() for stroke in self.strokes]}

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write them to a .json file.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending.
        """
        from napari_stack.core.system.atomic_write import write_text

        text = json.dumps(self.to_json(), indent=1) + "\n"
        write_text(path, text, overwrite=overwrite, ending=".json", said="strokes are")

    def at(self, place: Mapping[str, int]) -> "Strokes":
        """Return those at a place on other axes; its axes are no longer part of their positions."""
        kept = [stroke for stroke in self.strokes if stroke.is_at(place)]
        rest = [{n: at for n, at in stroke.position.items() if n not in place} for stroke in kept]
        moved = [replace(s, position=left) for s, left in zip(kept, rest, strict=True)]
        return replace(self, strokes=tuple(moved))

    def renamed(self, called: Callable[[str], str]) -> "Strokes":
        """Return them with other names of the axes in their positions."""
        moved = [
            replace(stroke, position={called(name): at for name, at in stroke.position.items()})
            for stroke in self.strokes
        ]
        return replace(self, strokes=tuple(moved))

    def check_places(self, loops: Mapping[str, int]) -> None:
        """Refuse strokes at places that are not there.

        Parameters
        ----------
        loops : mapping of str to int
            Lengths of the axes that are not stacked.
        """
        for number, stroke in enumerate(self.strokes):
            for name, at in stroke.position.items():
                if name not in loops:
                    raise UserError(
                        f"stroke {number} lies at {name}={at}; the axes beside the one that is "
                        f"stacked are {', '.join(loops) or 'none'}: take Strokes.at({{...}}), or "
                        "the data that it was painted on"
                    )
                if at >= loops[name]:
                    raise UserError(
                        f"stroke {number} lies at {name}={at}; there are {loops[name]}, from 0"
                    )

    def check_fit(self, frames: int, size: tuple[int, int]) -> None:
        """Refuse strokes that were painted on other frames, or that lie outside of these.

        Parameters
        ----------
        frames : int
            How many frames there are.
        size : (int, int)
            Their height and width.
        """
        if self.frames not in (None, frames):
            raise UserError(
                f"the strokes were painted on {self.frames} frames, and these are {frames}: give "
                "all frames that they were painted on (tick off what is not wanted)"
            )
        if self.size is not None and self.size != tuple(size):
            raise UserError(
                f"the strokes were painted on frames of {_by(self.size)} px, and these are "
                f"{_by(size)}: register and crop them as they were then, or paint anew"
            )
        for number, stroke in enumerate(self.strokes):
            if (last := _last_frame(stroke.source)) >= frames:
                raise UserError(
                    f"stroke {number} takes frame {last}; there are the frames 0 to {frames - 1}"
                )
            if not _touches(stroke, size):
                y, x = stroke.points[0]
                raise UserError(
                    f"stroke {number} at y={y:g}, x={x:g} lies outside of the frames, which have "
                    f"{_by(size)} px: points are (y, x)"
                )


class _StrokesSource:
    """Marks an option that is strokes."""


#: Strokes given as an option: themselves, plain data, or the path of a .json file.
StrokesSource = Annotated[
    Strokes | Mapping[str, Any] | list[Any] | Path | str | None, _StrokesSource
]


def strokes_error(value: Any) -> str | None:
    """Say what is wrong with a value of an option that is strokes, or None; no file is read."""
    if value is None or isinstance(value, str | Path | Strokes):
        return None
    try:
        Strokes.of(value)
    except UserError as error:
        return f"does not fit: {error}"
    return None


def _stroke(number: int, value: Any) -> Stroke:
    if isinstance(value, Stroke):
        return value
    try:
        return Stroke.from_json(value)
    except UserError as error:
        raise UserError(f"stroke {number}: {error}") from error


def _size(size: Any) -> tuple[int, int]:
    if isinstance(size, list | tuple) and len(size) == 2 and all(map(is_whole, size)):
        return int(size[0]), int(size[1])
    raise UserError(f"the size of frames must be their height and width, got {size!r}")


def _last_frame(source: StrokeSource) -> int:
    if isinstance(source, Slab):
        return source.last
    return source if isinstance(source, int) else -1


def _touches(stroke: Stroke, size: tuple[int, int]) -> bool:
    """Whether the brush reaches the middle of some pixel."""
    low, high = np.min(stroke.points, axis=0), np.max(stroke.points, axis=0)
    return bool(
        (high + stroke.radius >= 0).all() and (low - stroke.radius <= np.array(size) - 1).all()
    )


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
