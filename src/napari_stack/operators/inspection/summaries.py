"""What results tell in plain words: ``says(outcome)`` of the entries in the catalogue."""

from typing import Any

import numpy as np

from napari_stack.core.notices import number_text
from napari_stack.core.said import Outcome, Said
from napari_stack.core.stack import Stack
from napari_stack.operators.corrections.balance import Gains
from napari_stack.operators.corrections.bleaching import Bleaching
from napari_stack.operators.corrections.flat_field import FlatField
from napari_stack.operators.corrections.hot_pixel_mask import faintest
from napari_stack.operators.corrections.hot_pixels import HotPixels
from napari_stack.operators.corrections.pixelwise import parts_of
from napari_stack.operators.corrections.vignetting_value import Vignetting

#: Below this many frames, median and MAD tell outliers better than mean and deviation.
_FEW = 20

#: Degrees, and the share of the size, that are worth a word.
_TURNED, _GROWN = 0.05, 0.001

#: Confidence from which on a depth counts.
_CLEAR = 0.3

#: Share of an image without confidence that is worth a word.
_UNSEEN = 0.02

#: Frames below which the fainter defective pixels drown in the noise.
_SHORT = 12

_INSPECTOR = "Frame Inspector"


def _last(outcome: Outcome, kind: type) -> Any:
    frames = outcome.frames
    corrections = () if frames is None else frames.corrections
    parts = [part for c in corrections for part in parts_of(c)]
    return next((part for part in reversed(parts) if isinstance(part, kind)), None)


def registration(outcome: Outcome) -> list[Said]:
    """Tell how many frames were registered, and how far they had moved."""
    frames = outcome.frames
    transforms = None if frames is None else frames.transforms
    if frames is None or transforms is None:
        return []
    good = ~transforms.failed
    moved = transforms.decomposed()
    parts = [f"{good.sum()} of {len(good)} frames aligned"]
    if good.sum() > 1 or good.all():  # of the reference alone there is nothing to tell
        drift = np.linalg.norm(moved.shift[good], axis=1).max()
        parts.append(
            f"drift up to {number_text(drift, 3 if drift >= 1 else 2)} {_short(moved.unit)}"
        )
        turned = float(np.abs(moved.rotation[good]).max())
        angle = number_text(turned, 2)
        degrees = "degree" if angle == "1" else "degrees"
        parts += [f"turned by up to {angle} {degrees}"] * (turned > _TURNED)
        grown = float(np.abs(moved.scale[good] - 1).max())
        parts += [f"sizes differ by up to {grown:.2%}"] * (grown > _GROWN)
        if (bent := transforms.deformation) is not None:
            size = transforms.size or frames.shape[1:3]
            furthest = bent.largest(transforms.matrices, size)[good].max()
            parts.append(f"bent by up to {number_text(furthest, 2)} px beyond that")
    said = [Said(", ".join(parts), "Plot", opens=_INSPECTOR)]
    if not good.all() and "failed" not in outcome.options:
        text = (
            "Frames that failed are left out; their motion can be filled in from their neighbours"
        )
        said.append(Said(text, "Fill in", {"failed": "interpolate"}))
    if not good.all() and outcome.options.get("failed") == "keep":
        said.append(Said("Frames that failed stay where they are, and count"))
    return said


def wobble(outcome: Outcome) -> list[Said]:
    """Tell how far planes had jittered, and what is left."""
    frames = outcome.frames
    transforms = None if frames is None else frames.transforms
    if frames is None or transforms is None:
        return []
    good = ~transforms.failed
    moved = transforms.matrices[good, :2, 2]
    if not moved.any():
        return [Said("no plane was moved: they jitter no more than their noise makes it seem")]
    size = float(np.sqrt((moved**2).sum(axis=1).mean()))
    text = (
        f"{good.sum()} of {len(good)} planes steadied, jitter of {size:.2g} px rms; slow motion "
        "from plane to plane is left, since slanted structures look like it"
    )
    return [Said(text, "Plot", opens=_INSPECTOR)]


def _short(unit: str) -> str:
    return {"micrometer": "um", "nanometer": "nm", "pixel": "px"}.get(unit, unit)


