"""Cases: real images of others, reduced, registered, fused and clipped; skipped where absent."""

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
import scenes

import napari_stack as ns

#: Groups of tiny images with what is known of clipping them.
CLIPPED = ("1d_*.tif", "4d_float_*.tif", "image_?.tif", "image_alpha_*.tif")


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    if not scenes.DATA.is_dir():
        return
    for method in ("auto", "pyramid", "depth map"):
        for name in ("focus_pcb/*.jpg", "focus_motorcycle/slice_*.tif", "focus_algae/*.png"):
            yield f"real/{name}/{method}", partial(_fused, name, method)
    yield from _registered()
    for pattern in CLIPPED:
        for spread in ("standard deviation", "MAD", "winsorised"):
            yield f"real/sigma_clip {pattern}/{spread}", partial(_clipped, pattern, spread)
        yield f"real/combine {pattern}", partial(_combined, pattern)
    yield from _lit()


@lru_cache(maxsize=4)
def _small(pattern: str, factor: float = 0.2, **options: Any) -> ns.Stack:
    """Read images of the shared data, reduced and kept in memory."""
    stack = ns.read(str(scenes.DATA / pattern), **options)
    reduced = ns.transform_frames(stack, resize=ns.ByFactor(factor), interpolation="linear")
    return ns.Stack.wrap(np.asarray(reduced), rgb=stack.rgb)


def _fused(pattern: str, method: str) -> Any:
    stack = _small(pattern, 0.5 if "motorcycle" in pattern else 0.2)
    if "pcb" in pattern:
        stack = ns.register(stack)
    return {"frames": stack, "fused": ns.focus_stack(stack, method=method)}


def _registered() -> Iterator[tuple[str, Any]]:
    for transform in ("translation", "similarity", "affine"):
        yield f"real/sem_slices/{transform}", partial(_slices, transform)
    for method in ("auto", "fourier", "imreg_dft", "features"):
        for pair in ("12", "13", "33"):
            yield f"real/similarity_pairs {pair}/{method}", partial(_pair, pair, method)
    for transform in ("similarity", "affine", "homography"):
        yield f"real/landmarks/{transform}", partial(_landmarks, transform)
    yield (
        "real/handheld_burst",
        lambda: ns.sigma_clip(
            ns.register(_small("handheld_burst/*.jpg", 0.3)), centre="median", spread="MAD"
        ),
    )
    yield "real/multiband", lambda: ns.measure_transforms(_small("multiband/*.tif", 0.3))


def _slices(transform: str) -> Any:
    stack = ns.read(scenes.DATA / "sem_slices")
    cut = ns.transform_frames(stack, crop=ns.Box(400, 200, 1000, 600))
    moved = ns.register(cut, transform=transform)
    return {"transforms": moved.transforms, "mean": ns.combine(moved)}


def _pair(pair: str, method: str) -> Any:
    names = {"12": ("1.png", "2.png"), "13": ("1.png", "3.png"), "33": ("3c.jpg", "3n.jpg")}[pair]
    paths = [str(scenes.DATA / "similarity_pairs" / f"sample{name}") for name in names]
    return ns.measure_transforms(ns.read(paths), method=method, reference="first")


def _landmarks(transform: str) -> Any:
    folder = scenes.DATA / "landmarks"
    names = ("reference", "moving-rigid", "moving-affine")
    stack = ns.read([str(folder / f"artificial_{name}.jpg") for name in names])
    return ns.measure_transforms(stack, transform=transform, reference="first")


def _clipped(pattern: str, spread: str) -> Any:
    stack = ns.read(str(scenes.DATA / "sigma_clip_cases" / pattern))
    return ns.sigma_clip(stack, sigma=1.2, spread=spread, details=True)


def _combined(pattern: str) -> Any:
    return ns.combine(ns.read(str(scenes.DATA / "sigma_clip_cases" / pattern)), method="median")


def _lit() -> Iterator[tuple[str, Any]]:
    """Measure uneven and fading light on real series."""
    for name in ("timelapse_brightfield", "timelapse_nanog", "wsi_brain"):
        for measure in (ns.measure_flat_field, ns.measure_vignetting, ns.measure_bleaching):
            yield f"real/{measure.__name__}/{name}", partial(_measured, measure, name)


def _measured(measure: Any, name: str) -> Any:
    return measure(ns.read(scenes.DATA / "flat_field" / f"{name}.npz", every=4))
