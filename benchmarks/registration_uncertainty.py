"""How often the true place lies inside the claimed ellipse, at each noise level, with exact truth.

Run as `python benchmarks/registration_uncertainty.py [--pairs 500] [--sizes 128 192 256 384 512]
[--processes 2]`. Of the frames that were verified, 68 % should have d^2 <= 2.296, where
d^2 = e^T C^-1 e, e the error and C the covariance claimed; of the shift at the centre, and of all
four corners.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import cv2
import numpy as np
from analytic_textures import Matrix, Texture, cells, natural, similarity
from numpy.typing import NDArray

from napari_stack.core.matrices import centre_of, corners_of
from napari_stack.operators.geometry.covariance import at_points
from napari_stack.operators.registration.search.align import align, prepare

#: Standard deviations of the noise, of 255; "SNR 1" is that of the scene, neither clipped nor
#: rounded; 0 shows the bias that is left.
NOISE = (0.0, 2.0, 10.0, 30.0, "SNR 1")
KINDS = ("translation", "rigid", "similarity", "affine")
#: Inside this squared distance lie 68.3 % of a normal distribution in two dimensions.
INSIDE = 2.296


@dataclass(frozen=True)
class Pair:
    """What a pair of frames is made of."""

    kind: str
    scene: str
    size: int
    noise: float | str
    seed: int

    def truth(self) -> Matrix:
        """Draw the motion: up to 4 px, 2 degrees, 2 % and a little shear."""
        rng, shape = np.random.default_rng([1, self.seed]), (self.size, self.size)
        shift = tuple(rng.uniform(-4, 4, 2))
        turn, scale, shear = rng.uniform(-2, 2), rng.uniform(0.98, 1.02), rng.uniform(-0.015, 0.015)
        if self.kind == "translation":
            return similarity(shift, 0, 1, shape)
        matrix = similarity(shift, turn, 1 if self.kind == "rigid" else scale, shape)
        if self.kind == "affine":
            lean = np.eye(3)
            lean[0, 1] = shear
            lean[0, 2] = -shear * (self.size - 1) / 2
            matrix = matrix @ lean
        return matrix

    def frames(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Draw both frames."""
        rng, shape = np.random.default_rng([2, self.seed]), (self.size, self.size)
        texture = TEXTURES[self.scene](self.seed, self.size)
        frames = [texture(matrix, shape) for matrix in (np.eye(3), self.truth())]
        if self.noise == "SNR 1":
            noise = frames[0].std()
            return tuple((f + rng.normal(0, noise, shape)).astype(np.float32) for f in frames)
        noisy = [f + rng.normal(0, float(self.noise), shape) for f in frames]
        if self.noise == 0:
            return tuple(f.astype(np.float32) for f in noisy)
        return tuple(np.clip(np.rint(f), 0, 255).astype(np.float32) for f in noisy)


def scattered(seed: int, size: int) -> Texture:
    """Cells, as dense in a large frame as in a small one."""
    return cells(seed, int(900 * (size / 800) ** 2) + 30, 2.0 * size)


def photograph(seed: int, size: int) -> Texture:
    """Photographs of scikit-image, read by splines of the fifth order."""
    from scipy import ndimage
    from skimage import data

    names = ("camera", "coins", "brick", "grass", "gravel", "moon")
    image = getattr(data, names[seed % len(names)])().astype(np.float64)
    rng = np.random.default_rng([3, seed])
    # Of a limited band, as an optic makes it, and never stretched.
    smooth = ndimage.spline_filter(ndimage.gaussian_filter(image, 1.0), 5)
    room = [max(side - size - 24, 1) for side in image.shape]
    top, left = (12 + rng.integers(0, r) for r in room)

    def frame(matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.float64]:
        y, x = np.mgrid[: shape[0], : shape[1]]
        back = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
        places = [back[1] + top, back[0] + left]
        read = ndimage.map_coordinates(smooth, places, order=5, prefilter=False, mode="mirror")
        return read.reshape(shape)

    return frame