def hot_pixels(outcome: Outcome) -> list[Said]:
    """Tell how many pixels were repaired."""
    hot = _last(outcome, HotPixels)
    if hot is None:
        return []
    text = _count_text(hot.mask, "repaired")
    said = [
        Said(text, "Show", shows=lambda: ("hot pixels", hot.mask)) if hot.mask.any() else Said(text)
    ]
    return said + ([] if "mask" in outcome.options else _faint_pixels(outcome, outcome.frames))


def found_pixels(outcome: Outcome) -> list[Said]:
    """Tell how many pixels were found."""
    mask = next(iter(outcome.images.values()), None)
    if mask is None:
        return []
    return [Said(_count_text(np.asarray(mask), "found")), *_faint_pixels(outcome, outcome.given)]


def _faint_pixels(outcome: Outcome, frames: Stack | None) -> list[Said]:
    """Tell what so few frames cannot show."""
    own = outcome.options.get("thresholds", "auto") != "auto"
    if own or frames is None or not 0 < (used := int(frames.used.sum())) < _SHORT:
        return []
    least, count = faintest(used), "one frame" if used == 1 else f"{used} frames"
    return [
        Said(f"In {count} some that stand out by less than {least:.2g} times the noise are missed")
    ]


def _count_text(mask: Any, done: str) -> str:
    count = int(np.count_nonzero(mask))
    noun = "defective pixel" if count == 1 else "defective pixels"
    share = f" ({_percent(count / mask.size)})" if count else ""
    return f"{count or 'No'} {noun} {done}{share}"


def vignetting(outcome: Outcome) -> list[Said]:
    """Tell how much darker the corners were."""
    value = _last(outcome, Vignetting)
    if value is None:
        return []
    share = float(value.share(value.half))
    text = f"Corners were {_darker(share)} than the centre"
    return [Said(text, "Show", shows=lambda: ("light", value.light()))]


def flat_field(outcome: Outcome) -> list[Said]:
    """Tell how uneven the light was."""
    value = _last(outcome, FlatField)
    if value is None:
        return []
    light = 1 / np.maximum(np.asarray(value.gain, float), 1e-6)
    low, high = np.percentile(light, (1, 99))
    text = f"The darkest places were {_darker(low / high)} than the brightest"
    flat = light / light.max()
    return [Said(text, "Show", shows=lambda: ("flat", flat.mean(-1) if flat.ndim > 2 else flat))]


def _darker(share: float) -> str:
    return f"{1 - share:.0%} darker" if share <= 1 else f"{share - 1:.0%} brighter"


def gains(outcome: Outcome) -> list[Said]:
    """Tell by how much brightness was changed."""
    value = _last(outcome, Gains)
    if value is None:
        return []
    low, high = float(value.gains.min()), float(value.gains.max())
    word = "gammas" if value.mapping == "gamma" else "factors"
    return [Said(f"Brightness levelled by {word} from {number_text(low)} to {number_text(high)}")]


def bleaching(outcome: Outcome) -> list[Said]:
    """Tell how far brightness had fallen."""
    value = _last(outcome, Bleaching)
    if value is None:
        return []
    left = float(np.mean(value.fitted[-1] / value.fitted[0]))
    return [
        Said(f"Brightness had fallen to {left:.0%} in the last frame", "Plot", opens=_INSPECTOR)
    ]


def clipping(outcome: Outcome) -> list[Said]:
    """Tell how much was rejected, and what would reject better."""
    shares = np.asarray(outcome.images.get("rejected_fraction", ()), float)
    if not np.isfinite(shares).any():
        return []
    said = [Said(f"{_percent(float(np.nanmean(shares)))} of all values rejected",
                 "Plot", opens=_INSPECTOR)]  # fmt: skip
    used = int(np.isfinite(shares).sum())
    plain = outcome.options.get("method", "sigma") == "sigma"
    if used < _FEW and plain and outcome.options.get("spread", "") in ("", "standard deviation"):
        text = f"With {used} frames, median and MAD tell outliers better"
        said.append(Said(text, "Do it", {"centre": "median", "spread": "MAD"}))
    kept = used - float(np.mean(outcome.images["rejected"]))
    return said + _noise_line(
        outcome, np.sqrt(1 / max(kept, 1)), f"of {number_text(kept)} frames kept"
    )


