"""`retouch`, and how strokes are applied to a fused image before it is denoised and sharpened."""

from collections.abc import Mapping
from typing import Any

from napari_stack.core.stack import Stack
from napari_stack.core.stroke import FUSED
from napari_stack.core.strokes import Strokes, StrokesSource
from napari_stack.engine.run import Run
from napari_stack.operators.focus.focus_stack import Focused, focus_stack
from napari_stack.operators.focus.methods import WorkingResult
from napari_stack.operators.focus.retouch.blend import window_of
from napari_stack.operators.focus.retouch.patches import patch_of, put
from napari_stack.operators.focus.retouch.sources import Sources, key_of, loaded


def retouch(stack: Stack, strokes: StrokesSource, *, run: Run = Run(), **options: Any) -> Focused:
    """Fuse a focus series, and take the pixels under strokes from the frames that they name.

    Parameters
    ----------
    stack : Stack
        Frames at different focus, in order, registered.
    strokes : Strokes, list, mapping, path or str
        What was painted; see `Strokes`.
    run : Run
    **options
        Of `focus_stack`, whose option ``retouch`` the strokes are.

    Returns
    -------
    Focused
        Outside of the strokes, and of the seams around them, as without them.

    Raises
    ------
    ValueError
        For strokes that do not fit the frames, and what `focus_stack` refuses.
    """
    return focus_stack(stack, retouch=strokes, run=run, **options)


def retouched(
    found: WorkingResult, stack: Stack, strokes: Strokes, options: Mapping[str, Any], run: Run
) -> WorkingResult:
    """Apply strokes, one after another, to a fused image, which they change in place.

    Parameters
    ----------
    found : WorkingResult
    stack : Stack
    strokes : Strokes
        As `check_strokes` gave them.
    options : mapping
        With which the image was fused.
    run : Run
    """
    sources = Sources(stack, options, run)
    if any(stroke.source == FUSED for stroke in strokes):
        # Without saying which pixels no frame covers, for no image that was stored says so.
        sources.kept[key_of(FUSED)] = loaded(found, stack)._replace(valid=None)
    size = (stack.shape[1], stack.shape[2])
    for number, stroke in enumerate(strokes):
        source = sources.get(stroke, number, len(strokes))
        window = window_of(stroke.points, stroke.radius, size)
        patch = patch_of(
            found.image, source, stroke.points, stroke.radius, window, alpha=stack.alpha
        )
        put(patch, found.image, found.depth, found.confidence, source)
    return found
