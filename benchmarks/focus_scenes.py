"""Rendered focus series with known truth: other textures, depths, noise, flicker, bit depths.

Every scene is seeded; values are kept on the scale 0 to 255 as floats unless `Recording` says
otherwise. Occluding layers are composed as a camera does: a blurred
near layer veils what is behind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import tifffile
from scipy.special import ive

Array = np.ndarray[Any, Any]


class Scene(NamedTuple):
    """A focus series and what it was rendered from, all on the frames' scale."""

    name: str
    frames: Array
    truth: Array
    depth: Array
    top: float = 255.0


@dataclass(frozen=True)
class Recording:
    """What a camera does to a series: noise (of 255), flicker (a share), type and data range."""

    noise: float = 0.5
    flicker: float = 0.0
    dtype: Any = np.uint8
    top: float = 255.0

    def __call__(self, frames: Any, truth: Array) -> tuple[Array, Array]:
        """Return frames and truth as recorded."""
        rng = np.random.default_rng(9)
        recorded = []
        for frame in frames:
            gain = 1 + self.flicker * rng.uniform(-1, 1)
            noisy = gain * frame + rng.normal(0, self.noise, frame.shape)
            recorded.append(self._stored(noisy))
        return np.stack(recorded), np.asarray(truth * (self.top / 255), np.float32)

    def _stored(self, frame: Array) -> Array:
        scaled = frame * (self.top / 255)
        if np.dtype(self.dtype).kind == "f":
            return scaled.astype(self.dtype)
        return np.clip(np.round(scaled), 0, self.top).astype(self.dtype)


# ---- textures ------------------------------------------------------------------------------------


