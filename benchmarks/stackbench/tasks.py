"""The tasks: frames that a program gets, the truth that it does not, and how near it comes.

All are made from `napari_stack.samples` and formulas, so that anybody can make them again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Data = dict[str, Array]


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes
    ----------
    kind : str
        Function of an adapter that does it.
    about : str
        What it asks for.
    made : callable
        Gives what the program gets, and the truth.
    score : callable
        ``score(result, truth)``.
    unit : str
    higher : bool
        Higher scores are better.
    quick : bool
        It is one of those of the quick mode.
    """

    kind: str
    about: str
    made: Callable[[], tuple[Data, Data]]
    score: Callable[[Array, Data], float]
    unit: str
    higher: bool = False
    quick: bool = False


def _drift(transform: str, **options: Any) -> Callable[[], tuple[Data, Data]]:
    def made() -> tuple[Data, Data]:
        from napari_stack import samples

        stack, truth = samples.drifting_cells(frames=6, size=(320, 320), **options)
        return (
            {"frames": np.asarray(stack), "transform": np.array(transform)},
            {"matrices": truth["matrices"]},
        )

    return made


def _corner_error(result: Array, truth: Data) -> float:
    """Mean error at the corners of all frames but the reference, the middle one, in px."""
    corners = np.array([[0, 0, 1], [319, 0, 1], [0, 319, 1], [319, 319, 1]], float).T
    true = truth["matrices"] @ np.linalg.inv(truth["matrices"][3])
    places = (result @ corners, true @ corners)
    ours, theirs = (p[:, :2] / p[:, 2:] for p in places)
    errors = np.hypot(*np.moveaxis(ours - theirs, 1, 0)).mean(axis=1)
    return float(np.delete(errors, 3).mean())


def _deformation() -> tuple[Data, Data]:
    from napari_stack import samples

    stack, truth = samples.deforming(frames=8, size=(160, 160), photons=200)
    given = {"frames": np.asarray(stack), "points": truth["points"]}
    return given, {"displacements": truth["displacements"]}


def _deformation_error(result: Array, truth: Data) -> float:
    """Root mean square of what is left, in px, but for the mean geometry, which is free."""
    wrong = result - truth["displacements"]
    wrong = wrong - wrong.mean(axis=0)
    return float(np.sqrt((wrong**2).sum(-1).mean()))


def _volumes() -> tuple[Data, Data]:
    from napari_stack import samples

    hyperstack, truth = samples.sinking_volume(volumes=5, planes=10, size=(96, 96))
    return {"volumes": np.asarray(hyperstack)}, {"shifts": truth["shifts"]}


