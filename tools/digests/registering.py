"""Cases: transforms measured by every method, and frames moved by them."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import scenes
from scenes import as_json, frames

import napari_stack as ns

TRANSFORMS = ("translation", "rigid", "similarity", "affine", "homography")
METHODS = ("auto", "intensity", "phase", "fourier", "imreg_dft", "features")

#: Methods with options that are not their defaults.
OPTIONED: dict[str, Any] = {
    "Intensity": (ns.Intensity, {"iterations": 4}),
    "Phase": (ns.Phase, {"upsampling": 10}),
    "Fourier": (ns.Fourier, {"iterations": 1, "upsampling": 20}),
    "Imreg_dft": (ns.Imreg_dft, {"numiter": 1, "order": 1, "filter_pcorr": 2}),
    "Imreg_dft expected": (ns.Imreg_dft, {"angle_spread": 2.0, "scale_spread": 0.05}),
    "Features ORB": (ns.Features, {"detector": "ORB"}),
    "Features AKAZE": (ns.Features, {"detector": "AKAZE", "ratio": 0.85}),
    "Features BRISK": (ns.Features, {"detector": "BRISK", "estimator": "MAGSAC"}),
    "Features SURF": (ns.Features, {"detector": "SURF"}),
    "Features described": (ns.Features, {"detector": "SIFT", "descriptor": "BRISK"}),
    "Features flann hashed": (ns.Features, {"detector": "ORB", "matcher": "flann"}),
    "Features flann tree": (ns.Features, {"matcher": "flann", "trees": 2, "checks": 20}),
    "Features flann means": (ns.Features, {"matcher": "flann", "index": "k-means"}),
}

#: Options of measuring, by what the case is called.
MEASURED: dict[str, dict[str, Any]] = {
    **{f"reference {r}": {"reference": r} for r in ("first", "last", "sharpest", "mean", 1, 99)},
    **{f"sequence {s}": {"sequence": s} for s in ("auto", "direct", "previous")},
    "moving average": {"moving_average": 3},
    "working size": {"working_size": 128},
    "largest shift": {"largest_shift": 2.0},
    "largest rotation": {"transform": "rigid", "largest_rotation": 0.2},
    "largest scale": {"largest_scale": 1.001},
    "channel beyond": {"channel": 7},
}

#: Options of moving frames.
FRAMINGS = ("reference", "common", "all")
INTERPOLATIONS = ("nearest", "linear", "cubic", "lanczos")
BORDERS: dict[str, Any] = {
    **{name: name for name in ("invalid", "constant", "replicate", "replicate blurred", "reflect")},
    "a value": ns.Constant(7.0),
    "blurred by 3": ns.ReplicateBlurred(3.0),
}


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    yield from _measuring()
    yield from _options()
    yield from _applying()
    yield from _files()
    for kind in scenes.ALL:
        yield f"register/defaults/{kind}", partial(_registered, kind)
    for framing in FRAMINGS:
        how = {"framing": framing, "transform": "translation", "method": "phase"}
        yield f"register/framing {framing}", partial(_registered, "uint16", **how)
    yield "register/twice", lambda: ns.register(_registered("uint16"), method="phase",
                                                transform="translation")  # fmt: skip


def _registered(kind: str, **options: Any) -> Any:
    return ns.register(frames("drifting_cells", kind), **options)


def _measured(kind: str, **options: Any) -> Any:
    if isinstance(options.get("method"), tuple):
        method, how = options["method"]
        options = {**options, "method": method(**how)}
    found = ns.measure_transforms(frames("drifting_cells", kind), **options)
    return {"found": found, "parts": found.decomposed(), "plain": str(sorted(as_json(found)))}


def _measuring() -> Iterator[tuple[str, Any]]:
    for method in METHODS:
        for transform in TRANSFORMS:
            how = {"method": method, "transform": transform}
            yield f"measure_transforms/{method}/{transform}", partial(_measured, "uint16", **how)
        for kind in (k for k in scenes.ALL if k != "uint16"):
            how = {"method": method, "transform": "translation"}
            yield f"measure_transforms/{method}/{kind}", partial(_measured, kind, **how)
    for name, method in OPTIONED.items():
        yield f"measure_transforms/{name}", partial(_measured, "uint16", method=method)


def _options() -> Iterator[tuple[str, Any]]:
    for name, options in MEASURED.items():
        how = {"transform": "translation", **options}
        yield f"measure_transforms/options/{name}", partial(_measured, "uint16", **how)
    mask = np.zeros(scenes.SIZE, np.uint8)
    mask[20:110, 30:140] = 1
    yield "measure_transforms/options/region", partial(_measured, "uint16", region=mask)
    for channel in (0, 2):
        yield (f"measure_transforms/options/channel {channel}",
               partial(_measured, "uint8 rgb", channel=channel))  # fmt: skip
    empty = partial(_measured, "uint16", region=np.zeros(scenes.SIZE, np.uint8))
    yield "measure_transforms/options/empty region", empty


def _applied(kind: str, lost: int | None = None, /, **options: Any) -> Any:
    stack = frames("drifting_cells", kind)
    return ns.apply_transforms(stack, scenes.drift(len(stack), lost), **options)


def _applying() -> Iterator[tuple[str, Any]]:
    for kind in scenes.ALL:
        for interpolation in INTERPOLATIONS:
            yield (f"apply_transforms/{interpolation}/{kind}",
                   partial(_applied, kind, interpolation=interpolation))  # fmt: skip
        for name, border in BORDERS.items():
            yield f"apply_transforms/{name}/{kind}", partial(_applied, kind, border=border)
    for framing in FRAMINGS:
        for kind in ("uint16", "uint8 rgb"):
            yield f"apply_transforms/{framing}/{kind}", partial(_applied, kind, framing=framing)
    for failed in ("leave out", "keep", "interpolate"):
        yield f"apply_transforms/failed {failed}", partial(_applied, "uint16", 1, failed=failed)
    yield (
        "apply_transforms/others",
        lambda: ns.apply_transforms(frames("drifting_cells"), scenes.drift(3)),
    )
    yield "transforms/inverse", lambda: scenes.drift(5).inverse()
    yield "transforms/then", lambda: scenes.drift(5).then(scenes.drift(5, 2))
    yield (
        "transforms/select and join",
        lambda: scenes.drift(5, 1).select(np.array([3, 1])).join([scenes.drift(2)]),
    )
    yield "transforms/decomposed", lambda: scenes.drift(5).decomposed()


def _files() -> Iterator[tuple[str, Any]]:
    for suffix in ("json", "csv", "txt", "npy", "xml"):
        yield f"transforms/file {suffix}", partial(_saved, suffix)
        yield f"transforms/file {suffix} of homographies", partial(_saved, suffix, bent=True)


def _saved(suffix: str, *, bent: bool = False) -> Any:
    from writing import numbers_and_words

    found = scenes.drift(5, 1)
    if bent:
        found.matrices[:, 2, 0] = 1e-4
    path = scenes.folder() / f"transforms.{suffix}"
    found.save(path)
    text = {} if suffix == "npy" else numbers_and_words(path.read_text(encoding="utf-8"))
    return {"loaded": ns.Transforms.load(path), **text}
