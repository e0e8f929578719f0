"""`Transforms`: where every frame lies, as measured by a registration."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.matrices import centre_of, moved
from napari_stack.operators.geometry import transform_series
from napari_stack.operators.geometry.covariance import ENTRIES, at_points
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.transform_series import checked_points

if TYPE_CHECKING:
    from napari_stack.operators.geometry.decomposition import Decomposed


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
    deformation : Deformation, optional
        What frames move beyond their matrices: smoothly, or row by row of a scan.
    z_shifts : ndarray, shape (n,), optional
        In planes: plane z of the reference lies at z + z_shift in volume i.

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
    deformation: Deformation | None = None
    z_shifts: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name, value in transform_series.checked(self).items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.matrices)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transforms):
            return False
        return transform_series.equal(self, other)

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
        return at_points(self.matrices, self.entry_covariance, checked_points(points))

    def displacements(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return how far points of the reference have moved in each frame.

        Parameters
        ----------
        points : ndarray, shape (points, 2)
            (x, y) in pixels of the reference.

        Returns
        -------
        ndarray, shape (n, points, 2)
            (dx, dy): where a point lies in the frame, minus the point; matrix and deformation.
        """
        places = checked_points(points)
        return np.stack([self.points_in_frame(i, places) - places for i in range(len(self))])

    def points_in_frame(self, index: int, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where points (points, 2) of the reference lie in frame `index`."""
        places = checked_points(points)
        if self.deformation is None:
            return moved(self.matrices[index], places)
        return self.deformation.forward(index, self.matrices[index], places)

    def points_in_reference(self, index: int, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return which points of the reference lie at places (points, 2) of frame `index`."""
        places = checked_points(places)
        if self.deformation is None:
            return moved(np.linalg.inv(self.matrices[index]), places)
        return self.deformation.back(index, self.matrices[index], places)

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return those of some frames, in the order given."""
        return transform_series.selected(self, frames)

    def join(self, others: Sequence[Self]) -> Self:
        """Return these followed by others."""
        return transform_series.joined((self, *others))

    def then(self, later: "Transforms") -> Self:
        """Return the transforms of frames that were warped by these and registered once more.

        Two smooth deformations become one, fitted on a quarter of the finer spacing: to 0.01 px, as
        `deformation_products` says.

        Raises
        ------
        UserError
            When the later ones move rows of a scan: those are moved first.
        """
        return transform_series.product(self, later)

    def inverse(self) -> Self:
        """Return the transforms from each frame to the reference; smooth deformations to 0.01 px.

        Raises
        ------
        UserError
            For rows of a scan, which have no inverse of their kind: see `points_in_reference`.
        """
        return transform_series.inverted(self)

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
        return transform_series.interpolated(self)

    def decomposed(self) -> "Decomposed":
        """Return shift, rotation, scale and shear of every frame.

        Returns
        -------
        Decomposed
            Shifts in the unit of the axes where their pixel size is known, else in pixels.
        """
        from napari_stack.operators.geometry.decomposition import decompose

        return decompose(self.matrices, self.size, self.pixel)

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
            pystackreg takes them). The last two keep no covariance, and warn of it; deformations
            and z shifts are kept by the first two alone, and refused by the others. A name with
            ``.zarr`` becomes a folder of OME-Zarr 0.6 (NGFF RFC-5) for other programs: affine
            matrices and, for frames that deform smoothly, displacement fields, sampled eight times
            between control points.
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending, or transforms that this form cannot hold.
        """
        from napari_stack.operators.geometry.transform_files import write

        write(self, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read them from a file that `save` or, with the ending .npy, pystackreg wrote.

        Deformations from OME-Zarr are those of the samples: to 0.01 px where tissue deforms.

        Raises
        ------
        ValueError
            When the file holds something else.
        """
        from napari_stack.operators.geometry.transform_files import read

        try:
            return cls(**read(path))
        except ValueError as error:
            raise UserError(f"{path}: {error}") from error
