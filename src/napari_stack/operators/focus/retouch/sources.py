"""What strokes take their pixels from, read or fused whole: frames, slabs, other fusions."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_stack.core.errors import UserError
from napari_stack.core.options_json import options_from_json
from napari_stack.core.pixels.casting import cast
from napari_stack.core.stack import Stack
from napari_stack.core.stroke import Fusion, Slab, Stroke, StrokeSource
from napari_stack.core.strokes import Strokes
from napari_stack.engine.progress import Progress
from napari_stack.engine.run import Run
from napari_stack.operators.focus.focus_stack import focus_stack, fuse
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.retouch.patches import Loaded

#: Options of `focus_stack` that say how frames become one image: those of another fusion.
FUSING = ("method", "channel", "true_colours")


def check_strokes(stack: Stack, value: Any) -> Strokes:
    """Read strokes, and refuse those that do not fit the frames; none is read for that.

    Raises
    ------
    ValueError
        For strokes on other frames, outside, or from frames that are left out.
    """
    strokes = Strokes.of(value)
    strokes.check_places({})
    strokes.check_fit(len(stack), (stack.shape[1], stack.shape[2]))
    for number, stroke in enumerate(strokes):
        if isinstance(stroke.source, Fusion):
            _fusing(stroke.source.options, number)
        elif not _some_used(stack, stroke.source):
            raise UserError(
                f"stroke {number} takes {name_of(stroke.source)}, which is left out: it failed, or "
                "was ticked off; tick it on, or remove the stroke"
            )
    return strokes


def name_of(source: StrokeSource) -> str:
    """Name a source in words.

    Examples
    --------
    >>> name_of(3), name_of(Slab(2, 5)), name_of(Fusion({"method": "pyramid"}))
    ('frame 3', 'frames 2 to 5', 'another fusion (method: pyramid)')
    """
    if isinstance(source, Slab):
        return f"frames {source.first} to {source.last}"
    if isinstance(source, Fusion):
        named = (f"{n.replace('_', ' ')}: {_said(v)}" for n, v in source.options.items())
        return f"another fusion ({', '.join(named) or 'as by default'})"
    return f"frame {source}" if isinstance(source, int) else "the fused image"


def _said(value: Any) -> str:
    return str(value.get("name", value)) if isinstance(value, Mapping) else str(value)


def _some_used(stack: Stack, source: StrokeSource) -> bool:
    if isinstance(source, Slab):
        return bool(stack.used[source.first : source.last + 1].any())
    return not isinstance(source, int) or bool(stack.used[source])


def _fusing(options: Mapping[str, Any], number: int | None = None) -> dict[str, Any]:
    """Read the options of another fusion."""
    which = "" if number is None else f"stroke {number}: "
    if other := [name for name in options if name not in FUSING]:
        raise UserError(
            f"{which}another fusion takes the options {', '.join(FUSING)}; got {other[0]!r}"
        )
    return options_from_json(focus_stack, options)


def load_source(
    stack: Stack, source: StrokeSource, options: Mapping[str, Any], run: Run = Run()
) -> Loaded:
    """Read or fuse the source of a stroke.

    Parameters
    ----------
    stack : Stack
    source : int, Slab, Fusion or "fused"
    options : mapping
        Of the fusion that is retouched: slabs are fused with them, and so is "fused".
    run : Run
    """
    if isinstance(source, int):
        values, valid = stack.read(source)
        values = values.copy() if values.dtype == stack.dtype else values  # maybe the user's own
        return Loaded(cast(values, stack.dtype, valid), valid, float(source), 1.0)
    numbers = np.flatnonzero(stack.used)
    if isinstance(source, Slab):
        numbers = numbers[(numbers >= source.first) & (numbers <= source.last)]
    taken = _fusing(source.options) if isinstance(source, Fusion) else options
    taken = {name: value for name, value in taken.items() if name in FUSING}
    if not isinstance(source, Slab):
        found = loaded(fuse(stack, **taken, run=run), stack)
        return found if isinstance(source, Fusion) else found._replace(valid=None)
    return loaded(fuse(stack.select(numbers), **taken, run=run), stack, numbers)


def loaded(found: WorkingResult, stack: Stack, numbers: Any = None) -> Loaded:
    """Take a fused image as a source, as it is now.

    Parameters
    ----------
    found : WorkingResult
    stack : Stack
    numbers : ndarray of int, optional
        Which of its frames were fused; None for all.
    """
    covered = None if found.covered.all() else found.covered
    depth = found.depth
    if depth is not None:
        depth = depth.copy()
        if numbers is not None:
            places = np.arange(len(numbers))
            depth = np.interp(depth, places, numbers).astype(np.float32)
    confidence = None if found.confidence is None else found.confidence.copy()
    return Loaded(cast(found.image.copy(), stack.dtype, covered), covered, depth, confidence)


@dataclass
class Sources:
    """Sources of strokes, the last ones kept as far as memory allows.

    Parameters
    ----------
    stack : Stack
    options : mapping
        Of the fusion that is retouched.
    run : Run
    """

    stack: Stack
    options: Mapping[str, Any]
    run: Run
    kept: dict[str, Loaded] = field(default_factory=dict)

    def get(self, stroke: Stroke, number: int, count: int) -> Loaded:
        """Return the source of a stroke, the `number`-th of `count`."""
        key = key_of(stroke.source)
        found = self.kept.pop(key, None)
        if found is None:
            run = replace(self.run.part(number, count), executor=None)
            Progress(run.tick, 1, f"Retouching from {name_of(stroke.source)}")
            self._make_room()
            found = load_source(self.stack, stroke.source, self.options, run)
        self.kept[key] = found  # the last one used stands last
        return found

    def _make_room(self) -> None:
        kept = [key for key in self.kept if key != key_of("fused")]
        while kept and sum(one.nbytes for one in self.kept.values()) > self.run.memory // 4:
            del self.kept[kept.pop(0)]


def key_of(source: StrokeSource) -> str:
    """Return a text that tells sources apart."""
    plain = {type(source).__name__: vars(source) if isinstance(source, Slab | Fusion) else source}
    return json.dumps(plain, sort_keys=True)
