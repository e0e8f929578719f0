"""Random hard pairs of frames with exact truth, of every kind that registration was wrong about."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from scipy import ndimage

Matrix = NDArray[np.float64]
TRANSFORMS = ("translation", "rigid", "similarity", "affine", "homography")
#: Pictures that come with scikit-image; clouds and cells are drawn anew for every seed.
PICTURES = (
    "retina.jpg", "hubble_deep_field.jpg", "camera.png", "coffee.png", "chelsea.png", "ihc.png",
    "moon.png", "gravel.png", "grass.png", "brick.png", "rocket.jpg", "cell.png",
)  # fmt: skip
DEGRADATIONS = (
    "noise", "overlap", "scale", "turn", "blur", "gradient", "mover", "repeat", "exposure",
    "static",
)  # fmt: skip


@dataclass
class Pair:
    """Two frames and how they truly lie.

    Attributes
    ----------
    frames : ndarray (2, y, x)
    matrix : ndarray (3, 3) or None
        None where the two have nothing in common.
    tolerance : float
        Error in px below which a result is right.
    mover : float
        Share of the overlap that the moving foreground hides.
    region : ndarray of bool, optional
        Where to measure.
    about : str
        What was done to it.
    """

    frames: NDArray
    matrix: Matrix | None
    tolerance: float = 1.0
    mover: float = 0.0
    region: NDArray[np.bool_] | None = None
    about: str = ""


def about_centre(
    shape, shift=(0.0, 0.0), degrees=0.0, scale=1.0, shear=0.0, aspect=1.0, keystone=(0.0, 0.0)
):
    """Matrix from the reference to the frame, about the centre of the frame."""
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    turn = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    inner = np.eye(3)
    inner[:2, :2] = linear @ [[1, shear], [0, 1]] @ np.diag([aspect, 1 / aspect])
    inner[2, :2] = keystone
    back, there = np.eye(3), np.eye(3)
    back[:2, 2], there[:2, 2] = -centre, centre + shift
    matrix = there @ inner @ back
    return matrix / matrix[2, 2]


@lru_cache(maxsize=16)
def picture(name: str) -> NDArray[np.float64]:
    """Spline coefficients of a picture, grey, 20 to 220."""
    image = skimage.io.imread(Path(skimage.__file__).parent / "data" / name)
    return coefficients(image[..., :3].mean(2) if image.ndim == 3 else image.astype(float))


def coefficients(image):
    """Return spline coefficients of an image that is stretched to 20 to 220."""
    low, high = np.percentile(image, [0.1, 99.9])
    smooth = ndimage.gaussian_filter((image - low) / (high - low) * 200 + 20, 0.8)
    return ndimage.spline_filter(smooth, 5)


def cloud(rng, size, power=1.8):
    """1/f noise, the statistics of natural scenes."""
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(size)] * 2))
    k[0, 0] = 1
    z = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * k**-power).real
    return (z - z.mean()) / z.std()


def seen(coef, matrix, shape, origin):
    """Return what a frame shows of a scene; NaN outside of it."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    place = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    sx, sy = place[:2] / place[2] + np.array(origin)[:, None]
    values = ndimage.map_coordinates(coef, [sy, sx], order=5, prefilter=False, mode="mirror")
    values[(sx < 0) | (sy < 0) | (sx > coef.shape[1] - 1) | (sy > coef.shape[0] - 1)] = np.nan
    return values.reshape(shape)


