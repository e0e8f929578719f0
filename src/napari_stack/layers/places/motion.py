"""`Motion`: how the frames of a layer were moved, for points of any other layer."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.layers.compat import frame_size
from napari_stack.layers.places.placement import Matrix, Placement
from napari_stack.layers.provenance import recall
from napari_stack.layers.stacks.read_layer import axis_name
from napari_stack.operators.geometry.transform_frames import Resample
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import Warp

#: Matrices so near to the identity are it: rounding.
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Motion:
    """How frames along some axes were moved.

    Parameters
    ----------
    placement : Placement
        Of the registered layer.
    transforms : Transforms
        From a pixel of the registered layer to each recorded frame.
    view : ndarray, shape (3, 3)
        From a pixel of the registered layer to the pixel of a recorded frame at the same place of
        the world.
    recorded, registered : tuple of int or None
        Height and width of a frame before and after.
    used : ndarray of bool, shape (sizes...)
    warp : Warp or None
        What moved them.
    """

    placement: Placement
    transforms: Transforms
    view: Matrix
    recorded: tuple[int, int] | None
    registered: tuple[int, int] | None
    used: NDArray[np.bool_]
    warp: Warp | None = None

    @classmethod
    def of(cls, layer: Any) -> Self:
        """Take it from a registered layer."""
        chain = recall(layer) if isinstance(layer, Image) else None
        frames = None if chain is None else chain.data.frames
        warps = [] if frames is None else [c for c in frames.corrected_by if isinstance(c, Warp)]
        if chain is None or frames is None or not warps:
            raise UserError(
                f"{str(layer)!r} is no layer that register made in this session: register one, or "
                "give the Transforms that were saved"
            )
        sizes = chain.data.sizes
        rows, columns = frames.shape[1:3]
        return cls(
            Placement.of(layer), recorded_transforms(frames), chain.view,
            recorded_size(frames), (rows, columns), frames.used.reshape(sizes), warps[-1],
        )  # fmt: skip

    @classmethod
    def measured(cls, transforms: Transforms, layer: Any, axis: str | int) -> Self:
        """Take it from measured transforms, in pixels of the layer that is to be moved."""
        own = Placement.of(layer)
        if not own.names:
            raise without_axis(layer, "frames")
        number = own.names.index(_axis_of(layer, own.names, axis))
        one = slice(number, number + 1)
        placement = replace(
            own, names=own.names[one], steps=own.steps[one], starts=own.starts[one],
            units=(own.units[number], *own.units[-2:]),
        )  # fmt: skip
        size = transforms.size
        return cls(placement, transforms, np.eye(3), size, size, ~transforms.failed)

    def at(
        self, layer: Any, coordinates: list[NDArray[Any]]
    ) -> tuple[Transforms, NDArray[np.intp], NDArray[np.intp]]:
        """Give the transforms from registered to recorded frames, in pixels of another layer.

        Parameters
        ----------
        layer : Layer
        coordinates : list of ndarray
            Of the points along each leading axis of that layer.

        Returns
        -------
        transforms : Transforms
            Of the frames that there are points on.
        place : ndarray of int
            Which of these each point belongs to.
        number : ndarray of int
            Flat number of the frame of each point.
        """
        placement = self._placement_of(layer)
        number = np.ravel_multi_index(self._indices(layer, placement, coordinates), self.sizes)
        numbers, place = np.unique(number, return_inverse=True)
        # Both lie at the same place of the world.
        at_view = np.linalg.inv(placement.plane_in(self.placement)) @ self.placement.plane
        at_view = at_view.astype(np.float64)
        at_source: Matrix = at_view @ self._from_source
        count = len(numbers)
        found = self.transforms.select(numbers)
        if not np.allclose(at_source, np.eye(3), rtol=0, atol=_SAME):
            found = Transforms.exact(at_source, count).then(found)
        from_view = np.linalg.inv(at_view).astype(np.float64)
        return found.then(Transforms.exact(from_view, count)), place.ravel(), number

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the axes of the registered frames."""
        return self.used.shape

    def view_of(self, layer: Any, inverse: bool) -> tuple[tuple[float, float], tuple[int, int]]:
        """Origin (x, y) and size (height, width) of the view, in pixels of another layer."""
        size = self.recorded if inverse else self.registered
        if size is None:
            return (0.0, 0.0), frame_size(layer)
        x, y = np.array([[-0.5, size[1] - 0.5], [-0.5, size[0] - 0.5]])
        corners = np.array([[a, b, 1.0] for a in x for b in y]).T
        corners = (self._from_source if inverse else np.eye(3)) @ corners
        placement = self._placement_of(layer)
        points = np.linalg.inv(placement.plane_in(self.placement)) @ self.placement.plane @ corners
        low, high = np.rint([points[:2].min(axis=1) + 0.5, points[:2].max(axis=1) + 0.5])
        columns, rows = np.maximum(high - low, 1)
        return (float(low[0]), float(low[1])), (int(rows), int(columns))

    @property
    def _from_source(self) -> Matrix:
        return np.asarray(np.linalg.inv(self.view))

    def _placement_of(self, layer: Any) -> Placement:
        """Placement of a layer; by default that of the recorded frames."""
        placement = Placement.of(layer)
        if not isinstance(layer, Image | Labels) or not placement.is_default:
            return placement
        partners = placement.partners(self.placement)
        steps = [1.0 if p is None else self.placement.steps[p] for p in partners]
        starts = [0.0 if p is None else self.placement.starts[p] for p in partners]
        units = [u if p is None else self.placement.units[p]
                 for u, p in zip(placement.units, partners, strict=False)]  # fmt: skip
        plane = self.placement.plane @ self._from_source
        return replace(
            placement, plane=plane, steps=np.array(steps), starts=np.array(starts),
            units=(*units, *self.placement.units[-2:]),
        )  # fmt: skip

    def _indices(
        self, layer: Any, placement: Placement, coordinates: list[NDArray[Any]]
    ) -> tuple[NDArray[np.intp], ...]:
        """Numbers along the axes of the registered layer at coordinates of another."""
        count = len(coordinates[0]) if coordinates else 0
        sizes = self.sizes
        found = []
        for number, partner in enumerate(self.placement.partners(placement)):
            alike = self._alike(number)
            if partner is None:
                if not alike:
                    raise without_axis(layer, self.placement.names[number])
                found.append(np.zeros(count, np.intp))
                continue
            at = placement.indices(partner, coordinates[partner], self.placement, number)
            at = np.rint(at).astype(np.intp)
            if alike:  # what is moved alike needs no such frame
                at = np.clip(at, 0, sizes[number] - 1)
            elif ((at < 0) | (at >= sizes[number])).any():
                raise UserError(
                    f"{layer.name!r} reaches from {at.min()} to {at.max()} along "
                    f"{self.placement.names[number]!r}, the registered frames from 0 to "
                    f"{sizes[number] - 1}: give both the same frames (and scale)"
                )
            found.append(at)
        return tuple(found)

    def _alike(self, number: int) -> bool:
        """Whether all frames along one axis are moved alike."""
        numbers = np.arange(len(self.transforms)).reshape(self.sizes)
        first = np.broadcast_to(numbers.take([0], axis=number), self.sizes).ravel()
        moves, others = self.transforms, self.transforms.select(first)
        return np.array_equal(moves.matrices, others.matrices) and (
            moves.deformation == others.deformation
        )


