"""A frame placed by hand: layers to pick points in, and the registration that takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from napari.layers import Image, Points
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.stack import Stack
from napari_stack.layers.compat import frame_size
from napari_stack.layers.jobs.recipe_job import RecipeJob, prepare_again
from napari_stack.layers.picked.point_layers import PointLayers, numbers_in
from napari_stack.layers.places.motion import recorded_matrix
from napari_stack.layers.places.placement import Matrix
from napari_stack.layers.provenance import Chain, recall
from napari_stack.layers.stacks.read_layer import Data, leading_axes
from napari_stack.recipe import Recipe, Step

#: Points are drawn as wide as this share of a frame's shorter side.
_POINT_SIZE = 1 / 40

_COLOURS = {"reference points": "cyan", "frame points": "orange"}


def may_place(layer: Any) -> bool:
    """Whether a layer holds frames that were registered in this session."""
    chain = recall(layer) if isinstance(layer, Image) else None
    return chain is not None and any(step.entry.measures_transforms for step in chain.steps)


@dataclass(frozen=True, eq=False)
class Placing:
    """One frame of a registered layer, to be placed by points.

    Parameters
    ----------
    layer : Image layer
    axis : str
    position : mapping of str to int
        On the other axes.
    frame, reference : int
    number : int
        Of the registration among the steps of the layer.
    chain : Chain
        What stands behind the layer.
    before : Stack or Hyperstack
        What the registration took.
    """

    layer: Any
    axis: str
    position: Mapping[str, int]
    frame: int
    reference: int
    number: int
    chain: Chain
    before: Data

    @classmethod
    def of(cls, layer: Any, axis: str, position: Mapping[str, int], frame: int) -> Self:
        """Look up how a frame was registered.

        Raises
        ------
        ValueError
            When it was not, or not once for all positions along this axis, or is the reference.
        """
        chain = recall(layer)
        registered = [i for i, step in enumerate(chain.steps) if step.entry.measures_transforms] \
            if chain is not None else []  # fmt: skip
        if chain is None or chain.origin is None or len(registered) != 1:
            raise UserError(
                f"{layer.name!r} was registered {len(registered)} times in this session: choose a "
                "layer of frames that were registered once"
            )
        number = registered[0]
        step = chain.steps[number]
        placed = step.with_stacked_axis(chain.data)
        if step.measure_each or placed.axis != axis:
            where = "at each position for itself" if step.measure_each else f"along {placed.axis!r}"
            raise UserError(f"the frames were registered {where}, not once along {axis!r}")
        reference = step.measured_stack(chain.data).moved_by.reference
        if reference is None or frame == reference:
            raise UserError(f"frame {frame} is the reference: show a frame that is to be moved")
        before = chain.origin[0]
        for earlier in chain.steps[:number]:
            before = earlier.predicted_output(before)
        return cls(layer, axis, position, frame, reference, number, chain, before)

    @property
    def step(self) -> Step:
        """The registration."""
        return self.chain.steps[self.number]

    @property
    def _option(self) -> str:
        """Name of the registration's option that takes pairs of points."""
        options = self.step.entry.options.items()
        return next(name for name, option in options if option.kind is PointPairs)

    def point_layers(self) -> PointLayers:
        """Make the layers to pick points in; they hold the pairs that the frame has already."""
        known = self.step.options.get(self._option)
        pairs = {} if known is None else PointPairs.of(known).by_frame()
        old = pairs.get(self.frame, np.zeros((0, 4)))
        return PointLayers(
            self._points("reference points", self.reference, old[:, :2]),
            self._points("frame points", self.frame, old[:, 2:]),
        )

    def _points(self, name: str, frame: int, xy: NDArray[np.float64]) -> Points:
        at = {**self.position, self.axis: frame}
        data = np.zeros((len(xy), self.layer.ndim))
        data[:, :-2] = [at[axis] for axis in leading_axes(self.layer)]
        data[:, -2:] = _applied(np.linalg.inv(self._to_taken(frame)), xy)[:, ::-1]
        made = Points(
            data, ndim=self.layer.ndim, name=name, symbol="cross",
            size=max(2.0, min(frame_size(self.layer)) * _POINT_SIZE), face_color=_COLOURS[name],
            features={"number": np.arange(1, len(xy) + 1)},
            text={"string": "{number}", "color": _COLOURS[name], "translation": self._beside},
            scale=self.layer.scale, translate=self.layer.translate, rotate=self.layer.rotate,
            shear=self.layer.shear, affine=self.layer.affine.affine_matrix,
            units=self.layer.units, axis_labels=self.layer.axis_labels,
        )  # fmt: skip
        made.events.data.connect(lambda _event: _number(made))
        return made

    @property
    def _beside(self) -> NDArray[np.float64]:
        """Where the number of a point stands: below it, to the right."""
        beside = np.zeros(self.layer.ndim)
        beside[-2:] = min(frame_size(self.layer)) * _POINT_SIZE
        return beside

    def _to_taken(self, frame: int) -> Matrix:
        """From a pixel of the layer to that of a frame as the registration took it."""
        before, after = (_number_at(data, self.axis, self.position, frame)
                         for data in (self.before, self.chain.data))  # fmt: skip
        taken = recorded_matrix(self.before.frames, before)
        shown = recorded_matrix(self.chain.data.frames, after)
        return np.asarray(np.linalg.inv(taken) @ shown)

    def job(self, points: PointLayers) -> RecipeJob:
        """Prepare all steps of the layer anew, with these points.

        Raises
        ------
        ValueError
            For points that lie on other frames than they should, or lack a partner.
        """
        rows = points.rows(self.layer, self.axis)
        stray = set(numbers_in(points.reference, self.layer, self.axis)) - {self.reference}
        if stray:
            raise UserError(
                f"{points.reference.name!r} has points on frame {min(stray)}: pick them on the "
                f"reference, frame {self.reference}"
            )
        moved = [self._taken(int(row[0]), np.array(row[1:])) for row in rows]
        known = self.step.options.get(self._option)
        others = [] if known is None else PointPairs.of(known).to_json()
        chosen = {row[0] for row in moved}
        pairs = [row for row in others if row[0] not in chosen] + moved
        options = {**self.step.options, self._option: pairs}
        if options.get("reference") != "mean":  # the points are of this one
            options["reference"] = self.reference
        steps = list(self.chain.steps)
        steps[self.number] = replace(self.step, options=options)
        return prepare_again(Recipe(steps), self.layer)

    def _taken(self, frame: int, pair: NDArray[np.float64]) -> list[float]:
        """Take a pair from pixels of the layer to those that the registration took."""
        first = _applied(self._to_taken(self.reference), pair[None, :2])[0]
        second = _applied(self._to_taken(frame), pair[None, 2:])[0]
        return [frame, *np.round(first, 3).tolist(), *np.round(second, 3).tolist()]


def _number_at(data: Data, axis: str, position: Mapping[str, int], frame: int) -> int:
    """Return the number of a frame among those of all positions."""
    if isinstance(data, Stack):
        return frame
    turned = data.along(axis)
    at = {name: place for name, place in position.items() if name in turned.loops}
    return int(turned.numbers(at)[frame])


def _applied(matrix: Any, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def _number(points: Points) -> None:
    """Give points the numbers of the order in which they were picked."""
    numbers = np.arange(1, len(points.data) + 1)
    if not np.array_equal(points.features["number"], numbers):
        points.features = {"number": numbers}
