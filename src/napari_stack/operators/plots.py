"""`plot`: measured values (drift, matches, gains, ...) as a PNG or SVG, without a viewer."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.files._replacing import replacing
from napari_stack.operators.balance import Gains
from napari_stack.operators.bleaching import Bleaching
from napari_stack.operators.matches import Matches
from napari_stack.operators.transforms import Transforms
from napari_stack.operators.vignetting import Vignetting

_SUFFIXES = (".png", ".svg")


def plot(
    value: Transforms | Matches | Gains | Vignetting | Bleaching,
    path: str | Path,
    *,
    overwrite: bool = False,
) -> None:
    """Draw a measured value over the frames: drift, gains or a decay; or over the picture.

    Of `Transforms` shift, rotation, scale and quality are drawn, of `Matches` the two frames beside
    one another, of `Vignetting` the light over the radius.

    Parameters
    ----------
    value : Transforms, Matches, Gains, Vignetting or Bleaching
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
    path = Path(path)
    draw = next((d for kind, d in _DRAWINGS.items() if isinstance(value, kind)), None)
    if draw is None:
        known = ", ".join(kind.__name__ for kind in _DRAWINGS)
        raise TypeError(f"a plot shows {known}, not {type(value).__name__}")
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{path}: plots are written as .png or .svg")
    try:
        figures = import_module("matplotlib.figure")
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install matplotlib") from error
    figure = figures.Figure(figsize=(6, 4), layout="constrained")
    draw(figure.add_subplot(), value)
    with replacing(path, overwrite=overwrite) as temporary:
        figure.savefig(temporary, format=path.suffix.lower()[1:], dpi=120)


def _draw_transforms(axes: Any, transforms: Transforms) -> None:
    """Draw one panel for each kind of motion; failed frames are marked in all."""
    found, frames = transforms.decomposed(), np.arange(len(transforms))
    figure, good = axes.figure, ~transforms.failed
    axes.remove()
    figure.set_size_inches(6, 7)
    panels = figure.subplots(4, 1, sharex=True)
    lines = (
        (f"shift ({found.unit})", {"x": found.shift[:, 0], "y": found.shift[:, 1]}),
        ("rotation (degrees)", {"": found.rotation}),
        ("scale", {"along x": found.scale[:, 0], "across": found.scale[:, 1]}),
        ("quality", {"": transforms.quality}),
    )
    for panel, (title, curves) in zip(panels, lines, strict=True):
        for name, values in curves.items():
            panel.plot(frames, np.where(good, values, np.nan), marker=".", label=name)
        for frame in np.flatnonzero(transforms.failed):
            panel.axvline(frame, color="crimson", linestyle=":")
        panel.set_ylabel(title)
        if len(curves) > 1:
            panel.legend()
    panels[3].set_ylim(0, 1.05)
    panels[3].set_xlabel("frame (dotted: failed)" if transforms.failed.any() else "frame")


def _draw_matches(axes: Any, matches: Matches) -> None:
    """Draw the reference at the left and the frame at the right, what matches joined by lines."""
    first, second = matches.images
    axes.figure.set_size_inches(10, 10 * first.shape[0] / (2 * first.shape[1]) + 0.6)
    axes.imshow(np.hstack([first, second]), cmap="gray")
    ends = matches.moving + np.array([first.shape[1], 0])
    for kept, colour in ((~matches.agree, "crimson"), (matches.agree, "limegreen")):
        pair = np.stack([matches.reference[kept], ends[kept]])
        axes.plot(pair[..., 0], pair[..., 1], color=colour, linewidth=0.5, marker=".", markersize=2)
    axes.set_title(f"{matches.agree.sum()} of {len(matches.agree)} matches agree")
    axes.set_axis_off()


def _draw_gains(axes: Any, gains: Gains) -> None:
    for k, line in enumerate(gains.gains.T):
        axes.plot(line, marker=".", label=str(k))
    axes.set_xlabel("frame")
    axes.set_ylabel("gamma" if gains.mapping == "gamma" else "gain")
    axes.set_title(f"{gains.channels}, {gains.mapping.replace('_', ' ')}")
    if gains.gains.shape[1] > 1:
        axes.legend(title="channel")


def _draw_vignetting(axes: Any, vignetting: Vignetting) -> None:
    radii = np.linspace(0, vignetting.half, 200)
    frames, channels = vignetting.parameters.shape[:2]
    for m in range(frames):
        for k in range(channels):
            axes.plot(radii, vignetting.share(radii, m, k))
    axes.axvline(min(vignetting.size) / 2, color="grey", linestyle=":")
    axes.set_xlabel("distance from the centre (px)")
    axes.set_ylabel("light left")
    axes.set_title(vignetting.model)


def _draw_bleaching(axes: Any, bleaching: Bleaching) -> None:
    for k in range(bleaching.means.shape[1]):
        axes.plot(bleaching.means[:, k], ".", color=f"C{k}")
        axes.plot(bleaching.fitted[:, k], color=f"C{k}")
    axes.set_xlabel("frame")
    axes.set_ylabel("mean intensity")
    axes.set_title(bleaching.method)


_DRAWINGS: dict[type, Any] = {
    Transforms: _draw_transforms,
    Matches: _draw_matches,
    Gains: _draw_gains,
    Vignetting: _draw_vignetting,
    Bleaching: _draw_bleaching,
}
