"""What plots of the corrections look like: each draws one value on a matplotlib figure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.pixels.channels import colour_channels
from napari_stack.core.stack import Stack
from napari_stack.operators.corrections.balance import Gains
from napari_stack.operators.corrections.bleaching import Bleaching
from napari_stack.operators.corrections.flat_field import FlatField
from napari_stack.operators.corrections.vignetting_value import Vignetting
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.registration.matches import Matches, find_matches
from napari_stack.operators.registration.methods import Features

#: Bars of a histogram.
_BINS = 128

#: Rings of the measured profile of a fall-off.
_RINGS = 60

#: Frames at most that the profile is the mean of.
_MOST_FRAMES = 16

#: Defective pixels that are drawn at most: more are one blot, and a large file.
_MOST_MARKS = 20_000


def draw_gains(figure: Any, gains: Gains) -> None:
    """Draw gains over the frames, one line a channel."""
    axes = figure.add_subplot()
    names = _quantities(gains)
    for line, name in zip(gains.gains.T, names, strict=True):
        axes.plot(line, marker=".", label=name)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set_xlabel("frame")
    axes.set_ylabel("gamma" if gains.mapping == "gamma" else "gain")
    clipped = int(gains.clipped.sum())
    axes.set_title(_title(gains) + (f", {clipped} pixels clipped" if clipped else ""))
    if len(names) > 1:
        axes.legend()


def _title(gains: Gains) -> str:
    return f"{gains.channels}, {gains.mapping.replace('_', ' ')}"


def _quantities(gains: Gains) -> list[str]:
    """Names of what was balanced."""
    count = gains.gains.shape[1]
    known = {
        "luminosity": ["luminosity"], "hsv": ["saturation", "value"],
        "hls": ["saturation", "lightness"], "lab": ["chroma", "lightness"],
    }  # fmt: skip
    colours = ["red", "green", "blue"] if count == 3 else [f"channel {k}" for k in range(count)]
    names = known.get(gains.channels, colours)
    return names if len(names) == count else [f"channel {k}" for k in range(count)]


def draw_histograms(
    figure: Any,
    stack: Stack,
    gains: Gains,
    reference: int | str = "middle",
    frame: int | None = None,
) -> None:
    """Draw the histograms of the reference, and of a frame before and after balancing.

    Parameters
    ----------
    figure : matplotlib figure
    stack : Stack
        The frames that were measured.
    gains : Gains
    reference : int or str
        The reference that they were made like.
    frame : int, optional
        By default the one that changes most.
    """
    from napari_stack.operators.registration.register import reference_index

    fixed = reference_index(stack, reference)
    away = np.abs(np.log(np.maximum(gains.gains, 1e-9))).max(axis=1)
    moving = int(away.argmax()) if frame is None else frame
    drawn = {
        f"frame {fixed}, the reference": _pixels(stack, fixed),
        f"frame {moving}": _pixels(stack, moving),
        f"frame {moving}, balanced": _pixels(stack.corrected(gains), moving),
    }
    channels = drawn[f"frame {moving}"].shape[1]
    low, high = _range(list(drawn.values()))
    edges = np.linspace(low, high, _BINS + 1)
    styles = ({"color": "black"}, {"color": "C1"}, {"color": "C0", "linestyle": "--"})
    for k, axes in enumerate(np.atleast_1d(figure.subplots(channels, 1, sharex=True))):
        for (name, pixels), style in zip(drawn.items(), styles, strict=True):
            counts = np.histogram(np.clip(pixels[:, k], low, high), edges)[0]
            axes.stairs(counts / len(pixels), edges, label=name, **style)
        axes.set_ylabel("share of pixels" if channels == 1 else f"channel {k}")
    axes.set_xlabel("intensity")
    figure.axes[0].set_title(_title(gains))
    figure.axes[0].legend()


def _pixels(stack: Stack, index: int) -> NDArray[Any]:
    """Every few pixels of a frame as computed with, shape (pixels, channel)."""
    values, valid = stack.read(index)
    step = max(1, int(np.sqrt(values.shape[0] * values.shape[1] / 2**20)))
    few = (slice(None, None, step),) * 2
    values = colour_channels(values[few], stack.alpha)
    return values.reshape(-1, values.shape[2]) if valid is None else values[valid[few]]


def _range(drawn: list[NDArray[Any]]) -> tuple[float, float]:
    """Range of nearly all values: a few very bright ones would leave the rest no room."""
    low = min(float(np.percentile(pixels, 0.1)) for pixels in drawn)
    high = max(float(np.percentile(pixels, 99.9)) for pixels in drawn)
    return low, high if high > low else low + 1


def profile(
    stack: Stack, vignetting: Vignetting, channel: int = 0, rings: int = _RINGS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean intensity of the frames over the distance from the centre of a fall-off.

    It is a scene's as much as the fall-off's.

    Parameters
    ----------
    stack : Stack
        The frames that were measured.
    vignetting : Vignetting
        It says where the centre is and what black is.
    channel : int
        Of `vignetting`.
    rings : int
        Of equal width.

    Returns
    -------
    radii : ndarray, shape (n,)
        In pixels; only rings with pixels in them.
    means : ndarray, shape (n,)
        Black level taken off, 1 at the greatest.
    """
    from napari_stack.operators.corrections import vignetting_measure
    from napari_stack.operators.corrections.sensor import sensor_view

    sensor = sensor_view(stack)
    each = vignetting.parameters.shape[1] > 1
    view = vignetting_measure.Reduction(vignetting.black_level, each, sensor.shape[1:3])
    used = np.flatnonzero(sensor.used)
    few = np.unique(used[np.linspace(0, len(used) - 1, _MOST_FRAMES).astype(int)])
    small = [vignetting_measure.reduced(sensor, int(i), view) for i in few]
    seen = np.all([one.seen for one in small], axis=0)
    mean = np.mean([one.image[..., channel] for one in small], axis=0)
    factor = sensor.shape[2] / mean.shape[1]
    y, x = ((np.arange(n) + 0.5) * factor - 0.5 for n in mean.shape)
    centre = vignetting.centres[0, channel]
    away = np.hypot(x - centre[0], y[:, np.newaxis] - centre[1])[seen]
    ring = (away / vignetting.half * rings).astype(int)
    count = np.maximum(np.bincount(ring), 1)
    means = np.bincount(ring, mean[seen]) / count
    some = np.bincount(ring) > 0
    radii = np.bincount(ring, away) / count
    return radii[some], means[some] / max(float(means.max()), 1e-12)


