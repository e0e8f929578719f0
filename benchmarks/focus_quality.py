"""How near `focus_stack`'s pyramid comes to the truth, beside a plain pick of the sharpest frame.

Run ``python benchmarks/focus_quality.py [FOLDER]``; FOLDER holds ``focus_motorcycle`` (rendered
from a real photograph and its disparity); without it only the synthetic scenes are measured.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import tifffile
from skimage.metrics import structural_similarity

from napari_stack.operators._pyramid import PyramidState
from napari_stack.operators._pyramid_frame import prepare

Array = np.ndarray[Any, Any]

BORDER = 12  # where filters meet the edge, no method is judged


class Scene(NamedTuple):
    """A focus series and what it was rendered from."""

    name: str
    frames: Array
    truth: Array
    depth: Array


def texture(shape: tuple[int, int], seed: int) -> Array:
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


def tilted_plane(shape: tuple[int, int] = (400, 500), frames: int = 8) -> Scene:
    """Return a plane that runs through the whole series: no edges, every depth between frames."""
    truth = texture(shape, 0)
    depth = np.broadcast_to(np.linspace(0, frames - 1, shape[1], dtype=np.float32), shape)
    sigmas = np.arange(0, frames, 0.25)
    blurred = np.stack([_blur(truth, sigma) for sigma in sigmas])
    rows, columns = np.indices(shape)
    series = []
    for index in range(frames):
        place = np.minimum(np.abs(depth - index) / 0.25, len(sigmas) - 1.001)
        below = place.astype(int)
        part = (place - below).astype(np.float32)[..., None]
        near, far = blurred[below, rows, columns], blurred[below + 1, rows, columns]
        series.append((1 - part) * near + part * far)
    return Scene("tilted plane", _as_recorded(series), truth, depth)


def discs_in_front(shape: tuple[int, int] = (400, 500), frames: int = 8) -> Scene:
    """Return discs before a background: their blurred edges veil what is behind, as in a camera."""
    rows, columns = np.indices(shape)
    truth, depth = texture(shape, 1), np.full(shape, frames - 1, np.float32)
    layers = [(truth.copy(), np.ones(shape, np.float32), frames - 1.0)]
    for seed, (x, y, radius, near) in enumerate([(150, 140, 90, 4.0), (340, 260, 100, 1.0)]):
        disc = (np.hypot(columns - x, rows - y) < radius).astype(np.float32)
        surface = texture(shape, 2 + seed)
        layers.append((surface, disc, near))
        truth = np.where(disc[..., None] > 0, surface, truth)
        depth = np.where(disc > 0, np.float32(near), depth)
    return Scene("discs in front", _as_recorded(_rendered(layers, frames)), truth, depth)


def _rendered(layers: list[tuple[Array, Array, float]], frames: int) -> Iterator[Array]:
    for index in range(frames):
        image = np.zeros_like(layers[0][0])
        for surface, cover, place in layers:  # from the back to the front
            sigma = abs(place - index)
            opacity = _blur(cover, sigma)[..., None]
            image = image * (1 - opacity) + _blur(surface * cover[..., None], sigma)
        yield image


def _blur(image: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def _as_recorded(frames: Any) -> Array:
    rng = np.random.default_rng(9)
    noisy = [frame + rng.normal(0, 0.5, frame.shape) for frame in frames]
    return np.clip(np.round(noisy), 0, 255).astype(np.float32)


def motorcycle(folder: Path) -> Scene:
    """Return the rendered series of a real scene."""
    paths = sorted(folder.glob("slice_*.tif"))
    frames = np.stack([tifffile.imread(path) for path in paths]).astype(np.float32)
    truth = tifffile.imread(folder / "truth_all_in_focus.tif").astype(np.float32)
    depth = tifffile.imread(folder / "truth_depth_slice_index.tif")
    return Scene("motorcycle", frames, truth, depth)


def pyramid(frames: Array) -> tuple[Array, Array, Array]:
    """Return image, depth and confidence."""
    state = PyramidState(frames.shape[1:], frames.dtype, rgb=True)
    for index, frame in enumerate(frames):
        state.add(index, prepare(frame, rgb=True))
    return state.result()[:3]


def sharpest_pick(frames: Array) -> tuple[Array, Array]:
    """Return, pixel by pixel, the frame with the largest smoothed |Laplacian|, and its index."""
    grey = frames @ np.array([0.299, 0.587, 0.114], np.float32)
    energy = [cv2.GaussianBlur(np.abs(cv2.Laplacian(g, -1)), (0, 0), 2) for g in grey]
    index = np.argmax(energy, axis=0)
    return np.take_along_axis(frames, index[None, ..., None], axis=0)[0], index


def report(name: str, image: Array, scene: Scene, depth: Array | None, note: str = "") -> None:
    """Print one line: PSNR, SSIM and the mean error of the depth in frames."""
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    image, truth = np.clip(np.round(image), 0, 255)[inner], scene.truth[inner]
    psnr = 10 * np.log10(255**2 / np.mean((image - truth) ** 2, dtype=float))
    ssim = structural_similarity(image, truth, channel_axis=-1, data_range=255)
    error = "" if depth is None else f"{np.abs(depth - scene.depth)[inner].mean():6.3f}"
    print(f"  {name:22s}{psnr:6.2f} dB  {ssim:.4f}  {error:6s}{note}")


def measure(scene: Scene) -> None:
    """Print the lines of a scene."""
    print(f"{scene.name}: {scene.frames.shape}; PSNR, SSIM, mean depth error in frames")
    best = min(scene.frames, key=lambda frame: float(np.mean((frame - scene.truth) ** 2)))
    report("best single frame", best, scene, None)
    report("max-Laplacian pick", *_with_scene(scene, sharpest_pick(scene.frames)))
    start = time.perf_counter()
    image, depth, confidence = pyramid(scene.frames)
    seconds = time.perf_counter() - start
    inner = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    sure = (confidence >= np.median(confidence[inner]))[inner]
    error = np.abs(depth - scene.depth)[inner][sure].mean()
    report("pyramid", image, scene, depth, f"  confident half {error:.3f}, {seconds:.2f} s")


def _with_scene(scene: Scene, result: tuple[Array, Array]) -> tuple[Array, Scene, Array]:
    return result[0], scene, result[1]


def main() -> None:
    """Measure every scene there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("../shared/data"))
    folder = parser.parse_args().folder / "focus_motorcycle"
    pyramid(np.zeros((2, 70, 70, 3), np.float32))  # compile
    if folder.is_dir():
        measure(motorcycle(folder))
    else:
        print(f"{folder} is not there: the motorcycle is left out")
    measure(tilted_plane())
    measure(discs_in_front())


if __name__ == "__main__":
    main()