def _shift_error(result: Array, truth: Data) -> float:
    """Root mean square error of a shift (dx, dy, dz)."""
    wrong = np.delete(result - truth["shifts"], len(result) // 2, axis=0)
    return float(np.sqrt((wrong**2).sum(-1).mean()))


def _rays() -> tuple[Data, Data]:
    from napari_stack import samples

    stack, truth = samples.cosmic_rays(frames=15, size=(400, 400), rays=40)
    return {"frames": np.asarray(stack)}, {"clean": truth["clean"]}


def _rms(name: str) -> Callable[[Array, Data], float]:
    def score(result: Array, truth: Data) -> float:
        wrong = np.asarray(result, float) - truth[name]
        inner = wrong[8:-8, 8:-8]
        return float(np.sqrt(np.nanmean(inner**2)))

    return score


def _focus(breathing: float) -> Callable[[], tuple[Data, Data]]:
    def made() -> tuple[Data, Data]:
        from napari_stack import samples

        stack, truth = samples.focus_series(
            frames=9, size=(288, 360), breathing=breathing, noise=3 / 255
        )
        return {"frames": np.asarray(stack)}, {"image": truth["image"], "depth": truth["depth"]}

    return made


def _decibels(result: Array, truth: Data) -> float:
    """Peak signal over error, in dB, without the border."""
    wrong = (np.asarray(result, float) - truth["image"])[16:-16, 16:-16]
    return float(20 * np.log10(255 / np.sqrt((wrong**2).mean())))


def _depth_error(result: Array, truth: Data) -> float:
    """Mean error of the depth, in frames."""
    return float(np.abs(result - truth["depth"])[8:-8, 8:-8].mean())


def _hot() -> tuple[Data, Data]:
    from napari_stack import samples

    stack, truth = samples.hot_pixels(frames=12, size=(320, 320), count=150)
    return {"frames": np.asarray(stack)}, {"mask": truth["mask"]}


def _f1(result: Array, truth: Data) -> float:
    """Harmonic mean of precision and recall."""
    found, true = np.asarray(result) != 0, truth["mask"] != 0
    both = np.count_nonzero(found & true)
    return 2 * both / max(np.count_nonzero(found) + np.count_nonzero(true), 1)


def _dithered() -> tuple[Data, Data]:
    """Draw a scene four times as fine, move it by whole fine pixels, see it by large ones."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(5)
    fine = gaussian_filter(rng.normal(size=(800, 800)), 4.0, mode="wrap")
    fine = 500 + 400 * fine / fine.std()
    moves = rng.integers(-6, 7, (16, 2))
    seen = [np.roll(fine, (y, x), (0, 1)).reshape(200, 4, 200, 4).mean((1, 3)) for x, y in moves]
    frames = np.stack(seen) + rng.normal(0, 10, (16, 200, 200))
    given = {"frames": frames.astype(np.float32), "shifts": moves / 4.0, "scale": np.array(2)}
    return given, {"image": fine.reshape(400, 2, 400, 2).mean((1, 3))}


def _shaded() -> tuple[Data, Data]:
    from napari_stack import samples

    stack, truth = samples.shaded(frames=24, size=(256, 256), dark=0.0)
    return {"frames": np.asarray(stack)}, {"flat": truth["shading"]}


def _flat_error(result: Array, truth: Data) -> float:
    """Root mean square of the light that is left, in per cent."""
    ratio = np.asarray(result, float) / truth["flat"]
    return float(100 * ratio.std() / ratio.mean())


_TRANSLATION = {"shift": 20.0, "rotation": 0.0, "scale": 0.0}

TASKS: dict[str, Task] = {
    "drift": Task(
        "registration", "6 frames of 320 x 320 that shift",
        _drift("translation", noise=0.03, **_TRANSLATION), _corner_error, "px", quick=True,
    ),
    "drift, noisy": Task(
        "registration", "the same in noise of 0.15 of full brightness",
        _drift("translation", noise=0.15, **_TRANSLATION), _corner_error, "px",
    ),
    "turn and scale": Task(
        "registration", "frames that shift, turn by degrees and grow by per cent",
        _drift("similarity", shift=15.0, rotation=4.0, scale=0.03, noise=0.03), _corner_error, "px",
        quick=True,
    ),
    "large turn": Task(
        "registration", "frames that turn by up to 25 degrees",
        _drift("similarity", shift=20.0, rotation=25.0, scale=0.02, noise=0.03), _corner_error,
        "px",
    ),
    "deformation": Task(
        "deformation", "8 frames of 160 x 160 of tissue that deforms, 200 photons",
        _deformation, _deformation_error, "px",
    ),
    "volumes": Task(
        "volumes", "5 volumes of 10 x 96 x 96 that wander along x, y and z",
        _volumes, _shift_error, "px",
    ),
    "rays": Task(
        "clipping", "15 frames of 400 x 400 (12 bits) with rays, sigma 2.5",
        _rays, _rms("clean"), "grey levels", quick=True,
    ),
    "focus": Task(
        "fusion", "9 frames of 288 x 360 (8 bits) with noise 3", _focus(0.0), _decibels, "dB",
        higher=True, quick=True,
    ),
    "focus, breathing": Task(
        "breathing", "the same, the picture grows by 3 % with the focus", _focus(0.03), _decibels,
        "dB", higher=True,
    ),
    "depth": Task("depth", "depth of the series above", _focus(0.0), _depth_error, "frames"),
    "hot pixels": Task(
        "hot_pixels", "12 frames of 320 x 320 that drift, 150 defects", _hot, _f1, "F1",
        higher=True, quick=True,
    ),
    "drizzle": Task(
        "drizzling", "16 frames of 200 x 200 on a grid twice as fine, shifts known", _dithered,
        _rms("image"), "grey levels", quick=True,
    ),
    "shading": Task(
        "flat_field", "the flat of 24 scenes of 256 x 256, none recorded", _shaded, _flat_error,
        "%",
    ),
}  # fmt: skip