def draw_vignetting(figure: Any, vignetting: Vignetting, stack: Stack | None = None) -> None:
    """Draw the light that is left over the distance, and what was measured of it.

    The upper axis tells the `mask_size` of `balance` that ends there.
    """
    axes = figure.add_subplot()
    radii = np.linspace(0, vignetting.half, 200)
    frames, channels = vignetting.parameters.shape[:2]
    for k in range(channels):
        for m in range(frames):
            axes.plot(radii, vignetting.share(radii, m, k), color=f"C{k}")
        if stack is not None:
            away, means = profile(stack, vignetting, k)
            level = np.median(vignetting.share(away, 0, k) / np.maximum(means, 1e-12))
            axes.plot(away, means * level, ".", color=f"C{k}", alpha=0.5)
    short = min(vignetting.size) / 2
    axes.axvline(short, color="grey", linestyle=":")
    axes.set_xlabel("distance from the centre (px); dots: mean of the frames")
    axes.set_ylabel("light left")
    axes.set_title(vignetting.model)
    upper = axes.secondary_xaxis("top", functions=(lambda r: r / short, lambda m: m * short))
    upper.set_xlabel("mask_size")


def draw_flat_field(figure: Any, flat_field: FlatField) -> None:
    """Draw the light that each place gets, 1 on average, one image a channel."""
    gain = flat_field.gain if flat_field.gain.ndim == 3 else flat_field.gain[..., np.newaxis]
    step = max(1, max(gain.shape[:2]) // 512)
    flat = 1 / gain[::step, ::step]
    several = np.atleast_1d(figure.subplots(1, flat.shape[2]))
    low, high = (float(np.percentile(flat, p)) for p in (0.5, 99.5))
    extent = (-0.5, gain.shape[1] - 0.5, gain.shape[0] - 0.5, -0.5)
    for k, axes in enumerate(several):
        shown = axes.imshow(flat[..., k], vmin=low, vmax=high, extent=extent)
        axes.set_title("light" if flat.shape[2] == 1 else f"channel {k}")
    figure.colorbar(shown, ax=list(several), shrink=0.8)


def draw_bleaching(figure: Any, bleaching: Bleaching) -> None:
    """Draw the measured means, and the curve that the gains follow."""
    axes = figure.add_subplot()
    for k in range(bleaching.means.shape[1]):
        axes.plot(bleaching.means[:, k], ".", color=f"C{k}")
        axes.plot(bleaching.fitted[:, k], color=f"C{k}")
    axes.set_xlabel("frame")
    axes.set_ylabel("mean intensity")
    axes.set_title(bleaching.method)


def draw_drift(figure: Any, transforms: Transforms) -> None:
    """Draw one panel for each kind of motion; failed frames are marked in all.

    Bars at the shifts are one standard deviation.
    """
    found, frames = transforms.decomposed(), np.arange(len(transforms))
    good, sigma = ~transforms.failed, transforms.shift_sigma()
    figure.set_size_inches(6, 8 if np.isfinite(sigma).any() else 7)
    known = ((f"sigma ({found.unit})", {"x": sigma[:, 0], "y": sigma[:, 1]}),)
    lines = (
        (f"shift ({found.unit})", {"x": found.shift[:, 0], "y": found.shift[:, 1]}),
        *(known if np.isfinite(sigma).any() else ()),
        ("rotation (degrees)", {"": found.rotation}),
        ("scale", {"along x": found.scale[:, 0], "across": found.scale[:, 1]}),
        ("quality", {"": transforms.quality}),
    )
    panels = figure.subplots(len(lines), 1, sharex=True)
    for panel, (title, curves) in zip(panels, lines, strict=True):
        for name, values in curves.items():
            shown = np.where(good, values, np.nan)
            if title.startswith("shift") and len(lines) > 4:
                bars = np.nan_to_num(sigma[:, "xy".index(name)])
                panel.errorbar(frames, shown, bars, marker=".", capsize=2, label=name)
            else:
                panel.plot(frames, shown, marker=".", label=name)
        for frame in np.flatnonzero(transforms.failed):
            panel.axvline(frame, color="crimson", linestyle=":")
        panel.set_ylabel(title)
        if len(curves) > 1:
            panel.legend()
    panels[-1].set_ylim(0, 1.05)
    panels[-1].set_xlabel("frame (dotted: failed)" if transforms.failed.any() else "frame")


def draw_matches(figure: Any, matches: Matches) -> None:
    """Draw the reference at the left and the frame at the right, what matches joined by lines."""
    first, second = matches.images
    axes = figure.add_subplot()
    figure.set_size_inches(10, 10 * first.shape[0] / (2 * first.shape[1]) + 0.6)
    axes.imshow(np.hstack([first, second]), cmap="gray")
    ends = matches.moving + np.array([first.shape[1], 0])
    for kept, colour in ((~matches.agree, "crimson"), (matches.agree, "limegreen")):
        pair = np.stack([matches.reference[kept], ends[kept]])
        axes.plot(pair[..., 0], pair[..., 1], color=colour, linewidth=0.5, marker=".", markersize=2)
    axes.set_title(f"{matches.agree.sum()} of {len(matches.agree)} matches agree")
    axes.set_axis_off()


def draw_worst_matches(
    figure: Any, stack: Stack, transforms: Transforms, options: Mapping[str, Any]
) -> None:
    """Draw the matches of the frame of least quality, where frames were matched by features."""
    method = options.get("method")
    reference = transforms.reference
    others = [i for i in np.argsort(transforms.quality) if i != reference]
    if not (method == "features" or isinstance(method, Features)) or not others:
        return
    given = {n: options[n] for n in ("transform", "channel", "working_size") if n in options}
    if isinstance(method, Features):
        given["method"] = method
    draw_matches(figure, find_matches(stack, int(others[0]), reference=reference, **given))


def draw_mask(figure: Any, mask: NDArray[np.bool_]) -> None:
    """Draw where the defective pixels are, and tell how many."""
    axes = figure.add_subplot()
    planes = mask if mask.ndim == 3 else mask[..., np.newaxis]
    count = planes.shape[2]
    colours = ["red", "green", "blue"] if count == 3 else [f"C{k}" for k in range(count)]
    for k, colour in enumerate(colours if count > 1 else ["black"]):
        y, x = np.nonzero(planes[..., k])
        few = slice(None, None, max(1, -(-len(y) // _MOST_MARKS)))
        axes.plot(x[few], y[few], ".", color=colour, markersize=3, label=f"{len(y)}")
    axes.set_xlim(-0.5, mask.shape[1] - 0.5)
    axes.set_ylim(mask.shape[0] - 0.5, -0.5)
    axes.set_aspect("equal")
    joint = planes.any(axis=2)
    axes.set_title(f"{int(joint.sum())} of {joint.size} pixels, {joint.mean():.2%}")
    if count > 1:
        axes.legend(title="in each channel")
