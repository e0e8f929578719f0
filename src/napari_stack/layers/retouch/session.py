"""`Retouching`: a layer that is painted on, its strokes, what can be undone, and its recipe."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from napari.layers import Image

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.core.stroke import FUSED, Stroke, StrokeSource
from napari_stack.core.strokes import Strokes
from napari_stack.engine.run import Run
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.provenance import history, link, link_of
from napari_stack.layers.retouch.edits import Edit
from napari_stack.layers.retouch.growing import Growing
from napari_stack.layers.retouch.start import Start
from napari_stack.operators.focus.retouch.blend import Window, mask_of, window_of
from napari_stack.operators.focus.retouch.patches import Loaded
from napari_stack.operators.focus.retouch.sources import check_strokes, key_of, load_source

#: Bytes of pixels that undo holds; beyond that, the oldest strokes can no longer be undone.
_UNDO_BYTES = 2**29
#: Bytes of sources that are kept for the next stroke.
_SOURCE_BYTES = 2**29

#: A place on the axes that are not stacked.
Place = Mapping[str, int]

#: What a window of an image of a kind, at a place, holds from now on.
Change = tuple[str, Place, Window, Any]


@dataclass(eq=False)
class Retouching:
    """A layer that is being painted on, its maps, its strokes, and what can be undone.

    Parameters
    ----------
    begun : Start
    layers : mapping of str to Image layer
        By what they show: ``image``, and ``depth`` and ``confidence`` where they were made.
    """

    begun: Start
    layers: Mapping[str, Image]
    strokes: list[Stroke] = field(default_factory=list)
    done: list[Edit] = field(default_factory=list)
    undone: list[Edit] = field(default_factory=list)
    forgotten: int = 0

    @classmethod
    def of(cls, begun: Start, made: Sequence[Image]) -> Self:
        """Begin with the layers that were made of it."""
        found = {made_as.kind: la for la in made if (made_as := link_of(la)) is not None}
        session = cls(begun, found)
        session.record()
        return session

    @property
    def intact(self) -> bool:
        """Whether the layer still shows the array that is painted on."""
        return self._whole is full_resolution(self.layers["image"])

    def __post_init__(self) -> None:
        self._whole = full_resolution(self.layers["image"])
        self.strokes = list(self.begun.strokes)
        number = self.data.number
        arrays = {kind: full_resolution(layer) for kind, layer in self.layers.items()}
        self.arrays = {
            kind: array[(slice(None),) * number + (0,)] if number else array
            for kind, array in arrays.items()
        }
        loops = tuple(self.loops.values())
        shape = self.data.frames.shape[1:]
        if self.arrays["image"].shape != (*loops, *shape):
            raise UserError(
                f"{self.begun.name!r} has the shape {self.arrays['image'].shape}, and its frames "
                f"{shape}: such an image cannot be retouched"
            )
        #: Which frame a pixel was painted from: 0 none, else its number and 1.
        self.labels = np.zeros((*loops, *self.size), np.uint16)
        self._others: list[StrokeSource] = []
        self._kept: dict[tuple[Any, str], Loaded] = {}
        for place in self.places():
            for stroke in self.begun.strokes:
                if stroke.is_at(place):
                    self._show_label(stroke, place)

    def _show_label(self, stroke: Stroke, place: Place) -> None:
        """Show a stroke that the layer has already, as far as it can be without its source."""
        window = window_of(stroke.points, stroke.radius, self.size)
        inside = mask_of(stroke.points, stroke.radius, window) >= 0.5
        self.at("labels", place)[window][inside] = self.label_of(stroke.source)

    # the data

    @property
    def data(self) -> Stack | Hyperstack:
        """The frames, turned to the axis that is stacked."""
        return self.begun.job.data

    @property
    def loops(self) -> dict[str, int]:
        """Lengths of the axes that are not stacked."""
        return {} if isinstance(self.data, Stack) else self.data.loops

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        return self.data.frames.shape[1], self.data.frames.shape[2]

    def places(self) -> list[dict[str, int]]:
        """Return all places on the axes that are not stacked."""
        return [{}] if isinstance(self.data, Stack) else list(self.data.positions())

    def stack(self, place: Place) -> Stack:
        """Return the frames at a place."""
        if isinstance(self.data, Stack):
            return self.data
        return self.data.stack({name: place[name] for name in self.loops})

    def at(self, kind: str, place: Place) -> Any:
        """Return the image of a kind at a place, to read or write; None where it was not made."""
        array = self.labels if kind == "labels" else self.arrays.get(kind)
        return None if array is None else array[tuple(place[name] for name in self.loops)]

    @property
    def count(self) -> int:
        """How many frames there are at a place."""
        return self.data.sizes[self.data.number]

    @property
    def known(self) -> Strokes:
        """All strokes, as they are saved."""
        return Strokes(tuple(self.strokes), self.count, self.size)

    def label_of(self, source: StrokeSource) -> int:
        """Return the label of pixels that come from a source."""
        if isinstance(source, int):
            return source + 1
        if source == FUSED:
            return 0
        if source not in self._others:
            self._others.append(source)
        return self.count + 1 + self._others.index(source)

    # sources

    def source(self, place: Place, source: StrokeSource) -> Loaded | None:
        """Return a source that is at hand, or None: then it is to be loaded."""
        if source == FUSED and self.begun.original:
            at = tuple(place[name] for name in self.loops)
            known = {kind: image[at] for kind, image in self.begun.original.items()}
            return Loaded(known["image"], None, known.get("depth"), known.get("confidence"))
        return self._kept.get(self._key(place, source))

    def _key(self, place: Place, source: StrokeSource) -> tuple[Any, str]:
        return tuple(place[name] for name in self.loops), key_of(source)

    def load(self, place: Place, source: StrokeSource, run: Run = Run()) -> Loaded:
        """Read or fuse a source; it may run in any thread.

        Raises
        ------
        ValueError
            For a frame that is left out.
        """
        stack = self.stack(place)
        check_strokes(stack, [Stroke(source, ((0, 0),), 1)])
        return self.scaled(load_source(stack, source, self.begun.job.step.options, run))

    def scaled(self, found: Loaded) -> Loaded:
        """Return a source whose depth counts what that of the layer counts."""
        step = np.float32(self.begun.job.depth_step or 1)
        depth = None if found.depth is None else np.asarray(found.depth, np.float32) * step
        return found._replace(depth=depth)

    def keep(self, place: Place, source: StrokeSource, found: Loaded) -> None:
        """Keep a source for the strokes that follow, and let older ones go."""
        self._kept[self._key(place, source)] = found
        while len(self._kept) > 1 and sum(s.nbytes for s in self._kept.values()) > _SOURCE_BYTES:
            del self._kept[next(iter(self._kept))]

    # painting

    def begin_stroke(self, place: Place, source: StrokeSource, radius: float) -> Growing | None:
        """Begin a stroke; None where its source is not at hand."""
        found = self.source(place, source)
        if found is None:
            return None
        return Growing(self.at("image", place), found, radius, alpha=self.data.frames.alpha)

    def end_stroke(self, grown: Growing, place: Place, source: StrokeSource) -> None:
        """Write a stroke that was painted; its pixels are those that were shown meanwhile."""
        stroke = Stroke(source, tuple(grown.points), grown.radius, dict(place))
        changes: list[Change] = [("image", place, grown.window, grown.values)]
        changes += self._maps(place, grown.window, grown.painted, grown.source, stroke)
        self.write([stroke], changes)

    def _maps(
        self, place: Place, window: Window, painted: Any, source: Loaded, stroke: Stroke
    ) -> list[Change]:
        """Return what depth, confidence and labels become in a window."""
        values = {"depth": source.depth, "confidence": source.confidence}
        values["labels"] = self.label_of(stroke.source)
        changes: list[Change] = []
        for kind, value in values.items():
            array = self.at(kind, place)
            if array is not None and value is not None:
                new = array[window].copy()
                np.copyto(new, _in(value, window), where=painted, casting="unsafe")
                changes.append((kind, place, window, new))
        return changes

    def write(self, strokes: Iterable[Stroke], changes: Iterable[Change]) -> None:
        """Write what strokes make of some windows, so that it can be undone.

        Parameters
        ----------
        strokes : iterable of Stroke
        changes : iterable of (str, place, window, ndarray)
        """
        held = [(self.at(kind, place), window, np.array(values))
                for kind, place, window, values in changes
                if self.at(kind, place) is not None]  # fmt: skip
        edit = Edit(tuple(strokes), held)
        self.done.append(edit.swapped())
        self.undone.clear()
        self.strokes += edit.strokes
        while len(self.done) > 1 and sum(edit.nbytes for edit in self.done) > _UNDO_BYTES:
            self.forgotten += len(self.done.pop(0).strokes)
        self.record()

    def undo(self) -> bool:
        """Take the last strokes back; tell whether there were any."""
        if not self.done:
            return False
        edit = self.done.pop()
        del self.strokes[len(self.strokes) - len(edit.strokes) :]
        self.undone.append(edit.swapped())
        self.record()
        return True

    def redo(self) -> bool:
        """Put the strokes back that were taken back last; tell whether there were any."""
        if not self.undone:
            return False
        edit = self.undone.pop()
        self.strokes += edit.strokes
        self.done.append(edit.swapped())
        self.record()
        return True

    def record(self) -> None:
        """Write the strokes into the recipe and the provenance of the layers."""
        job, name = self.begun.job, self.begun.option
        options = {n: value for n, value in job.step.options.items() if n != name}
        options |= {name: self.known} if self.strokes else {}
        last = replace(job.step, options=options)
        for kind, layer in self.layers.items():
            array, made = full_resolution(layer), link_of(layer)
            if made is not None:
                before = made.recipe.steps[:-1]
                link(array, replace(made, recipe=replace(made.recipe, steps=(*before, last))))
            told = history(job.chain, (*job.chain.steps, last), "" if kind == "image" else kind)
            merged = {key: {**layer.metadata.get(key, {}), **known} for key, known in told.items()}
            layer.metadata = {**layer.metadata, **merged}


def _in(value: Any, window: Window) -> Any:
    """Return a map, or a number for all pixels, in a window."""
    return value[window] if isinstance(value, np.ndarray) and value.ndim else value
