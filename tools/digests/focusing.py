"""Cases: focus stacking by every method, with and without depth, and slabs."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import scenes
from averaging import SMALL
from scenes import frames

import napari_stack as ns

METHODS = ("auto", "pyramid", "depth map")

#: Methods with options that are not their defaults.
OPTIONED: dict[str, Any] = {
    "Auto reach 0": ns.Auto(reach=0),
    "Auto reach 12": ns.Auto(reach=12),
    "Auto uneven": ns.Auto(even_brightness=False),
    "Auto noisy": ns.Auto(average_noise=False),
    "Pyramid small": ns.Pyramid(min_size=8, kernel_size=3),
    "Pyramid flat": ns.Pyramid(min_size=256, kernel_parameter=0.6),
    **{f"DepthMap {choice} {energy}": ns.DepthMap(choice, energy)
       for choice in ("maximum", "weighted average")
       for energy in ("modified laplacian", "laplacian", "sobel", "variance")},
    "DepthMap sizes": ns.DepthMap(kernel_size=3, blur_size=5, smooth_size=0),
}  # fmt: skip

#: Options of focus stacking.
OPTIONS: tuple[dict[str, Any], ...] = (
    {"true_colours": True}, {"true_colours": True, "depth": False}, {"denoise": 1.0},
    {"sharpen": 0.5}, {"denoise": 0.8, "sharpen": 1.0}, {"channel": 1}, {"channel": 9},
    {"depth_unit": "distance"},
)  # fmt: skip


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    for method in METHODS:
        for kind in scenes.ALL:
            for depth in (True, False):
                yield (f"focus_stack/{method}/{kind}/{'depth' if depth else 'image'}",
                       partial(_fused, kind, method=method, depth=depth))  # fmt: skip
        for options in OPTIONS:
            for kind in ("uint16", "uint8 rgb"):
                yield (f"focus_stack/{method}/{options}/{kind}",
                       partial(_fused, kind, method=method, **options))  # fmt: skip
        yield f"focus_stack/{method}/small memory", partial(_large, method)
        yield f"focus_stack/{method}/moved", partial(_moved, method)
        yield f"focus_stack/{method}/uncovered", partial(_moved, method, "all")
    for name, method in OPTIONED.items():
        for kind in ("uint8", "float32 rgb"):
            yield f"focus_stack/{name}/{kind}", partial(_fused, kind, method=method)
    yield from _slabs()


def _fused(kind: str, **options: Any) -> Any:
    return ns.focus_stack(frames("focus_series", kind), **options)


def _large(method: str) -> Any:
    stack = frames("focus_series", "uint8 rgb", frames=6, size=(200, 240))
    return ns.focus_stack(stack, method=method, run=SMALL)


def _moved(method: str, framing: str = "reference") -> Any:
    stack = frames("focus_series", "uint8", breathing=0.01)
    moved = ns.apply_transforms(stack, scenes.drift(len(stack)), framing=framing)
    return ns.focus_stack(moved, method=method)


def _slabs() -> Iterator[tuple[str, Any]]:
    for method in METHODS:
        for kind in ("uint8", "uint16 rgb"):
            how = {"frames": 3, "overlap": 1, "method": method}
            yield f"focus_slabs/{method}/{kind}", partial(_in_slabs, kind, **how)
            yield f"focus_slabs/{method}/{kind}/fused", partial(_fused_slabs, kind, **how)
    several = ({}, {"frames": 2}, {"frames": 2, "denoise": 1.0}, {"frames": 2, "overlap": 2},
               {"frames": 4, "overlap": 2, "sharpen": 0.5, "true_colours": True})  # fmt: skip
    for options in several:
        yield f"focus_slabs/{options}", partial(_in_slabs, "uint8", **options)
    yield (
        "focus_slabs/moved",
        lambda: ns.focus_slabs(scenes.moved("uint8", "focus_series"), frames=2, method="pyramid"),
    )


def _in_slabs(kind: str, **options: Any) -> Any:
    return ns.focus_slabs(frames("focus_series", kind), **options)


def _fused_slabs(kind: str, **options: Any) -> Any:
    return ns.focus_stack(_in_slabs(kind, **options), method="depth map")
