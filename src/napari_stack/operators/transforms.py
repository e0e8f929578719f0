"""`Transforms`: where every frame lies, as measured by a registration."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_FORMAT = "napari-stack transforms"
_CONVENTION = (
    "matrices[i] takes a point (x, y, 1) of the reference to the same object point in frame i; "
    "pixel centres lie at whole numbers"
)

#: Below this a matrix squeezes the image to nothing.
_LEAST_DETERMINANT = 1e-9


@dataclass(frozen=True, eq=False)
class Transforms:
    """Measured place of every frame.

    Parameters
    ----------
    matrices : ndarray, shape (n, 3, 3)
        ``matrices[i]`` takes a point (x, y, 1) of the reference to the same object point in
        frame i. Pixel centres lie at whole numbers.
    quality : ndarray, shape (n,)
        How surely a frame was found, 0 to 1: one less the share that the second-best place
        reaches of the correlation at the best.
    failed : ndarray of bool, shape (n,)
        Frames whose place was not found; their matrix is the identity.

    Examples
    --------
    >>> import numpy as np
    >>> shifts = np.tile(np.eye(3), (2, 1, 1))
    >>> shifts[1, 0, 2] = 5
    >>> Transforms(shifts).failed
    array([False, False])
    """

    matrices: NDArray[np.float64]
    quality: NDArray[np.float64] = None  # type: ignore[assignment]
    failed: NDArray[np.bool_] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        matrices = np.asarray(self.matrices, np.float64)
        if matrices.ndim != 3 or matrices.shape[1:] != (3, 3) or not np.isfinite(matrices).all():
            raise ValueError(f"matrices need the shape (n, 3, 3), all finite; got {matrices.shape}")
        n = len(matrices)
        if (flat := np.flatnonzero(np.abs(np.linalg.det(matrices)) < _LEAST_DETERMINANT)).size:
            raise ValueError(f"matrix {flat[0]} maps the image onto a line: it cannot be inverted")
        quality = np.ones(n) if self.quality is None else np.asarray(self.quality, np.float64)
        failed = np.zeros(n, bool) if self.failed is None else np.asarray(self.failed, bool)
        if quality.shape != (n,) or failed.shape != (n,):
            raise ValueError(f"quality and failed need one entry for each of the {n} frames")
        for name, value in (("matrices", matrices), ("quality", quality), ("failed", failed)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.matrices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Transforms) and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("matrices", "quality", "failed")
        )

    __hash__ = None  # type: ignore[assignment]

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames, in the order given."""
        return type(self)(self.matrices[frames], self.quality[frames], self.failed[frames])

    def join(self, others: Sequence[Self]) -> Self:
        """Return these followed by others."""
        every = (self, *others)
        return type(self)(
            np.concatenate([t.matrices for t in every]),
            np.concatenate([t.quality for t in every]),
            np.concatenate([t.failed for t in every]),
        )

    def then(self, later: "Transforms") -> Self:
        """Return the transforms of frames that were warped by these and registered once more."""
        return type(self)(
            self.matrices @ later.matrices,
            np.minimum(self.quality, later.quality),
            self.failed | later.failed,
        )

    def to_plain(self) -> dict[str, Any]:
        """Write them as plain data (JSON types)."""
        return {
            "format": _FORMAT,
            "version": 1,
            "convention": _CONVENTION,
            "frames": [
                {"matrix": matrix.tolist(), "quality": float(quality), "failed": bool(failed)}
                for matrix, quality, failed in zip(
                    self.matrices, self.quality, self.failed, strict=True
                )
            ],
        }

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write them to a JSON file.

        Parameters
        ----------
        path : str or Path
            Ends with ``.json``.
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending.
        """
        from napari_stack.files._replacing import replacing

        if Path(path).suffix.lower() != ".json":
            raise ValueError(f"{path}: transforms are written as .json")
        with replacing(Path(path), overwrite=overwrite) as temporary:
            temporary.write_text(json.dumps(self.to_plain(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read them from a JSON file.

        Raises
        ------
        ValueError
            When the file holds something else.
        """
        try:
            plain = json.loads(Path(path).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not a JSON file: {error}") from error
        if not isinstance(plain, dict) or plain.get("format") != _FORMAT:
            raise ValueError(f"{path} holds no transforms: it lacks the format {_FORMAT!r}")
        if plain.get("version") != 1:
            raise ValueError(f"{path} has the version {plain.get('version')}; 1 is read here")
        try:
            frames = plain["frames"]
            return cls(
                np.array([frame["matrix"] for frame in frames]),
                np.array([frame["quality"] for frame in frames]),
                np.array([frame["failed"] for frame in frames]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: it lacks matrix, quality or failed") from error
