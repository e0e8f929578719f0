"""`Transforms`: where every frame lies, as measured by a registration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError

if TYPE_CHECKING:
    from napari_stack.operators.geometry.decomposition import Decomposed

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
    size : tuple of int, optional
        Height and width of a frame, as measured.
    pixel : tuple of (float, float, str)
        Width and height of a pixel and their unit, for `decomposed`.
    reference : int, optional
        The frame that the others were moved to, where it is one of these and known.

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
    size: tuple[int, int] | None = None
    pixel: tuple[float, float, str] = (1.0, 1.0, "pixel")
    reference: int | None = None

    def __post_init__(self) -> None:
        matrices = np.asarray(self.matrices, np.float64)
        if matrices.ndim != 3 or matrices.shape[1:] != (3, 3) or not np.isfinite(matrices).all():
            raise UserError(f"matrices need the shape (n, 3, 3), all finite; got {matrices.shape}")
        n = len(matrices)
        if (flat := np.flatnonzero(np.abs(np.linalg.det(matrices)) < _LEAST_DETERMINANT)).size:
            raise UserError(f"matrix {flat[0]} maps the image onto a line: it cannot be inverted")
        quality = np.ones(n) if self.quality is None else np.asarray(self.quality, np.float64)
        failed = np.zeros(n, bool) if self.failed is None else np.asarray(self.failed, bool)
        if quality.shape != (n,) or failed.shape != (n,):
            raise UserError(f"quality and failed need one entry for each of the {n} frames")
        for name, value in (("matrices", matrices), ("quality", quality), ("failed", failed)):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.matrices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transforms):
            return False
        mine = (self.size, self.pixel, self.reference)
        return mine == (other.size, other.pixel, other.reference) and all(
            np.array_equal(one, two)
            for one, two in (
                (self.matrices, other.matrices),
                (self.quality, other.quality),
                (self.failed, other.failed),
            )
        )

    __hash__ = None  # type: ignore[assignment]

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames, in the order given."""
        place = np.flatnonzero(np.arange(len(self))[frames] == self.reference)
        chosen = self._with(self.matrices[frames], self.quality[frames], self.failed[frames])
        return replace(chosen, reference=int(place[0]) if len(place) else None)

    def join(self, others: Sequence[Self]) -> Self:
        """Return these followed by others."""
        every = (self, *others)
        return self._with(
            np.concatenate([t.matrices for t in every]),
            np.concatenate([t.quality for t in every]),
            np.concatenate([t.failed for t in every]),
        )

    def then(self, later: "Transforms") -> Self:
        """Return the transforms of frames that were warped by these and registered once more."""
        both = self._with(
            self.matrices @ later.matrices,
            np.minimum(self.quality, later.quality),
            self.failed | later.failed,
        )
        last = self.reference if later.reference is None else later.reference
        return replace(both, reference=last)

    def inverse(self) -> Self:
        """Return the transforms from each frame to the reference."""
        matrices = np.linalg.inv(self.matrices)
        return self._with(matrices / matrices[:, 2:, 2:], self.quality, self.failed)

    def interpolated(self) -> Self:
        """Return these with failed frames placed between the nearest good ones; none is failed.

        Entries of the matrices are interpolated over the number of the frame; before the first
        and after the last good frame, that one's place is held.

        Raises
        ------
        ValueError
            When all frames have failed.
        """
        good = np.flatnonzero(~self.failed)
        if not len(good):
            raise UserError("all frames have failed: there is nothing to interpolate from")
        frames = np.arange(len(self))
        entries = self.matrices.reshape(-1, 9).T
        filled = np.stack([np.interp(frames, good, entry[good]) for entry in entries], axis=1)
        return self._with(filled.reshape(-1, 3, 3), self.quality, np.zeros(len(self), bool))

    def decomposed(self) -> "Decomposed":
        """Return shift, rotation, scale and shear of every frame.

        Returns
        -------
        Decomposed
            Shifts in the unit of the axes where their pixel size is known, else in pixels.
        """
        from napari_stack.operators.geometry.decomposition import decompose

        return decompose(self.matrices, self.size, self.pixel)

    def _with(
        self,
        matrices: NDArray[np.float64],
        quality: NDArray[np.float64],
        failed: NDArray[np.bool_],
    ) -> Self:
        return replace(self, matrices=matrices, quality=quality, failed=failed)

    def to_json(self) -> dict[str, Any]:
        """Write them as plain data (JSON types)."""
        from napari_stack.operators.geometry.transform_files import to_json_types

        return to_json_types(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write them to a file.

        Parameters
        ----------
        path : str or Path
            Ends with ``.json`` (everything, with version and conventions), ``.csv`` (a line a
            frame, for spreadsheets), ``.txt`` (scale, angle, shift and success of a frame, as
            imreg_dft gives them) or ``.npy`` (the matrices alone, as pystackreg takes them).
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending, or transforms that this form cannot hold.
        """
        from napari_stack.core.atomic_write import replacing

        data = _form(path)[0](self)
        with replacing(Path(path), overwrite=overwrite) as temporary:
            temporary.write_bytes(data)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read them from a file that `save` or, with the ending .npy, pystackreg wrote.

        Raises
        ------
        ValueError
            When the file holds something else.
        """
        fields = _form(path)[1](Path(path).read_bytes(), str(path))
        try:
            return cls(**fields)
        except ValueError as error:
            raise UserError(f"{path}: {error}") from error


def check_form(path: str | Path) -> None:
    """Refuse the name of a file that transforms are not written to.

    Raises
    ------
    ValueError
        For another ending than those of `Transforms.save`.
    """
    _form(path)


def _form(path: str | Path) -> tuple[Any, Any]:
    from napari_stack.operators.geometry.transform_files import FORMS

    suffix = Path(path).suffix.lower()
    if suffix not in FORMS:
        raise UserError(f"{path}: transforms are written as {', '.join(FORMS)}")
    return FORMS[suffix]
