"""`PointPairs`: points that the user matched between the reference and other frames."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError, shortened

#: What a row holds, and the first line of a .csv file.
COLUMNS = ("frame", "reference_x", "reference_y", "frame_x", "frame_y")


class _PairsSource:
    """Marks an option that is pairs of points."""


#: Pairs of points given as an option: a mapping, an array, the path of a file, or, in napari, two
#: layers.
PairsSource = Annotated[
    Mapping[int, Any] | np.ndarray | list[Any] | Path | str | None, _PairsSource
]


@dataclass(frozen=True, eq=False)
class PointPairs:
    """Points on the reference and the same object points on other frames.

    Parameters
    ----------
    rows : ndarray, shape (n, 5)
        A pair a row: number of the frame, x and y on the reference, x and y on the frame.

    Examples
    --------
    >>> PointPairs.of({3: [(10, 20, 12.5, 19)]}).to_json()
    [[3, 10.0, 20.0, 12.5, 19.0]]
    """

    rows: NDArray[np.float64]

    @classmethod
    def of(cls, value: Any) -> Self:
        """Read pairs from a mapping of frame to pairs, from rows, or from a file of either.

        Raises
        ------
        ValueError
            For anything else.
        """
        if isinstance(value, PointPairs):
            return cls(value.rows)
        if isinstance(value, str | Path):
            return cls._load(Path(value))
        try:
            rows = _rows(value)
        except (TypeError, ValueError):
            rows = np.zeros((1, 0))
        if rows.ndim != 2 or rows.shape[1] != len(COLUMNS) or not np.isfinite(rows).all():
            raise UserError(
                "pairs of points must be {frame: [(x, y, x, y), ...]}, or rows of "
                f"{', '.join(COLUMNS)}, all finite; got {shortened(value)}"
            )
        if ((odd := rows[:, 0] % 1 != 0) | (rows[:, 0] < 0)).any():
            wrong = rows[odd | (rows[:, 0] < 0)][0, 0]
            raise UserError(f"pairs of points name frame {wrong:g}: frames count from 0")
        return cls(rows)

    @classmethod
    def _load(cls, path: Path) -> Self:
        path = path.expanduser()
        text = path.read_text(encoding="utf-8-sig")
        try:
            if path.suffix.lower() == ".json":
                return cls.of(json.loads(text))
            head, *lines = [line for line in csv.reader(text.splitlines()) if line]
            if tuple(name.strip() for name in head) != COLUMNS:
                raise UserError(f"a .csv of points begins with the line {','.join(COLUMNS)}")
            return cls.of([[float(cell) for cell in line] for line in lines])
        except ValueError as error:
            raise UserError(f"{path} holds no pairs of points: {error}") from error

    def by_frame(self) -> dict[int, NDArray[np.float64]]:
        """Return the pairs (x, y, x, y) of each frame that has some."""
        frames = self.rows[:, 0].astype(int)
        return {int(frame): self.rows[frames == frame, 1:] for frame in np.unique(frames)}

    def to_json(self) -> list[list[float]]:
        """Write them as plain rows, in the order given."""
        return [[int(frame), *pair] for frame, *pair in self.rows.tolist()]


def pairs_error(value: Any) -> str | None:
    """Say what is wrong with a value of an option that is pairs, or None; no file is read."""
    if value is None or isinstance(value, str | Path):
        return None
    try:
        PointPairs.of(value)
    except UserError as error:
        return f"does not fit: {error}"
    return None


def _rows(value: Any) -> NDArray[np.float64]:
    if not isinstance(value, Mapping):
        rows = np.asarray(value, np.float64)
        return rows.reshape(-1, len(COLUMNS)) if rows.size == 0 else rows
    parts = [np.zeros((0, len(COLUMNS)))]
    for frame, pairs in value.items():
        found = np.asarray(pairs, np.float64).reshape(len(pairs), 4)
        parts.append(np.column_stack([np.full(len(found), float(frame)), found]))
    return np.concatenate(parts)
