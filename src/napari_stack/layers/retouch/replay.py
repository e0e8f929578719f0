"""`replay`: strokes of a file, computed for a layer that is being retouched."""

from typing import Any

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stroke import FUSED
from napari_stack.core.strokes import Strokes
from napari_stack.engine.run import Run
from napari_stack.layers.retouch.session import Change, Place, Retouching
from napari_stack.operators.focus.retouch.blend import window_of
from napari_stack.operators.focus.retouch.patches import patch_of, put
from napari_stack.operators.focus.retouch.sources import Sources, check_strokes


def replay(session: Retouching, strokes: Strokes, run: Run = Run()) -> list[Change]:
    """Compute what strokes make of the layer, for `Retouching.write`; it may run in any thread.

    Raises
    ------
    ValueError
        For strokes that do not fit the frames.
    """
    if isinstance(session.data, Hyperstack):
        strokes = strokes.renamed(session.data.called)
    strokes.check_places(session.loops)
    changes: list[Change] = []
    whole = (slice(0, session.size[0]), slice(0, session.size[1]))
    for place in session.places():
        if not len(here := check_strokes(session.stack(place), strokes.at(place))):
            continue
        made = {kind: session.at(kind, place).copy() for kind in (*session.arrays, "labels")}
        _apply(session, here, place, made, run)
        changes += [(kind, place, whole, image) for kind, image in made.items()]
    return changes


def _apply(
    session: Retouching, strokes: Strokes, place: Place, made: dict[str, Any], run: Run
) -> None:
    stack = session.stack(place)
    sources = Sources(stack, session.begun.job.step.options, run)
    fused = session.source(place, FUSED)
    for number, stroke in enumerate(strokes):
        if stroke.source == FUSED and fused is not None:
            found = fused
        else:
            found = session.scaled(sources.get(stroke, number, len(strokes)))
        window = window_of(stroke.points, stroke.radius, session.size)
        patch = patch_of(
            made["image"], found, stroke.points, stroke.radius, window, alpha=stack.alpha
        )
        put(patch, made["image"], made.get("depth"), made.get("confidence"), found)
        made["labels"][window][patch.painted] = session.label_of(stroke.source)
