"""`Transforms`: where every frame lies, as measured by a registration."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import centre_of
from napari_stack.operators.geometry.covariance import (
    ENTRIES,
    at_points,
    of_inverse,
    of_product,
    unknown,
)

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
        How probable it is that a frame lies there, to a pixel or two: 0 to 1. Registration fails
        a frame below 0.7.
    failed : ndarray of bool, shape (n,)
        Frames whose place was not found; their matrix is the identity.
    size : tuple of int, optional
        Height and width of a frame, as measured.
    pixel : tuple of (float, float, str)
        Width and height of a pixel and their unit, for `decomposed`.
    reference : int, optional
        The frame that the others were moved to, where it is one of these and known.
    entry_covariance : ndarray, shape (n, 8, 8)
        Covariance of the entries m00, m01, m02, m10, m11, m12, m20, m21 of each matrix, scaled
        so that m22 is 1. 0 for the reference and for motion that is known exactly; NaN where it
        is not known, as for frames that failed. See `covariance` and `uncertainty`.

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
    entry_covariance: NDArray[np.float64] = None  # type: ignore[assignment]

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
        covariance = self.entry_covariance
        covariance = unknown(n) if covariance is None else np.asarray(covariance, np.float64)
        if covariance.shape != (n, ENTRIES, ENTRIES):
            raise UserError(f"entry_covariance needs the shape ({n}, 8, 8); got {covariance.shape}")
        covariance = (covariance + covariance.swapaxes(1, 2)) / 2  # so that a half can be stored
        covariance[failed] = np.nan
        for name, value in (
            ("matrices", matrices),
            ("quality", quality),
            ("failed", failed),
            ("entry_covariance", covariance),
        ):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.matrices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transforms):
            return False
        mine = (self.size, self.pixel, self.reference)
        return mine == (other.size, other.pixel, other.reference) and all(
            np.array_equal(one, two, equal_nan=True)
            for one, two in zip(self._by_frame(), other._by_frame(), strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def exact(cls, matrix: NDArray[np.float64], count: int) -> Self:
        """Return one known matrix (3, 3) for so many frames; its covariance is 0."""
        sure = np.zeros((count, ENTRIES, ENTRIES))
        return cls(np.tile(matrix, (count, 1, 1)), entry_covariance=sure)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance (n, 2, 2) of the shift (x, y) at the centre of each frame, px^2.

        At the first pixel where the size of the frames is unknown. Inside the ellipse
        ``d @ inv(covariance) @ d <= 2.296`` lies the true shift in 68 % of all cases.
        """
        return self.uncertainty(centre_of(self.size or (1, 1))[None])[:, 0]

    def shift_sigma(self) -> NDArray[np.float64]:
        """Return standard deviations (n, 2) of the shift that `decomposed` gives, in its unit."""
        variances = np.einsum("nii->ni", self.covariance)
        deviations: NDArray[np.float64] = np.sqrt(variances) * np.array(self.pixel[:2])
        return deviations

    def uncertainty(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how surely it is known where points of the reference lie in each frame.

        Parameters
        ----------
        points : ndarray, shape (points, 2)
            (x, y) in pixels of the reference.

        Returns
        -------
        ndarray, shape (n, points, 2, 2)
            Covariances of (x, y) in the frames, px^2; NaN where they are not known.
        """
        places: NDArray[np.float64] = np.asarray(points, np.float64)
        if places.ndim != 2 or places.shape[1] != 2:
            raise UserError(f"points need the shape (points, 2), as (x, y); got {places.shape}")
        return at_points(self.matrices, self.entry_covariance, places)

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames, in the order given."""
        place = np.flatnonzero(np.arange(len(self))[frames] == self.reference)
        chosen = self._with(*(values[frames] for values in self._by_frame()))
        return replace(chosen, reference=int(place[0]) if len(place) else None)

    def join(self, others: Sequence[Self]) -> Self:
        """Return these followed by others."""
        every = zip(*(t._by_frame() for t in (self, *others)), strict=True)
        return self._with(*(np.concatenate(values) for values in every))

    def then(self, later: "Transforms") -> Self:
        """Return the transforms of frames that were warped by these and registered once more."""
        both = self._with(
            self.matrices @ later.matrices,
            np.minimum(self.quality, later.quality),
            self.failed | later.failed,
            of_product(
                self.matrices, self.entry_covariance, later.matrices, later.entry_covariance
            ),
        )
        last = self.reference if later.reference is None else later.reference
        return replace(both, reference=last)

    def inverse(self) -> Self:
        """Return the transforms from each frame to the reference."""
        matrices = np.linalg.inv(self.matrices)
        covariance = of_inverse(self.matrices, self.entry_covariance)
        return self._with(matrices / matrices[:, 2:, 2:], self.quality, self.failed, covariance)

    def interpolated(self) -> Self:
        """Return these with failed frames placed between the nearest good ones; none is failed.

        Entries of the matrices are interpolated over the number of the frame; before the first
        and after the last good frame, that one's place is held. How sure that is is not known:
        the covariance of these frames is NaN.

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
        none = np.zeros(len(self), bool)
        return self._with(filled.reshape(-1, 3, 3), self.quality, none, self.entry_covariance)

    def decomposed(self) -> "Decomposed":
        """Return shift, rotation, scale and shear of every frame.

        Returns
        -------
        Decomposed
            Shifts in the unit of the axes where their pixel size is known, else in pixels.
        """
        from napari_stack.operators.geometry.decomposition import decompose

        return decompose(self.matrices, self.size, self.pixel)

    def _by_frame(self) -> tuple[NDArray[Any], ...]:
        """Return what there is an entry of for every frame, as `_with` takes it."""
        return self.matrices, self.quality, self.failed, self.entry_covariance

    def _with(
        self,
        matrices: NDArray[np.float64],
        quality: NDArray[np.float64],
        failed: NDArray[np.bool_],
        covariance: NDArray[np.float64],
    ) -> Self:
        return replace(
            self, matrices=matrices, quality=quality, failed=failed, entry_covariance=covariance
        )

    def to_json(self) -> dict[str, Any]:
        """Write them as plain data (JSON types)."""
        from napari_stack.operators.geometry.transform_files import to_json_types

        return to_json_types(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write them to a file.

        Parameters
        ----------
        path : str or Path
            Ends with ``.json`` (everything, with version and conventions), ``.npz`` (everything,
            as arrays), ``.csv`` (a line a frame, for spreadsheets), ``.txt`` (scale, angle, shift
            and success of a frame, as imreg_dft gives them) or ``.npy`` (the matrices alone, as
            pystackreg takes them). The last two keep no covariance, and warn of it.
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
        from napari_stack.operators.geometry.transform_files import WITHOUT_COVARIANCE

        data = _form(path)[0](self)
        if Path(path).suffix.lower() in WITHOUT_COVARIANCE and (self.entry_covariance > 0).any():
            warnings.warn(
                f"{path}: this form keeps neither the covariance nor the quality of the motion: "
                "save as .json, .npz or .csv to keep them",
                UserWarning,
                stacklevel=2,
            )
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
