"""Cases: what a camera spoils, measured and made up for; frames made smoother, crisper, smaller."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scenes
from scenes import as_json, frames, moved, truth

import napari_stack as ns

BALANCED = ("luminosity", "rgb", "hsv", "hls", "lab")
MAPPINGS = ("linear", "gamma", "match_histogram")
FADING = ("exponential", "ratio", "histogram")

#: What measures on a sample, what applies it, and the kind of the measured value.
PAIRS: dict[str, tuple[str, Any, Any, Any]] = {
    "gains": ("flickering", ns.measure_gains, ns.apply_gains, ns.Gains),
    "vignetting": ("vignetted", ns.measure_vignetting, ns.apply_vignetting, ns.Vignetting),
    "flat_field": ("shaded", ns.measure_flat_field, ns.apply_flat_field, ns.FlatField),
    "bleaching": ("bleaching", ns.measure_bleaching, ns.apply_bleaching, ns.Bleaching),
}

#: Options of balancing, vignetting and bleaching that are not their defaults.
BALANCING: tuple[dict[str, Any], ...] = (
    {"reference": "first"}, {"reference": 3}, {"reference": 50}, {"mask_size": 0.7},
    {"intensity_min": 200.0, "intensity_max": 3000.0}, {"subsample": 1},
)  # fmt: skip
SHADING: tuple[dict[str, Any], ...] = (
    {"model": "sigmoid"}, {"model": ns.Sigmoid(r_steps=30)}, {"model": ns.Polynomial(True)},
    {"each_frame": True}, {"scene": "still"}, {"scene": "moving"}, {"max_correction": 0.5},
    {"black_level": 40.0, "black_threshold": 100.0},
)  # fmt: skip
FINDING: tuple[dict[str, Any], ...] = (
    {"thresholds": "13"}, {"thresholds": "13,20,13"}, {"blur": 9}, {"blur": 4}, {"kind": "hot"},
    {"kind": "cold"},
)  # fmt: skip
RESHAPING: dict[str, dict[str, Any]] = {
    **{f"by {degrees}": {"rotate": degrees} for degrees in (90.0, 180.0, -90.0, 33.0)},
    **{f"by {degrees} grown": {"rotate": degrees, "grow": True} for degrees in (90.0, 33.0)},
    "box": {"crop": ns.Box(10, 20, 150, 100)},
    "box beyond": {"crop": ns.Box(10, 20, 1500, 100)},
    "turned box": {"rotate": 12.0, "crop": ns.Box(10, 20, 90, 100)},
    "half": {"resize": "by factor"},
    "larger": {"resize": ns.ByFactor(1.7)},
    "fit": {"resize": ns.ToFit(70, 70)},
    "size": {"resize": ns.ToSize(100, 40)},
    "all": {"rotate": 45.0, "grow": True, "crop": ns.Box(30, 30), "resize": ns.ByFactor(0.7)},
}


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    yield from _measured_pairs()
    yield from _balancing()
    yield from _shading()
    yield from _flat_fields()
    yield from _fading()
    yield from _hot_pixels()
    yield from _filters()
    yield from _reshaping()
    yield "corrections/in a row", _in_a_row


def _on(operator: Any, sample: str, kind: str, /, **options: Any) -> Any:
    return operator(frames(sample, kind), **options)


def _measured_pairs() -> Iterator[tuple[str, Any]]:
    for name, (sample, measure, *_) in PAIRS.items():
        for kind in scenes.ALL:
            yield f"measure_{name}/{kind}", partial(_on, measure, sample, kind)
            yield f"apply_{name}/{kind}", partial(_applied, name, kind)
        for suffix in ("json", "npz", "txt"):
            for kind in ("uint16", "uint8 rgb"):
                yield f"measured file/{name}/{suffix}/{kind}", partial(_kept, name, suffix, kind)
        yield f"apply_{name}/moved", partial(_to_moved, name)
        yield f"apply_{name}/other frames", partial(_to_others, name)


def _applied(name: str, kind: str) -> Any:
    sample, measure, apply, _ = PAIRS[name]
    stack = frames(sample, kind)
    return apply(stack, measure(stack))


def _kept(name: str, suffix: str, kind: str) -> Any:
    sample, measure, apply, value = PAIRS[name]
    stack, path = frames(sample, kind), scenes.folder() / f"measured.{suffix}"
    found = measure(stack)
    found.save(path)
    loaded = value.load(path)
    return {"same": loaded == found, "loaded": loaded, "applied": apply(stack, loaded),
            "plain": str(sorted(as_json(found)))}  # fmt: skip


def _to_moved(name: str) -> Any:
    sample, measure, apply, _ = PAIRS[name]
    stack = moved("uint16", sample)
    return apply(stack, measure(stack))


def _to_others(name: str) -> Any:
    sample, measure, apply, _ = PAIRS[name]
    return apply(frames("drifting_cells", size=(40, 50), frames=3), measure(frames(sample)))


def _balancing() -> Iterator[tuple[str, Any]]:
    for channels in BALANCED:
        for mapping in MAPPINGS:
            for kind in ("uint16", *scenes.COLOURS, "uint16 bands"):
                how = {"channels": channels, "mapping": mapping}
                yield (f"balance/{channels}/{mapping}/{kind}",
                       partial(_on, ns.balance, "flickering", kind, **how))  # fmt: skip
    for options in BALANCING:
        yield f"balance/{options}", partial(_on, ns.balance, "flickering", "uint16", **options)


def _shading() -> Iterator[tuple[str, Any]]:
    for options in SHADING:
        for kind in ("uint16", "float32 rgb"):
            yield (f"correct_vignetting/{_told(options)}/{kind}",
                   partial(_on, ns.correct_vignetting, "vignetted", kind, **options))  # fmt: skip
    for scene in ("auto", "moving"):
        yield f"correct_vignetting/drifting {scene}", partial(_drifting, scene)
    yield (
        "correct_vignetting/each channel",
        partial(_on, ns.correct_vignetting, "vignetted", "uint8 rgb", each_channel=True),
    )


def _told(options: dict[str, Any]) -> str:
    """Name options without the places of their classes."""
    return ", ".join(f"{name}={value}" for name, value in options.items())


def _drifting(scene: str) -> Any:
    stack = frames("vignetted", "uint16", shift=25.0, frames=6)
    if scene == "auto":
        stack = ns.register(stack, transform="translation", method="phase")
    return ns.correct_vignetting(stack, scene=scene)


def _flat_fields() -> Iterator[tuple[str, Any]]:
    for given in ("", "flat", "dark", "flat dark", "dark flat"):
        for kind in ("uint8", "uint16", "float32", "uint16 rgb"):
            yield f"correct_flat_field/{given or 'estimated'}/{kind}", partial(_flat, given, kind)
    yield (
        "correct_flat_field/smooth",
        partial(_on, ns.correct_flat_field, "shaded", "uint16", smoothness=8.0),
    )


def _flat(given: str, kind: str) -> Any:
    dtype = kind.split()[0]
    images = [truth("shaded", dtype, name) for name in given.split()]
    names = sorted(given.split(), reverse=True)  # the last case gives them the wrong way round
    return _on(ns.correct_flat_field, "shaded", kind, **dict(zip(names, images, strict=True)))


def _fading() -> Iterator[tuple[str, Any]]:
    for method in FADING:
        for kind in scenes.ALL:
            for each in (False, True):
                how = {"method": method, "each_channel": each}
                yield (f"correct_bleaching/{method}/{kind}/{'each' if each else 'joint'}",
                       partial(_on, ns.correct_bleaching, "bleaching", kind, **how))  # fmt: skip
        for background in (30.0, 4000.0):
            how = {"method": method, "background": background}
            yield (f"correct_bleaching/{method}/background {background}",
                   partial(_on, ns.correct_bleaching, "bleaching", "uint16", **how))  # fmt: skip


def _hot_pixels() -> Iterator[tuple[str, Any]]:
    for kind in scenes.ALL:
        yield f"find_hot_pixels/{kind}", partial(_on, ns.find_hot_pixels, "hot_pixels", kind)
        for method in ("mean", "median"):
            for side in (3, 5):
                how = {"method": method, "kernel_size": side}
                yield (f"repair_hot_pixels/{method}/{side}/{kind}",
                       partial(_on, ns.repair_hot_pixels, "hot_pixels", kind, **how))  # fmt: skip
    for options in FINDING:
        for kind in ("uint16", "uint8 rgb"):
            yield (f"find_hot_pixels/{options}/{kind}",
                   partial(_on, ns.find_hot_pixels, "hot_pixels", kind, **options))  # fmt: skip
    yield (
        "repair_hot_pixels/even",
        partial(_on, ns.repair_hot_pixels, "hot_pixels", "uint16", kernel_size=4),
    )
    mask = truth("hot_pixels", "uint16", "mask")
    yield (
        "repair_hot_pixels/mask",
        partial(_on, ns.repair_hot_pixels, "hot_pixels", "uint16", mask=mask.astype(np.uint8)),
    )
    yield (
        "apply_hot_pixels",
        lambda: ns.apply_hot_pixels(moved("uint8 rgb", "hot_pixels"), ns.HotPixels(mask, "median")),
    )
    for suffix in ("json", "npz"):
        yield f"measured file/hot pixels/{suffix}", partial(_kept_mask, mask, suffix)
    for kind in ("uint16", "uint8 rgb", "uint16 bands"):
        yield f"write_hot_pixels/{kind}", partial(_written_mask, kind)


def _kept_mask(mask: Any, suffix: str) -> Any:
    path = scenes.folder() / f"measured.{suffix}"
    ns.HotPixels(mask, "median", 5).save(path)
    return ns.HotPixels.load(path)


def _written_mask(kind: str) -> Any:
    from writing import all_written

    place = scenes.folder()
    mask = ns.find_hot_pixels(frames("hot_pixels", kind))
    for name in ("hot.png", "hot.tif"):
        ns.write_hot_pixels(place / name, mask)
    return all_written(place)


def _filters() -> Iterator[tuple[str, Any]]:
    for kind in scenes.ALL:
        for strength in (0.0, 1.0, 6.0):
            yield (f"denoise/{strength}/{kind}",
                   partial(_on, ns.denoise, "cosmic_rays", kind, strength=strength))  # fmt: skip
        for options in ({}, {"amount": 2.0, "radius": 3.0}, {"amount": 0.0}):
            yield (
                f"sharpen/{options}/{kind}",
                partial(_on, ns.sharpen, "drifting_cells", kind, **options),
            )
    yield "denoise/moved", lambda: ns.denoise(moved("uint8"))
    yield "sharpen/moved", lambda: ns.sharpen(moved("uint16 rgb"))


def _reshaping() -> Iterator[tuple[str, Any]]:
    for name, options in RESHAPING.items():
        for kind in ("uint8", "uint16 rgb", "float32 holes", "uint8 rgba"):
            yield f"transform_frames/{name}/{kind}", partial(_reshaped, kind, **options)
        for way in ("nearest", "linear", "lanczos"):
            how = {**options, "interpolation": way}
            yield f"transform_frames/{name}/{way}", partial(_reshaped, "uint16", **how)
    yield "transform_frames/moved", lambda: ns.transform_frames(moved("uint16"), **RESHAPING["all"])


def _reshaped(kind: str, **options: Any) -> Any:
    return ns.transform_frames(frames("drifting_cells", kind), **options)


def _in_a_row() -> Any:
    """Correct a moved stack in the wrong order: what belongs to the sensor still comes first."""
    stack = ns.transform_frames(moved("uint16", "shaded"), rotate=5.0, resize="by factor")
    stack = ns.sharpen(ns.balance(stack))
    spoiled = ns.correct_vignetting(ns.repair_hot_pixels(stack))
    return {"frames": spoiled, "some": spoiled.select([4, 0]), "mean": ns.combine(spoiled)}
