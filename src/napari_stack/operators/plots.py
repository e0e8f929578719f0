"""`plot`: measured gains, fall-offs and decays as a PNG or SVG, without a viewer."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack.files._replacing import replacing
from napari_stack.operators.balance import Gains
from napari_stack.operators.bleaching import Bleaching
from napari_stack.operators.vignetting import Vignetting

_SUFFIXES = (".png", ".svg")


def plot(
    value: Gains | Vignetting | Bleaching, path: str | Path, *, overwrite: bool = False
) -> None:
    """Draw a measured value: gains over the frames, light over the radius, or a decay.

    Parameters
    ----------
    value : Gains, Vignetting or Bleaching
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
        raise TypeError(f"a plot shows Gains, Vignetting or Bleaching, not {type(value).__name__}")
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
    Gains: _draw_gains,
    Vignetting: _draw_vignetting,
    Bleaching: _draw_bleaching,
}
