"""Cases: one image of many frames, by every method, and moving averages."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import scenes
from scenes import frames, moved

import napari_stack as ns

METHODS = (
    "mean", "median", "sum", "product", "minimum", "maximum", "range", "standard deviation",
    "difference", "weighted mean", "percentile",
)  # fmt: skip
NORMALISATIONS = ("none", "additive", "multiplicative", "both")
CENTRES = ("mean", "median")
SPREADS = ("standard deviation", "MAD", "winsorised")

#: Least memory of a run: frames are taken a few rows at a time.
SMALL = ns.Run(memory=2**20)


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    yield from _combining()
    yield from _combining_options()
    yield from _clipping()
    yield from _clipping_options()
    for kind in scenes.ALL:
        yield f"moving_average/defaults/{kind}", partial(_smoothed, kind)
    for how in ({"frames": 1}, {"frames": 4}, {"dtype": "float32"}, {"dtype": "float64"}):
        yield f"moving_average/{how}", partial(_smoothed, "uint16", **how)
    yield "moving_average/left out", lambda: ns.moving_average(_left_out(), frames=2)
    yield "moving_average/clipped", lambda: ns.sigma_clip(ns.moving_average(moved(), frames=3))


def _smoothed(kind: str, **options: Any) -> Any:
    return ns.moving_average(moved(kind), **options)


def _left_out() -> ns.Stack:
    """Return frames of which two do not count."""
    stack = moved()
    used = np.arange(len(stack)) % 4 != 1
    return replace(stack, used=used)


def _combined(stack: Any, *arguments: Any, **options: Any) -> Any:
    return ns.combine(stack(*arguments), **options)


def _combining() -> Iterator[tuple[str, Any]]:
    for method in METHODS:
        for kind in scenes.ALL:
            yield f"combine/{method}/{kind}", partial(_combined, moved, kind, method=method)
        for how in NORMALISATIONS[1:]:
            for kind in ("uint16", "uint8 rgb"):
                options = {"method": method, "normalisation": how}
                yield (
                    f"combine/{method}/{how}/{kind}",
                    partial(_combined, _flicker, kind, **options),
                )
        for dtype in ("input", "float32", "float64"):
            yield (f"combine/{method}/as {dtype}",
                   partial(_combined, moved, "uint16", method=method, dtype=dtype))  # fmt: skip
        yield f"combine/{method}/left out", partial(_combined, _left_out, method=method)
        yield f"combine/{method}/bands", partial(_combined, _large, method=method, run=SMALL)


def _flicker(kind: str) -> ns.Stack:
    return frames("flickering", kind)


def _large() -> ns.Stack:
    """Return more pixels than the least memory holds."""
    return ns.apply_transforms(frames("cosmic_rays", frames=14), scenes.drift(14))


def _combining_options() -> Iterator[tuple[str, Any]]:
    for share in (0.0, 20.0, 50.0, 100.0):
        method = ns.Percentile(share)
        yield f"combine/percentile {share}", partial(_combined, moved, "uint16", method=method)
    weights = {"weights": np.arange(9) / 9, "no weight": np.zeros(9), "other weights": np.ones(3)}
    for name, given in weights.items():
        method = ns.WeightedMean(given)
        yield f"combine/{name}", partial(_combined, moved, "uint16", method=method)
    for suffix in ("npy", "csv", "txt"):
        yield f"combine/weights of {suffix}", partial(_weighted, suffix)


def _weighted(suffix: str) -> Any:
    path = scenes.folder() / f"weights.{suffix}"
    weights = np.linspace(0, 1, 9)
    np.save(path, weights) if suffix == "npy" else np.savetxt(path, weights)
    return ns.combine(moved(), method=ns.WeightedMean(path))


def _clipped(stack: Any, *arguments: Any, **options: Any) -> Any:
    return ns.sigma_clip(stack(*arguments), **options)


def _clipping() -> Iterator[tuple[str, Any]]:
    for centre in CENTRES:
        for spread in SPREADS:
            how = {"centre": centre, "spread": spread, "sigma": 2.0}
            name = f"sigma_clip/{centre}/{spread}"
            for kind in scenes.ALL:
                yield f"{name}/{kind}", partial(_clipped, moved, kind, **how, details=True)
            yield f"{name}/bands", partial(_clipped, _large, **how, details=True, run=SMALL)
            yield f"{name}/left out", partial(_clipped, _left_out, **how)


def _clipping_options() -> Iterator[tuple[str, Any]]:
    several: list[dict[str, Any]] = [
        {}, {"iterations": 0}, {"iterations": 1}, {"sigma_low": 1.5, "sigma_high": 4.0},
        {"sigma_low": 100.0}, {"sigma": 1.0, "iterations": 1000},
        *({"dtype": dtype} for dtype in ("float32", "float64")),
        *({"normalisation": how, "sigma": 1.8} for how in NORMALISATIONS[1:]),
    ]  # fmt: skip
    for options in several:
        for kind in ("uint16", "uint8 rgb"):
            yield f"sigma_clip/{options}/{kind}", partial(_clipped, moved, kind, **options)
    for kind in scenes.KINDS:
        yield f"sigma_clip/few/{kind}", partial(_clipped, _flicker, kind)
    many = partial(frames, "cosmic_rays", frames=40, size=(48, 56))
    yield "sigma_clip/many", partial(_clipped, many, details=True)
    yield "sigma_clip/many by MAD", partial(_clipped, many, spread="MAD", centre="median")