def without_axis(layer: Any, name: str) -> UserError:
    """Return the error for a layer whose points belong to no frame."""
    return UserError(
        f"{layer.name!r} lacks the axis {name!r} of the registered frames: what lies on every "
        "frame needs its number"
    )


def _axis_of(layer: Any, names: tuple[str, ...], axis: str | int) -> str:
    if isinstance(layer, Image):
        return axis_name(layer, axis) or names[0]
    if axis in ("", *names):
        return str(axis) or names[0]
    if isinstance(axis, int) and -layer.ndim <= axis < layer.ndim - 2 and axis not in (-1, -2):
        return names[axis % layer.ndim]
    raise UserError(f"the layer {layer.name!r} has no axis {axis!r}; it has {', '.join(names)}")


def recorded_size(frames: Stack) -> tuple[int, int]:
    """Height and width of a frame as it was recorded."""
    height, width = frames.source.shape[1:3]
    return frames.source.recorded or (height, width)


def recorded_transforms(frames: Stack) -> Transforms:
    """From a pixel of a frame as seen to that of the frame as recorded."""
    count = len(frames)
    found: Transforms | None = None
    for correction in frames.corrected_by:
        if isinstance(correction, Warp):
            moves = correction.transforms.then(Transforms.exact(correction.shift, count))
        elif isinstance(correction, Resample):
            (height, width), (rows, columns) = correction.source_size, correction.size
            x, y = width / columns, height / rows
            resize = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
            moves = Transforms.exact(resize, count)
        else:
            continue
        found = moves if found is None else found.then(moves)
    return Transforms.exact(np.eye(3), count) if found is None else found


def recorded_matrix(frames: Stack, index: int) -> Matrix:
    """From a pixel of a frame as seen to that of the frame as recorded, deformations left out."""
    return recorded_transforms(frames.select([index])).matrices[0]