def overlap_of(matrix, shape):
    """Mask of the reference's pixels that the frame shows."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    place = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    px, py = place[:2] / place[2]
    inside = (px >= 0) & (px <= shape[1] - 1) & (py >= 0) & (py <= shape[0] - 1)
    return inside.reshape(shape)


def error_of(found, truth, shape, region=None):
    """RMS distance in px over the pixels that both frames show, of a region where there is one."""
    step = max(1, shape[0] // 32)
    y, x = np.mgrid[0 : shape[0] : step, 0 : shape[1] : step]
    points = np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    with np.errstate(all="ignore"):
        one, two = (m @ points for m in (truth, found))
        one, two = one[:2] / one[2], two[:2] / two[2]
        inside = (one >= 0).all(0) & (one[0] <= shape[1] - 1) & (one[1] <= shape[0] - 1)
        if region is not None:
            inside &= region[y.ravel(), x.ravel()]
        distance = np.hypot(*(one - two))[inside if inside.any() else slice(None)]
        return float(np.sqrt(np.nanmean(distance**2)))


def scene_of(rng):
    """Choose a picture or a cloud, as spline coefficients, and its name."""
    if rng.random() < 0.25:
        return coefficients(cloud(rng, 512, rng.uniform(1.2, 2.2))), "cloud"
    name = str(rng.choice(PICTURES))
    return picture(name), name


def drawn(rng, transform, wanted):
    """Scene, frames without degradation, truth; retried until the scene covers both frames."""
    while True:
        coef, name = scene_of(rng)
        short = min(coef.shape) * 0.62
        rows = int(rng.integers(140, max(min(480, short), 141) + 1))
        shape = (rows, int(rows * rng.uniform(1, 1.3)))
        if shape[1] > coef.shape[1] - 20:
            continue
        free = transform not in ("translation", "rigid")
        degrees = (
            0.0
            if transform == "translation"
            else rng.uniform(-180, 180)
            if "turn" in wanted
            else rng.uniform(-5, 5)
        )
        scale = (
            1.0
            if not free
            else float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.05, np.log(1.2))))
            if "scale" in wanted
            else rng.uniform(0.99, 1.01)
        )
        shift = rng.uniform(-0.06, 0.06, 2) * rows
        if "overlap" in wanted:
            share, part = rng.uniform(0.3, 0.7), rng.uniform(0, 1)
            shift = np.array(
                [(1 - share**part) * shape[1], (1 - share ** (1 - part)) * shape[0]]
            ) * rng.choice([-1, 1], 2)
        general = transform in ("affine", "homography")
        matrix = about_centre(
            shape, tuple(shift), degrees, scale, rng.uniform(-0.08, 0.08) * general,
            1 + rng.uniform(-0.05, 0.05) * general,
            tuple(rng.uniform(-1, 1, 2) * 0.12 / rows * (transform == "homography")),
        )  # fmt: skip
        origin = (
            rng.uniform(0, coef.shape[1] - shape[1]),
            rng.uniform(0, coef.shape[0] - shape[0]),
        )
        pair = [seen(coef, m, shape, origin) for m in (np.eye(3), matrix)]
        if all(np.isfinite(f).all() for f in pair) and pair[0].std() > 8:
            return name, shape, matrix, pair


def with_grid(rng, pair, matrix, shape):
    """Add a regular grid that moves with the scene."""
    period, size, turn = (
        rng.uniform(12, 30),
        rng.uniform(0.5, 2) * pair[0].std(),
        rng.uniform(0, np.pi),
    )
    y, x = np.mgrid[: shape[0], : shape[1]]
    result = []
    for frame, m in zip(pair, (np.eye(3), matrix), strict=True):
        q = np.linalg.inv(m) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        px, py = q[:2] / q[2]
        waves = np.cos(2 * np.pi * (px * np.cos(turn) + py * np.sin(turn)) / period) + np.cos(
            2 * np.pi * (py * np.cos(turn) - px * np.sin(turn)) / period
        )
        result.append(frame + size * waves.reshape(shape))
    return result


def with_mover(rng, pair, matrix, shape):
    """Lay a textured disc of 5 to 35 % of the frame over both, moved otherwise; tell its share."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    radius = np.sqrt(rng.uniform(0.05, 0.35) * shape[0] * shape[1] / np.pi)
    texture = ndimage.gaussian_filter(
        rng.normal(size=(2 * shape[0], 2 * shape[1])), rng.uniform(1.2, 3)
    )
    texture = 120 + rng.uniform(20, 60) * texture / texture.std()
    centre = rng.uniform(0.2, 0.8, 2) * shape
    moved = rng.uniform(-0.15, 0.15, 2) * shape[0]
    hidden = np.zeros(shape, bool)
    result = []
    for frame, (dy, dx) in zip(pair, (np.zeros(2), moved), strict=True):
        inside = np.hypot(y - centre[0] - dy, x - centre[1] - dx) < radius
        frame = frame.copy()
        at = [y[inside] - dy + shape[0] / 2, x[inside] - dx + shape[1] / 2]
        frame[inside] = ndimage.map_coordinates(texture, at, order=1, mode="reflect")
        hidden |= inside
        result.append(frame)
    overlap = overlap_of(matrix, shape)
    return result, float(hidden[overlap].mean())


