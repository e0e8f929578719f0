"""Plots of a step: ``draw(figure, made)`` draws on an empty figure; one left empty is no file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_stack.core.stack import Stack
from napari_stack.operators.corrections.balance import Gains
from napari_stack.operators.corrections.bleaching import Bleaching
from napari_stack.operators.corrections.flat_field import FlatField
from napari_stack.operators.corrections.hot_pixels import HotPixels
from napari_stack.operators.corrections.pixelwise import parts_of
from napari_stack.operators.corrections.vignetting_value import Vignetting
from napari_stack.operators.inspection import drawings


@dataclass(frozen=True)
class Made:
    """What a step made of a stack: all that its plots are drawn from.

    Parameters
    ----------
    before : Stack
        The frames that the step took.
    result : Stack, ndarray or NamedTuple of ndarray
        What it gave.
    options : mapping
        Options of the operator that differ from their defaults.
    """

    before: Stack
    result: Any
    options: Mapping[str, Any]

    def value(self, kind: type) -> Any:
        """Return the correction of a kind that was measured last, or None."""
        parts = [part for c in self.result.corrections for part in parts_of(c)]
        return next((part for part in reversed(parts) if isinstance(part, kind)), None)


def drift(figure: Any, made: Made) -> None:
    """Draw how the frames moved."""
    drawings.draw_drift(figure, made.result.transforms)


def matches(figure: Any, made: Made) -> None:
    """Draw the matches of the frame that fits worst."""
    drawings.draw_worst_matches(figure, made.before, made.result.transforms, made.options)


def gains(figure: Any, made: Made) -> None:
    """Draw the gains of every frame."""
    drawings.draw_gains(figure, made.value(Gains))


def histograms(figure: Any, made: Made) -> None:
    """Draw the histograms before and after balancing."""
    reference = made.options.get("reference", "middle")
    drawings.draw_histograms(figure, made.before, made.value(Gains), reference)


def fall_off(figure: Any, made: Made) -> None:
    """Draw the light over the radius."""
    drawings.draw_vignetting(figure, made.value(Vignetting), made.before)


def flat(figure: Any, made: Made) -> None:
    """Draw the flat field."""
    drawings.draw_flat_field(figure, made.value(FlatField))


def decay(figure: Any, made: Made) -> None:
    """Draw the decay of the signal."""
    drawings.draw_bleaching(figure, made.value(Bleaching))


def found_mask(figure: Any, made: Made) -> None:
    """Draw the hot pixels that were found."""
    drawings.draw_mask(figure, made.result)


def repaired_mask(figure: Any, made: Made) -> None:
    """Draw the hot pixels that were repaired."""
    drawings.draw_mask(figure, made.value(HotPixels).mask)