def natural(shape: tuple[int, int], seed: int) -> Array:
    """Return colour noise with the spectrum of natural scenes, 20 to 235."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    amplitude = np.maximum(np.hypot(fy, fx), 1 / max(shape)) ** -1.3
    planes = []
    for _ in range(3):
        phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
        plane = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape)
        planes.append(plane / plane.std())
    mixed = 0.8 * planes[0][..., None] + 0.4 * np.stack(planes, axis=-1)
    return (127.5 + 107.5 * np.clip(mixed / 2.5, -1, 1)).astype(np.float32)


def patches(shape: tuple[int, int], seed: int) -> Array:
    """Return overlapping flat and shaded shapes: strong edges, and regions without texture."""
    rng = np.random.default_rng(seed)
    image = np.full((*shape, 3), rng.uniform(60, 200, 3), np.float32)
    for _ in range(140):
        centre = rng.uniform((0, 0), (shape[1], shape[0]))
        size, turn = rng.uniform(5, 45, 2), float(rng.uniform(0, 180))
        colour = rng.uniform(15, 240, 3)
        box = ((float(centre[0]), float(centre[1])), (float(size[0]), float(size[1])), turn)
        corners = cv2.boxPoints(box)
        points = np.round(corners * 16).astype(np.int32)
        cv2.fillConvexPoly(image, points, colour.tolist(), cv2.LINE_AA, 4)
    image = np.clip(np.round(image), 0, 255).astype(np.float32)
    fine = natural(shape, seed + 100)
    return np.clip(_blur(image, 0.5) + 0.12 * (fine - 127.5), 0, 255)


def cells(shape: tuple[int, int], seed: int) -> Array:
    """Return bright grainy blobs on a nearly black background, as in fluorescence."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape, np.float32)
    image = np.zeros(shape, np.float32)
    for _ in range(max(20, shape[0] * shape[1] // 4000)):
        y, x, a, b = *rng.uniform((0, 0), shape), *rng.uniform(4, 16, 2)
        turn = rng.uniform(0, np.pi)
        u = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        v = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
        image += rng.uniform(0.2, 1) / (1 + np.exp(6 * (np.hypot(u / a, v / b) - 1)))
    grain = natural(shape, seed + 50)[..., 0] / 127.5
    image = 8 + 150 * np.clip(image, 0, 1.3) * grain
    return np.clip(image, 0, 255)[..., None] * np.ones(3, np.float32)


# ---- scenes --------------------------------------------------------------------------------------


def surface(texture: Array, depth: Array, frames: int, blur: float = 1.0) -> Iterator[Array]:
    """Yield the frames of a continuous surface; sigma of the blur grows by `blur` a frame."""
    step = 0.25
    sigmas = np.arange(0, (frames + 1) * blur + 2 * step, step)
    blurred = np.stack([_blur(texture, sigma) for sigma in sigmas])
    rows, columns = np.indices(depth.shape)
    for index in range(frames):
        place = np.abs(depth - index) * blur / step
        below = np.minimum(place.astype(int), len(sigmas) - 2)
        part = (place - below).astype(np.float32)[..., None]
        near, far = blurred[below, rows, columns], blurred[below + 1, rows, columns]
        yield (1 - part) * near + part * far


def layered(
    layers: list[tuple[Array, Array, float]], frames: int, blur: float = 1.0
) -> Iterator[Array]:
    """Yield the frames of flat layers (texture, cover, frame in focus), from back to front."""
    for index in range(frames):
        image = np.zeros_like(layers[0][0])
        for picture, cover, place in layers:
            sigma = abs(place - index) * blur
            opacity = _blur(cover, sigma)[..., None]
            image = image * (1 - opacity) + _blur(picture * cover[..., None], sigma)
        yield image


def tilted_plane(shape: tuple[int, int] = (400, 500), frames: int = 8) -> Scene:
    """Return a plane that runs through the whole series: no edges, every depth between frames."""
    truth = natural(shape, 0)
    depth = np.broadcast_to(np.linspace(0, frames - 1, shape[1], dtype=np.float32), shape)
    return _scene("tilted plane", surface(truth, depth, frames), truth, depth, Recording())


def discs_in_front(recording: Recording = Recording(), name: str = "discs in front") -> Scene:
    """Return discs before a background: their blurred edges veil what is behind."""
    shape, frames = (400, 500), 8
    discs = [(150, 140, 90, 4.0), (340, 260, 100, 1.0)]
    return _discs(name, natural, shape, frames, discs, recording)


def _discs(
    name: str,
    make: Callable[[tuple[int, int], int], Array],
    shape: tuple[int, int],
    frames: int,
    discs: list[tuple[int, int, int, float]],
    recording: Recording,
    blur: float = 1.0,
) -> Scene:
    rows, columns = np.indices(shape)
    truth, depth = make(shape, 1), np.full(shape, frames - 1, np.float32)
    layers = [(truth.copy(), np.ones(shape, np.float32), frames - 1.0)]
    for seed, (x, y, radius, near) in enumerate(discs):
        disc = (np.hypot(columns - x, rows - y) < radius).astype(np.float32)
        picture = make(shape, 2 + seed)
        layers.append((picture, disc, near))
        truth = np.where(disc[..., None] > 0, picture, truth)
        depth = np.where(disc > 0, np.float32(near), depth)
    return _scene(name, layered(layers, frames, blur), truth, depth, recording)


def patches_in_steps(recording: Recording = Recording(2.0, 0.03)) -> Scene:
    """Return flat-coloured shapes on three levels, with flicker of 3 % and a little noise."""
    discs = [(110, 200, 80, 6.0), (300, 130, 90, 3.0), (330, 300, 60, 0.0)]
    return _discs("patches, flicker", patches, (380, 440), 9, discs, recording)


def hill_of_40(recording: Recording = Recording(5.0)) -> Scene:
    """Return a rolling surface through 40 frames, noise 5."""
    shape = (320, 400)
    rows, columns = np.indices(shape) / np.array(shape).reshape(2, 1, 1)
    wave = np.sin(2 * np.pi * columns) * np.cos(1.5 * np.pi * rows)
    depth = (19.5 + 17 * wave).astype(np.float32)
    truth = natural(shape, 11)
    return _scene(
        "hill, 40 frames, noise 5", surface(truth, depth, 40, 0.4), truth, depth, recording
    )


def three_frames(recording: Recording = Recording(0.5, 0.01)) -> Scene:
    """Return three frames with strong blur between them."""
    discs = [(140, 150, 80, 1.0), (330, 200, 90, 0.0)]
    return _discs("three frames", natural, (360, 440), 3, discs, recording, blur=2.5)


def cells_12_bit(recording: Recording = Recording(2.0, 0.0, np.uint16, 4095)) -> Scene:
    """Return grey cells on black in 12 frames, 12 bits in 16."""
    shape = (360, 400)
    rows, columns = np.indices(shape) / np.array(shape).reshape(2, 1, 1)
    depth = (1 + 9 * (0.5 + 0.5 * np.sin(3 * columns + 2 * rows))).astype(np.float32)
    truth = cells(shape, 21)
    grey = (frame[..., 0] for frame in surface(truth, depth, 12, 0.8))
    return _scene("cells, 12 bit, noise 2", grey, truth[..., 0], depth, recording)


def noisy_discs() -> Scene:
    """Return the discs with noise 10 of 255."""
    return discs_in_front(Recording(10.0), "discs, noise 10")


def float_patches() -> Scene:
    """Return shapes in floats from 0 to 1, 14 frames, noise 0."""
    discs = [(110, 120, 70, 9.0), (290, 120, 80, 5.0), (230, 270, 90, 1.5)]
    recording = Recording(0.0, 0.0, np.float32, 1.0)
    return _discs("patches, float 0..1", patches, (360, 400), 14, discs, recording, blur=0.8)


def _scene(name: str, frames: Any, truth: Array, depth: Array, recording: Recording) -> Scene:
    recorded, scaled = recording(frames, truth)
    return Scene(name, recorded, scaled, np.asarray(depth), recording.top)


def _blur(image: Array, sigma: float) -> Array:
    """Return an image blurred; fine blurs too, whose Gaussian cannot be sampled, as they are."""
    if sigma < 0.05:
        return image
    if sigma > 1.5:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    # Lindeberg's discrete Gaussian (1990) has the variance asked for, however small that is.
    taps = ive(np.abs(np.arange(-9, 10)), sigma**2)
    return cv2.sepFilter2D(image, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)


def motorcycle(folder: Path) -> Scene:
    """Return the rendered series of a real scene, from the folder that holds it."""
    frames = np.stack([tifffile.imread(path) for path in sorted(folder.glob("slice_*.tif"))])
    truth = tifffile.imread(folder / "truth_all_in_focus.tif").astype(np.float32)
    depth = tifffile.imread(folder / "truth_depth_slice_index.tif")
    return Scene("motorcycle", frames, truth, depth)


SCENES: tuple[Callable[[], Scene], ...] = (
    tilted_plane,
    discs_in_front,
    patches_in_steps,
    hill_of_40,
    three_frames,
    cells_12_bit,
    noisy_discs,
    float_patches,
)
