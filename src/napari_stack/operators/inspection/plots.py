"""Plots as PNG or SVG files, without a viewer: `plot` of a measured value, and those of a step.

The plots of a step, which the catalogue names, are ``draw(figure, made)``: they draw on an empty
figure; one that is left empty is no file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from napari_stack.core.errors import MissingPackageError, UserError
from napari_stack.core.stack import Stack
from napari_stack.core.system.atomic_write import replacing
from napari_stack.operators.corrections.balance import Gains
from napari_stack.operators.corrections.bleaching import Bleaching
from napari_stack.operators.corrections.flat_field import FlatField
from napari_stack.operators.corrections.hot_pixels import HotPixels
from napari_stack.operators.corrections.pixelwise import parts_of
from napari_stack.operators.corrections.vignetting_value import Vignetting
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.inspection import drawings
from napari_stack.operators.registration.matches import Matches

#: What a file of a plot may be.
PlotFormat = Literal["png", "svg"]

_SUFFIXES = (".png", ".svg")


_VALUES: dict[type, Callable[[Any, Any], None]] = {
    Gains: drawings.draw_gains,
    Vignetting: drawings.draw_vignetting,
    FlatField: drawings.draw_flat_field,
    Bleaching: drawings.draw_bleaching,
    HotPixels: lambda figure, value: drawings.draw_mask(figure, value.mask),
    Transforms: drawings.draw_drift,
    Matches: drawings.draw_matches,
}


def new_figure() -> Any:
    """Make an empty figure that needs no window.

    Raises
    ------
    ImportError
        When matplotlib, which draws, is not installed.
    """
    try:
        figures = import_module("matplotlib.figure")
    except ImportError as error:
        raise MissingPackageError(
            "plots need matplotlib: pip install matplotlib, or napari-stack[plots]"
        ) from error
    return figures.Figure(figsize=(6, 4), layout="constrained")


def plot(value: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Draw a measured value: gains, light over a radius, a flat, a decay, a mask, drift or matches.

    Parameters
    ----------
    value : Gains, Vignetting, FlatField, Bleaching, HotPixels, Transforms or Matches
    path : str or Path
        Ends with ``.png`` or ``.svg``.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    FileExistsError
        When the file is there and `overwrite` is False.
    ImportError
        When matplotlib, which draws it, is not installed.
    TypeError, ValueError
        For a value that has no plot, or another ending of the path.
    """
    draw = next((d for kind, d in _VALUES.items() if isinstance(value, kind)), None)
    if draw is None:
        known = ", ".join(kind.__name__ for kind in _VALUES)
        raise TypeError(f"a plot shows one of {known}; not {type(value).__name__}")
    figure = new_figure()
    draw(figure, value)
    save_figure(figure, Path(path), overwrite=overwrite)


def save_figure(figure: Any, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure to a file.

    Raises
    ------
    FileExistsError
        When the file is there and `overwrite` is False.
    ValueError
        For another ending than ``.png`` and ``.svg``.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{path}: plots are written as .png or .svg")
    with replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format=path.suffix.lower()[1:], dpi=120)


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