def combined(outcome: Outcome) -> list[Said]:
    """Tell the noise of a mean or median, and what so many frames let expect."""
    method, frames = outcome.options.get("method", "mean"), outcome.given
    if method not in ("mean", "median") or frames is None:
        return []
    count = int(frames.used.sum())
    wider = np.sqrt(np.pi / 2) if method == "median" and count > 2 else 1.0
    return _noise_line(outcome, wider / np.sqrt(max(count, 1)), f"of {count} frames")


def _noise_line(outcome: Outcome, expected: float, of_what: str) -> list[Said]:
    """Compare the noise of an image with that of a few of its frames; there may be too little."""
    from napari_stack.operators.combine.measures.normalisation import measure_noise, noise_of_image

    frames, image = outcome.given, np.asarray(outcome.images["image"])
    levelled = outcome.options.get("normalisation", "none") not in ("none", "additive")
    if frames is None or levelled or image.shape != frames.shape[1:] or frames.used.sum() < 2:
        return []
    used = np.flatnonzero(frames.used)
    some = np.unique(used[[0, len(used) // 2, -1]]).tolist()
    of_frame = float(np.sqrt(np.median([measure_noise(frames, i) for i in some])))
    of_image = noise_of_image(image, alpha=frames.alpha)
    if not (
        0 < of_frame < np.inf and of_image > 0
    ):  # made by a computer, or less than a grey level
        return []
    text = f"Noise {of_image / of_frame:.2f} of a frame's (measured on {len(some)}), "
    return [Said(f"{text}{expected:.2f} expected {of_what}")]


def averaging(outcome: Outcome) -> list[Said]:
    """Tell the noise of a mean with its error, and what so many frames let expect."""
    from napari_stack.operators.combine.measures.normalisation import noise_of_image

    parts = [outcome.images.get(k) for k in ("image", "standard_error", "effective_frames")]
    if any(part is None for part in parts):
        return []
    image, error, effective = (np.asarray(part) for part in parts)
    seen = np.isfinite(error) & (error > 0)
    flat = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
    if not flat or not seen.any():  # of a single frame, or without noise, or at several positions
        return []
    frames = float(np.median(effective[seen]))
    # The median, for what moved counts little; that of chi squared is so much below its mean.
    below = (1 - 2 / (9 * max(frames - 1, 1))) ** 3
    of_frame = float(np.sqrt(np.median(error[seen] ** 2 * effective[seen]) / below))
    share = noise_of_image(image) / of_frame
    expected = 1 / np.sqrt(frames)
    text = (
        f"Noise {share:.2f} of a frame's, {expected:.2f} expected of {number_text(frames)} frames"
    )
    return [Said(text)]


def _percent(share: float) -> str:
    return f"{number_text(100 * share, 2)}%"


def focus(outcome: Outcome) -> list[Said]:
    """Tell which frames were sharp somewhere, and whether the series was too short."""
    depth, trust = outcome.images.get("depth"), outcome.images.get("confidence")
    if depth is None or trust is None:
        return []
    depth, trust = (np.asarray(image)[..., ::4, ::4] for image in (depth, trust))
    clear = depth[trust > _CLEAR]
    if not clear.size:
        return [Said("Nothing is sharper in one frame than in the others")]
    low, high = np.percentile(clear, (1, 99))
    text = f"In focus from frame {low:.0f} to frame {high:.0f}"
    if outcome.options.get("depth_unit") == "distance":
        text = f"In focus over a depth of {number_text(high - low)} {_short(outcome.unit)}".rstrip()
    said = [Said(text, "Retouch", opens="Retouch")]
    if (unseen := float(np.mean(trust == 0))) > _UNSEEN:
        done = "left open" if np.isnan(depth[trust == 0]).all() else "filled in from around"
        said.append(Said(f"{unseen:.0%} of the image is sharp in no frame: its depth is {done}"))
    return said
