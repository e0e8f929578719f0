"""Textures that are formulas: sampled exactly under any similarity, so drift has an exact truth."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
#: Takes a matrix (3, 3) and a shape (rows, columns); gives the frame in which the object point
#: (x, y) of the reference lies at matrix @ (x, y, 1), as float64 in about 0 to 255.
Texture = Callable[[Matrix, tuple[int, int]], NDArray[np.float64]]


def similarity(
    shift: tuple[float, float], degrees: float, scale: float, shape: tuple[int, int]
) -> Matrix:
    """Matrix of a similarity about the centre of the frame, then a shift (x, y)."""
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre - linear @ centre + shift
    return matrix


def natural(seed: int, waves: int = 500, shortest: float = 5.0) -> Texture:
    """Plane waves with amplitudes falling as the frequency, like those of natural images."""
    rng = np.random.default_rng(seed)
    frequency = 1 / np.exp(rng.uniform(np.log(shortest), np.log(300), waves))
    angle, phase = rng.uniform(0, np.pi, waves), rng.uniform(0, 2 * np.pi, waves)
    kx, ky = 2 * np.pi * frequency * np.cos(angle), 2 * np.pi * frequency * np.sin(angle)
    # Log-uniform frequencies with equal amplitudes have the power spectrum 1 / f^2 in 2-D.
    amplitude = 40 * np.sqrt(2 / waves) * np.ones(waves)

    def frame(matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.float64]:
        back = np.linalg.inv(matrix)
        qx, qy = back[0, 0] * kx + back[1, 0] * ky, back[0, 1] * kx + back[1, 1] * ky
        start = phase + kx * back[0, 2] + ky * back[1, 2]
        along_x = np.exp(1j * (np.outer(qx, np.arange(shape[1])) + start[:, None]))
        along_y = amplitude * np.exp(1j * np.outer(np.arange(shape[0]), qy))
        return 128 + (along_y @ along_x).real

    return frame


def cells(seed: int, count: int = 900, extent: float = 1600) -> Texture:
    """Ellipses with soft rims and bright nuclei, scattered over (-extent/4, 3/4 extent)."""
    rng = np.random.default_rng(seed)
    position = rng.uniform(-extent / 4, extent * 3 / 4, (count, 2))
    axes, turn = rng.uniform(6, 20, (count, 2)), rng.uniform(0, np.pi, count)
    height = rng.uniform(30, 90, count)

    def frame(matrix: Matrix, shape: tuple[int, int]) -> NDArray[np.float64]:
        image = np.full(shape, 30.0)
        back = np.linalg.inv(matrix)
        scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
        for centre, (a, b), angle, bright in zip(position, axes, turn, height, strict=True):
            x0, y0 = matrix[:2, :2] @ centre + matrix[:2, 2]
            reach = scale * (max(a, b) + 16)
            left, right = max(int(x0 - reach), 0), min(int(x0 + reach) + 2, shape[1])
            top, bottom = max(int(y0 - reach), 0), min(int(y0 + reach) + 2, shape[0])
            if left >= right or top >= bottom:
                continue
            y, x = np.mgrid[top:bottom, left:right]
            px = back[0, 0] * x + back[0, 1] * y + back[0, 2] - centre[0]
            py = back[1, 0] * x + back[1, 1] * y + back[1, 2] - centre[1]
            u, v = px * np.cos(angle) + py * np.sin(angle), py * np.cos(angle) - px * np.sin(angle)
            rim = (np.hypot(u / a, v / b) - 1) * min(a, b)
            body = 1 / (1 + np.exp(np.minimum(rim / 0.8, 50)))
            nucleus = np.exp(-0.5 * (px**2 + py**2) / (0.25 * min(a, b)) ** 2)
            image[top:bottom, left:right] += bright * (0.6 * body + 0.5 * nucleus)
        return image

    return frame


def pair(
    texture: Texture, matrix: Matrix, shape: tuple[int, int], noise: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make a reference and a moving frame with Gaussian noise, clipped and rounded to 0 to 255."""
    rng = np.random.default_rng(seed)
    frames = [texture(np.eye(3), shape), texture(matrix, shape)]
    first, second = (
        np.clip(np.rint(f + rng.normal(0, noise, shape)), 0, 255).astype(np.float32) for f in frames
    )
    return first, second


def corner_error(found: Matrix, truth: Matrix, shape: tuple[int, int]) -> float:
    """Mean distance of the four corners of the frame under two matrices, in pixels."""
    x, y = shape[1] - 1, shape[0] - 1
    corners = np.array([[0, x, 0, x], [0, 0, y, y], [1, 1, 1, 1]], dtype=np.float64)
    difference = ((found - truth) @ corners)[:2]
    return float(np.hypot(difference[0], difference[1]).mean())
