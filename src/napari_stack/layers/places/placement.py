"""`Placement`: where a layer lies; its last two axes as one matrix, the others one by one."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from napari.utils.transforms import Affine, CompositeAffine
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.layers.stacks.read_layer import axes_of

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placement:
    """How a layer lies in the world.

    Parameters
    ----------
    plane : ndarray, shape (3, 3)
        Takes a point (x, y, 1) of the data to the world.
    names : tuple of str
        Of the axes before y and x.
    steps, starts : ndarray
        World coordinate along each of these: step * index + start.
    units : tuple
        One for each axis, y and x last.
    """

    plane: Matrix
    names: tuple[str, ...]
    steps: NDArray[np.float64]
    starts: NDArray[np.float64]
    units: tuple[Any, ...]

    @classmethod
    def of(cls, layer: Any) -> Self:
        """Read it from a layer of any kind.

        Raises
        ------
        ValueError
            When the layer has one axis only, or is turned out of the plane of y and x.
        """
        if layer.ndim < 2:
            raise UserError(f"the layer {layer.name!r} has no axes y and x")
        whole = to_world(layer).affine_matrix @ to_physical(layer).affine_matrix
        rest = whole[:-1, :-1].copy()
        rest[-2:, -2:] = 0
        if not np.allclose(rest, np.diag(np.diag(rest)), atol=1e-9 * np.abs(whole).max()):
            raise UserError(
                f"the layer {layer.name!r} is turned out of the plane of its frames: reset its "
                "rotation or affine transform"
            )
        order = [-2, -3, -1]  # (x, y, 1) of (y, x, 1)
        return cls(
            whole[np.ix_(order, order)],
            tuple(axis.name for axis in axes_of(layer)[:-2]),
            np.diag(rest)[:-2],
            whole[:-3, -1],
            tuple(layer.units),
        )

    @property
    def is_default(self) -> bool:
        """Whether the layer has napari's default: one pixel is one unit, from zero on."""
        return bool((self.plane == np.eye(3)).all()) and bool(
            (self.steps == 1).all() and (self.starts == 0).all()
        )

    def partners(self, other: "Placement") -> list[int | None]:
        """For each leading axis, its number in another layer: that of the same name.

        Else the one that napari lays on the same slider, which counts from the last axis on.
        """
        found: list[int | None] = [
            other.names.index(name) if name in other.names else None for name in self.names
        ]
        behind = len(other.names) - len(self.names)
        for number, partner in enumerate(found):
            at = number + behind
            if partner is None and 0 <= at < len(other.names) and at not in found:
                found[number] = at
        return found

    def plane_in(self, other: "Placement") -> Matrix:
        """Plane of this layer in the units of another."""
        scale = [_factor(self.units[axis], other.units[axis]) for axis in (-1, -2)]
        return np.diag([*scale, 1.0]) @ self.plane

    def indices(
        self, axis: int, values: NDArray[Any], other: "Placement", partner: int
    ) -> NDArray[Any]:
        """Take coordinates along an axis of this layer to those of another layer's axis."""
        factor = _factor(self.units[axis], other.units[partner])
        world = factor * (self.steps[axis] * values + self.starts[axis])
        return np.asarray((world - other.starts[partner]) / other.steps[partner])


def to_physical(layer: Any) -> CompositeAffine:
    """Return the transform of a layer from pixels to physical coordinates."""
    return CompositeAffine(
        scale=layer.scale, translate=layer.translate, rotate=layer.rotate, shear=layer.shear,
        ndim=layer.ndim,
    )  # fmt: skip


def to_world(layer: Any) -> Affine:
    """Return the transform of a layer from physical coordinates to those of the world."""
    return Affine(affine_matrix=layer.affine.affine_matrix, ndim=layer.ndim)


def moved_by(layer: Any, offset: tuple[float, float]) -> NDArray[np.float64]:
    """Return the ``translate`` of a layer whose data begin at another place (x, y)."""
    place = to_physical(layer)
    shift = np.zeros(layer.ndim)
    shift[-2:] = offset[::-1]
    return np.asarray(place.translate + place.linear_matrix @ shift)


def make_finer(layer: Any, pixels: float) -> None:
    """Place a layer of which so many pixels lie within each one that it was placed for."""
    if pixels == 1:
        return
    layer.translate = moved_by(layer, ((1 / pixels - 1) / 2,) * 2)
    layer.scale = [*layer.scale[:-2], *(step / pixels for step in layer.scale[-2:])]


def _factor(unit: Any, wanted: Any) -> float:
    """Size of a unit in another; of kinds that do not compare, such as pixels, 1 as in napari."""
    if unit == wanted or not unit.is_compatible_with(wanted):
        return 1.0
    return float((1 * unit).to(wanted).magnitude)