TEXTURES = {"natural": lambda seed, _size: natural(seed), "cells": scattered}
if find_spec("skimage"):
    TEXTURES["photographs"] = photograph


class Judged(NamedTuple):
    """Errors (points, 2) and squared distances of the centre and the four corners; their claims."""

    error: NDArray[np.float64]
    distance: NDArray[np.float64]
    sigma: NDArray[np.float64]


def judged(pair: Pair) -> Judged | None:
    """Register a pair and compare its error with its covariance; None where there is none."""
    first, second = pair.frames()
    found = align(prepare(first), prepare(second), transform=pair.kind)
    if not (found.verified and np.isfinite(found.covariance).all()):
        return None
    shape = first.shape
    points = np.vstack([centre_of(shape)[None], corners_of(shape)[:2].T])
    covariance = at_points(found.matrix[None], found.covariance[None], points)[0]
    places = [m @ np.column_stack([points, np.ones(5)]).T for m in (found.matrix, pair.truth())]
    error = ((places[0] / places[0][2])[:2] - (places[1] / places[1][2])[:2]).T
    distance = np.einsum("pi,pij,pj->p", error, np.linalg.inv(covariance), error)
    return Judged(error, distance, np.sqrt(np.einsum("pii->p", covariance) / 2))


def pairs(count: int, noise: float | str, sizes: Sequence[int], begin: int = 0) -> list[Pair]:
    """Go through kinds of motion, scenes and sizes in turn."""
    made = []
    for i in range(count):
        kind, rest = KINDS[i % len(KINDS)], i // len(KINDS)
        scene = list(TEXTURES)[rest % len(TEXTURES)]
        size = sizes[rest // len(TEXTURES) % len(sizes)]
        largest = 256 if scene == "photographs" else size  # no photograph is larger than 512
        made.append(Pair(kind, scene, min(size, largest), noise, begin + i))
    return made


def line(results: list[Judged], index: int | slice) -> str:
    """Coverage, mean of d^2 / 2 (1 is right), and the errors (rms an axis) found and claimed."""
    distance = np.concatenate([np.ravel(r.distance[index]) for r in results])
    error = np.concatenate([r.error[index].ravel() for r in results])
    claimed = np.concatenate([np.ravel(r.sigma[index]) for r in results])
    return (
        f"{(distance <= INSIDE).mean():9.1%} {np.minimum(distance, 30).mean() / 2:8.2f} "
        f"{np.sqrt(np.median(error**2) / 0.4549):9.4f} {np.median(claimed):9.4f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 192, 256, 384, 512])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--begin", type=int, default=0, help="number of the first seed")
    parser.add_argument("--noise", nargs="+", default=list(map(str, NOISE)), help='or "SNR 1"')
    parser.add_argument("--by", choices=["none", "kind", "scene", "size"], default="none")
    options = parser.parse_args()
    head = f"{'inside':>9} {'d^2 / 2':>8} {'error px':>9} {'claimed':>9}"
    print(f"{'noise':<22} {'pairs':>6} | centre: {head} | corners: {head}")
    with ProcessPoolExecutor(options.processes, initializer=partial(cv2.setNumThreads, 1)) as pool:
        for word in options.noise:
            noise = word if word == "SNR 1" else float(word)
            made = pairs(options.pairs, noise, options.sizes, options.begin)
            results = list(pool.map(judged, made, chunksize=8))
            known = [(p, r) for p, r in zip(made, results, strict=True) if r is not None]
            groups = {"": [r for _, r in known]}
            if options.by != "none":
                for pair, result in known:
                    name = str({"kind": pair.kind, "scene": pair.scene}.get(options.by, pair.size))
                    groups.setdefault(name, []).append(result)
            for name, some in groups.items():
                columns = f"| centre: {line(some, 0)} | corners: {line(some, slice(1, 5))}"
                print(f"{f'{noise} {name}':<22} {len(some):>6} {columns}", flush=True)


if __name__ == "__main__":
    main()