def with_dust(rng, pair, shape):
    """Dust and hot pixels of the sensor."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    dust = np.ones(shape)
    for _ in range(int(rng.integers(3, 25))):
        cy, cx, r = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(2, 7)
        dust *= 1 - 0.4 * np.exp(-0.5 * ((y - cy) ** 2 + (x - cx) ** 2) / r**2)
    hot = np.where(rng.random(shape) < 0.002, rng.uniform(30, 200, shape), 0)
    return [frame * dust + hot for frame in pair]


def mixed(rng, transform, *, movers=False, only=None):
    """One to four degradations at once."""
    choice = [d for d in DEGRADATIONS if movers or d != "mover"]
    wanted = (
        set(rng.choice(choice, rng.integers(1, 5), replace=False)) if only is None else set(only)
    )
    if movers:
        wanted.add("mover")
    name, shape, matrix, pair = drawn(rng, transform, wanted)
    share = 0.0
    if "repeat" in wanted:
        pair = with_grid(rng, pair, matrix, shape)
    if "blur" in wanted:
        pair[1] = ndimage.gaussian_filter(pair[1], rng.uniform(1, 4))
    if "mover" in wanted:
        pair, share = with_mover(rng, pair, matrix, shape)
    y, x = np.mgrid[: shape[0], : shape[1]]
    y, x = y / shape[0] - 0.5, x / shape[1] - 0.5
    if "gradient" in wanted:
        gy, gx = rng.uniform(-0.6, 0.6, 2)
        pair[1] = pair[1] * (1 + gy * y + gx * x) + rng.uniform(-40, 40) * np.hypot(x, y)
    if "exposure" in wanted:
        pair[1] = pair[1] * 2.0 ** rng.uniform(-3, 1.5)
    if "static" in wanted:
        pair = with_dust(rng, pair, shape)
    noise = rng.uniform(0.3, 1.5) * pair[0].std() if "noise" in wanted else 2
    dim = 0.3 if "exposure" in wanted and pair[1].std() < pair[0].std() / 2 else 1
    pair = [f + rng.normal(0, s, shape) for f, s in zip(pair, (noise, noise * dim), strict=True)]
    frames = np.clip(np.rint(pair), 0, 255).astype(np.uint8)
    common = overlap_of(matrix, shape).mean()
    about = f"{name} {shape} {' '.join(sorted(wanted))} mover {share:.2f} overlap {common:.2f}"
    return Pair(frames, matrix, 2.0 if "noise" in wanted else 1.0, share, about=about)


def clean(rng, transform):
    """No degradation but noise 2."""
    return mixed(rng, transform, only=())


def unrelated(rng, transform):  # noqa: ARG001
    """Two textures or pictures with nothing in common."""
    rows = int(rng.choice([64, 96, 128, 160, 200, 256, 320]))
    shape = (rows, int(rows * rng.uniform(1, 1.3)))
    frames, names = [], []
    same = rng.random() < 0.5  # textures of one kind, else two pictures
    power = rng.uniform(1.2, 2.2)
    while len(frames) < 2:
        if same:
            image = 128 + 50 * cloud(rng, 2 * shape[1], power)[: shape[0], : shape[1]]
            names.append("cloud")
        else:
            name = str(rng.choice([p for p in PICTURES if p not in names]))
            coef = picture(name)
            if coef.shape[0] < shape[0] or coef.shape[1] < shape[1]:
                continue
            oy, ox = (
                rng.integers(0, coef.shape[0] - shape[0] + 1),
                rng.integers(0, coef.shape[1] - shape[1] + 1),
            )
            image = coef[oy : oy + shape[0], ox : ox + shape[1]]
            if image.std() < 5:
                continue
            names.append(name)
        noise = rng.choice([2, 10, 30])
        frames.append(
            np.clip(np.rint(image + rng.normal(0, noise, shape)), 0, 255).astype(np.uint8)
        )
    return Pair(np.stack(frames), None, about=" ".join(names) + f" {shape}")


def discs(rng, transform):
    """Draw a few discs on a flat ground, as masks and thresholded frames are."""
    rows = int(rng.choice([128, 192, 256, 384, 512]))
    count, radius = int(rng.integers(3, 11)), rng.uniform(4, rows / 16)
    shape = (rows, int(rows * rng.uniform(1, 1.3)))
    degrees = 0.0 if transform == "translation" else rng.uniform(-8, 8)
    matrix = about_centre(shape, tuple(rng.uniform(-0.05, 0.05, 2) * rows), degrees)
    places = rng.uniform(0.15, 0.85, (count, 2)) * shape[::-1]
    radii = radius * rng.uniform(0.7, 1.3, count) if rng.random() < 0.5 else np.full(count, radius)
    y, x = np.mgrid[: shape[0], : shape[1]]
    frames = []
    noise = rng.choice([0, 0, 3])
    for m in (np.eye(3), matrix):
        frame = np.zeros(shape)
        for (px, py), r in zip(places, radii, strict=True):
            qx, qy, _ = m @ [px, py, 1]
            frame = np.maximum(frame, 255 * np.clip(r + 0.5 - np.hypot(x - qx, y - qy), 0, 1))
        frames.append(
            np.clip(np.rint(frame + rng.normal(0, 1, shape) * noise), 0, 255).astype(np.uint8)
        )
    return Pair(
        np.stack(frames),
        matrix,
        1.0 if transform == "translation" else 2.0,
        about=f"{count} discs of {radius:.0f} in {shape}",
    )


def spots(rng, transform):  # noqa: ARG001
    """One to four round spots on noise, shifted: a turn or scale cannot be known of one."""
    rows = int(rng.choice([96, 128, 200, 256]))
    shape, count = (rows, rows), int(rng.integers(1, 5))
    matrix = about_centre(shape, tuple(rng.uniform(-6, 6, 2)))
    places, width = rng.uniform(0.2, 0.8, (count, 2)) * rows, rng.uniform(1.5, 4)
    y, x = np.mgrid[:rows, :rows]
    frames = [
        100
        + sum(
            90 * np.exp(-0.5 * ((x - px - dx) ** 2 + (y - py - dy) ** 2) / width**2)
            for px, py in places
        )
        + rng.normal(0, 1, shape)
        for dx, dy in ((0, 0), matrix[:2, 2])
    ]  # fmt: skip
    return Pair(
        np.stack(frames).astype(np.float32),
        matrix,
        1.5,
        about=f"{count} spots of {width:.1f} in {rows}",
    )


def region(rng, transform):
    """Measured in a region alone, of 25 % of the side and more."""
    pair = mixed(rng, transform, only=())
    rows, columns = pair.frames.shape[1:]
    height, width = (max(int(side * rng.uniform(0.3, 0.7)), 56) for side in (rows, columns))
    top, left = rng.integers(0, rows - height + 1), rng.integers(0, columns - width + 1)
    mask = np.zeros((rows, columns), bool)
    mask[top : top + height, left : left + width] = True
    pair.region, pair.tolerance = mask, 2.0
    pair.about += f" region {height} {width}"
    return pair


def pattern(rng, transform):  # noqa: ARG001
    """Lay a fixed pattern of the sensor beside a scene that drifts."""
    size, shift = 256, rng.uniform(1.5, 12) * np.exp(1j * rng.uniform(0, 2 * np.pi))
    shift = (shift.real, shift.imag)
    scene = ndimage.gaussian_filter(rng.normal(size=(340, 340)), rng.uniform(1.5, 4))
    scene *= 4 / scene.std()
    fixed = ndimage.gaussian_filter(rng.normal(size=(size, size)), 0.8)
    fixed *= rng.choice([0.5, 1, 2, 3]) / fixed.std()
    matrix = about_centre((size, size), shift)
    coef = ndimage.spline_filter(scene, 5)
    frames = [
        seen(coef, m, (size, size), (42, 42)) + 100 + fixed + rng.normal(0, 2, (size, size))
        for m in (np.eye(3), matrix)
    ]
    return Pair(
        np.stack(frames).round().astype(np.uint16),
        matrix,
        1.0,
        about=f"pattern shift {np.round(shift, 1)}",
    )


def keystoned(rng, transform):
    """Clean frames of 200 px whose motion is at the end of what the transform allows."""
    shape = (200, 200)
    coef = (
        coefficients(cloud(rng, 320)) if rng.random() < 0.5 else picture(str(rng.choice(PICTURES)))
    )
    general, free = transform in ("affine", "homography"), transform not in ("translation", "rigid")
    matrix = about_centre(
        shape, tuple(rng.uniform(-10, 10, 2)), rng.uniform(-8, 8) * (transform != "translation"),
        1 + rng.uniform(-0.04, 0.04) * free, rng.uniform(-0.08, 0.08) * general,
        1 + rng.uniform(-0.04, 0.04) * general,
        tuple(rng.uniform(-0.0006, 0.0006, 2) * (transform == "homography")),
    )  # fmt: skip
    origin = [(side - 200) * rng.uniform(0.2, 0.8) for side in coef.shape[::-1]]
    frames = [
        np.nan_to_num(seen(coef, m, shape, origin), nan=20) + rng.normal(0, 2, shape)
        for m in (np.eye(3), matrix)
    ]
    return Pair(np.clip(np.rint(frames), 0, 255).astype(np.uint8), matrix, 1.0, about="keystone")


def sliver(rng, transform):
    """Little in common: 15 to 25 %."""
    rows = int(rng.choice([200, 250, 400]))
    shape, share = (rows, rows), rng.uniform(0.15, 0.25)
    part = rng.uniform(0.2, 0.8)
    shift = np.array([(1 - share**part), (1 - share ** (1 - part))]) * rows * rng.choice([-1, 1], 2)
    coef = coefficients(cloud(rng, int(rows * 2.6)))
    matrix = about_centre(shape, tuple(shift), rng.uniform(-1, 1) * (transform != "translation"))
    origin = [(side - rows) / 2 for side in coef.shape]
    frames = [seen(coef, m, shape, origin) + rng.normal(0, 2, shape) for m in (np.eye(3), matrix)]
    return Pair(
        np.clip(np.rint(np.nan_to_num(frames)), 0, 255).astype(np.uint8),
        matrix,
        1.0,
        about=f"overlap {share:.2f}",
    )


def small(rng, transform):
    """Frames of 28 to 64 px."""
    shape = tuple(int(v) for v in rng.integers(28, 65, 2))
    coef, name = scene_of(rng)
    matrix = about_centre(
        shape,
        tuple(rng.uniform(-0.1, 0.1, 2) * min(shape)),
        rng.uniform(-4, 4) * (transform != "translation"),
    )
    origin = [rng.uniform(0.25, 0.7) * side for side in coef.shape[::-1]]
    frames = [seen(coef, m, shape, origin) + rng.normal(0, 2, shape) for m in (np.eye(3), matrix)]
    return Pair(
        np.clip(np.rint(np.nan_to_num(frames)), 0, 255).astype(np.uint8),
        matrix,
        1.0,
        about=f"{name} {shape}",
    )


KINDS: dict[str, Callable] = {
    "mixed": mixed,
    "mover": lambda rng, transform: mixed(rng, transform, movers=True),
    "clean": clean, "unrelated": unrelated, "discs": discs, "spots": spots, "region": region,
    "pattern": pattern, "keystone": keystoned, "sliver": sliver, "small": small,
}  # fmt: skip


def make(kind: str, transform: str, seed: int) -> Pair:
    """Draw the pair of a kind that belongs to a seed."""
    return KINDS[kind](
        np.random.default_rng([seed, *kind.encode(), *transform.encode()]), transform
    )
