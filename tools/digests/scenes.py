"""The frames that cases run on: small samples of every type and kind, and folders for files."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import napari_stack as ns

ROOT = Path(__file__).resolve().parents[2]

#: Real images of others, beside the repository; they are not part of it.
DATA = ROOT.parent / "shared" / "data"

EXAMPLES = ROOT / "examples"

SIZE = (128, 160)

#: Pixel types with what a pixel holds.
GREY = ("uint8", "uint16", "float32")
COLOURS = ("uint8 rgb", "uint16 rgb", "float32 rgb")
ODD = ("uint8 rgba", "uint16 bands", "float32 holes")
KINDS = GREY + COLOURS
ALL = KINDS + ODD

#: Frames of each sample, and what else it is made with.
HOW: dict[str, dict[str, Any]] = {
    "drifting_cells": {"frames": 5, "shift": 6.0},
    "cosmic_rays": {"frames": 9, "rays": 20},
    "focus_series": {"frames": 5},
    "vignetted": {"frames": 4},
    "shaded": {"frames": 6, "shift": 60.0},
    "flickering": {"frames": 4},
    "bleaching": {"frames": 6},
    "hot_pixels": {"frames": 5, "shift": 20.0, "count": 40},
}

_TOP = {"uint8": 255.0, "uint16": 4095.0, "float32": 1.0}

_place: list[Path] = []
_numbers = count()


@lru_cache(maxsize=64)
def frames(sample: str, kind: str = "uint16", **more: Any) -> ns.Stack:
    """Make a sample of a kind: a pixel type, and rgb, rgba, bands or holes."""
    return ns.Stack.wrap(_pixels(sample, kind, more), rgb="rgb" in kind)


def _pixels(sample: str, kind: str, more: dict[str, Any]) -> Any:
    dtype, _, channels = kind.partition(" ")
    made = getattr(ns.samples, sample)(**{"size": SIZE, **HOW[sample], **more}, dtype=dtype)[0]
    grey, top = np.asarray(made), _TOP[dtype]
    if channels == "holes":
        grey = grey.copy()
        grey[1, 20:60, 30:50] = np.nan
        return grey
    if not channels:
        return grey
    light = grey.astype(np.float64) / top
    made = [light, 0.85 * light, 0.9 * light * light + 0.05]
    made = made[:2] if channels == "bands" else made
    pixels = np.stack(made, axis=-1) * top
    pixels = (pixels if dtype == "float32" else np.rint(pixels)).astype(dtype)
    if channels == "rgba":
        opaque = np.full((*grey.shape, 1), np.iinfo(dtype).max, dtype)
        opaque[:, :30, :40] = 0
        pixels = np.concatenate([pixels, opaque], axis=-1)
    return pixels


@lru_cache(maxsize=16)
def moved(kind: str = "uint16", sample: str = "cosmic_rays") -> ns.Stack:
    """Return a sample moved by known shifts: some pixels are covered by no frame."""
    stack = frames(sample, kind)
    return ns.apply_transforms(stack, drift(len(stack)))


def drift(number: int, failed: int | None = None) -> ns.Transforms:
    """Make transforms that shift and turn a little, maybe with a frame that failed."""
    matrices = np.tile(np.eye(3), (number, 1, 1))
    step = np.arange(number) - number // 2
    angle = np.deg2rad(0.4 * step)
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(angle)
    matrices[:, 0, 1], matrices[:, 1, 0] = -np.sin(angle), np.sin(angle)
    matrices[:, 0, 2], matrices[:, 1, 2] = 1.7 * step, -1.3 * step
    lost = np.arange(number) == failed
    matrices[lost] = np.eye(3)
    return ns.Transforms(matrices, np.where(lost, 0.1, 0.9), lost, size=SIZE)


@lru_cache(maxsize=1)
def hyperstack() -> ns.Hyperstack:
    """Make a small (t, c, z, y, x) sample."""
    return ns.samples.hyperstack(times=3, slices=4, size=(96, 112))[0]


def truth(sample: str, kind: str, name: str) -> Any:
    """Return what is known of a sample."""
    return getattr(ns.samples, sample)(size=SIZE, **HOW[sample], dtype=kind)[1][name]


@contextmanager
def folders() -> Iterator[None]:
    """Make a place for files that goes at the end."""
    with TemporaryDirectory() as name:
        _place.append(Path(name).resolve())
        try:
            yield
        finally:
            _place.pop()


def folder() -> Path:
    """Return a new empty folder."""
    made = _place[-1] / f"{next(_numbers):05d}"
    made.mkdir()
    return made


def as_json(value: Any) -> Any:
    """Write a recipe or a measured value as JSON types, in every version."""
    return value.to_json() if hasattr(value, "to_json") else value.to_plain()


def without_places(text: str) -> str:
    """Leave out of a text where the files lie, which differs from run to run."""
    text = re.sub(re.escape(str(_place[-1])) + r"(/\d{5})?", "FOLDER", text)
    return text.replace(str(DATA), "DATA").replace(str(ROOT), "ROOT")


def clear() -> None:
    """Remove the files of a case."""
    for place in _place[-1].iterdir():
        rmtree(place)
