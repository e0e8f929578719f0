"""How far the depth of `focus_stack` is off, and how many errors lie within its uncertainty.

Run ``python benchmarks/focus_depth.py [SEED]``: tilted planes, half spheres and steps with
occlusion, at several noises and blurs from frame to frame. 68 % within one standard deviation are
wanted.
"""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from focus_scenes import layered, natural, patches, surface

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

SHAPE = (300, 360)
# Noise (of 255), growth of the blur from frame to frame in pixels, frames, texture.
CASES = ((1, 1.0, 8, natural), (4, 1.0, 8, natural), (2, 0.5, 16, natural),
         (2, 1.5, 6, patches), (8, 1.0, 8, natural), (10, 1.0, 8, patches))  # fmt: skip


def shapes(frames: int, texture: Any, blur: float, seed: int) -> Iterator[tuple[str, Any, Array]]:
    """Yield name, frames and true depth of every shape."""
    rows, columns = np.indices(SHAPE).astype(np.float32)
    picture, last = texture(SHAPE, seed), frames - 2
    plane = columns / SHAPE[1] * last + 0.5
    yield "plane", surface(picture, plane, frames, blur), plane
    height = 1 - ((columns - 180) ** 2 + (rows - 150) ** 2) / 140**2
    sphere = np.where(height > 0, last * np.sqrt(np.maximum(height, 0)) + 0.7, 0.7)
    sphere = sphere.astype(np.float32)
    yield "sphere", surface(picture, sphere, frames, blur), sphere
    layers = [(picture, np.ones(SHAPE, np.float32), last - 0.2)]
    steps = np.full(SHAPE, last - 0.2, np.float32)
    for number, (x, y, radius, near) in enumerate(
        ((100, 120, 70, 1.3), (250, 200, 80, frames / 2))
    ):
        cover = (np.hypot(columns - x, rows - y) < radius).astype(np.float32)
        layers.append((texture(SHAPE, seed + 50 + number), cover, near))
        steps = np.where(cover > 0, np.float32(near), steps)
    yield "steps", layered(layers, frames, blur), steps


def main() -> None:
    """Print the table."""
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print(f"{'scene':28s}{'error':>8s}{'sigma':>8s}{'within':>8s}")
    shares = []
    for noise, blur, frames, texture in CASES:
        rng = np.random.default_rng(seed)
        for name, series, depth in shapes(frames, texture, blur, seed):
            noisy = [frame[..., 0] + rng.normal(0, noise, SHAPE) for frame in series]
            stored = np.clip(np.round(noisy), 0, 255).astype(np.uint8)
            found = focus_stack(Stack.wrap(stored), uncertainty=True)
            sure = found.confidence > 0
            error, sigma = np.abs(found.depth - depth)[sure], found.uncertainty[sure]
            shares.append(float(np.mean(error < sigma)))
            title = f"{name}, noise {noise}, blur {blur}"
            median = np.median(sigma)
            print(f"{title:28s}{np.median(error):8.3f}{median:8.3f}{shares[-1]:8.0%}", flush=True)
    print(f"all {np.mean(shares):.0%}, from {min(shares):.0%} to {max(shares):.0%}")


if __name__ == "__main__":
    main()
