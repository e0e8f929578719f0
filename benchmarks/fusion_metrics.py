"""Two-image fusion: Q_MI, Q_G and Q_Y, and the error against the truth, on blurred photographs.

A photograph of `skimage.data` is blurred once inside and once outside of a mask, so the truth is
known. The metrics compare a fused image with its two sources and can be gamed; the error decides.

Q_MI: mutual information with both sources (Hossny et al. 2008); Q_G: gradients kept (Xydeas and
Petrovic 2000); Q_Y: structural similarity with the better source (Yang et al. 2008); as surveyed
by Liu et al., Information Fusion 64 (2020).
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from focus_quality import sharpest_pick
from skimage import data

from napari_stack.core.stack import Stack
from napari_stack.operators import focus_stack

Array = np.ndarray[Any, Any]

PHOTOGRAPHS = ("astronaut", "camera", "coffee", "chelsea", "coins", "rocket")
BLURS = (1.5, 3.0)


def grey(image: Array) -> Array:
    """Return the brightness as float64."""
    weights = np.array([0.299, 0.587, 0.114])
    return image.astype(float) @ weights if image.ndim == 3 else image.astype(float)


def entropy(counts: Array) -> float:
    """Return the entropy in bits of a histogram."""
    share = counts[counts > 0] / counts.sum()
    return float(-np.sum(share * np.log2(share)))


def mutual_information(one: Array, other: Array) -> tuple[float, float, float]:
    """Return the mutual information of two pictures and the entropy of each."""
    joint, _, _ = np.histogram2d(one.ravel(), other.ravel(), bins=256, range=((0, 256),) * 2)
    first, second = entropy(joint.sum(axis=1)), entropy(joint.sum(axis=0))
    return first + second - entropy(joint.ravel()), first, second


def q_mi(a: Array, b: Array, fused: Array) -> float:
    """Return 2 (I(A, F) / (H(A) + H(F)) + I(B, F) / (H(B) + H(F)))."""
    total = 0.0
    for source in (a, b):
        shared, own, of_fused = mutual_information(source, fused)
        total += 2 * shared / (own + of_fused)
    return total


def _gradients(image: Array) -> tuple[Array, Array]:
    across, down = cv2.Sobel(image, cv2.CV_64F, 1, 0), cv2.Sobel(image, cv2.CV_64F, 0, 1)
    angle = np.arctan(np.divide(down, across, out=np.full_like(down, np.inf), where=across != 0))
    return np.hypot(across, down), angle


def q_g(a: Array, b: Array, fused: Array) -> float:
    """Return the share of edge strength and direction that is kept, weighted by strength."""
    strength, angle = _gradients(fused)
    kept, total = 0.0, 0.0
    for source in (a, b):
        own, own_angle = _gradients(source)
        small, large = np.minimum(own, strength), np.maximum(own, strength)
        ratio = np.divide(small, large, out=np.zeros_like(small), where=large > 0)
        turn = 1 - np.abs(own_angle - angle) / (np.pi / 2)
        quality = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5)))
        quality *= 0.9879 / (1 + np.exp(-22 * (turn - 0.8)))
        kept += float(np.sum(quality * own))
        total += float(np.sum(own))
    return kept / total


def _moments(one: Array, other: Array) -> tuple[Array, Array, Array]:
    mean_one, mean_other = (cv2.blur(plane, (7, 7)) for plane in (one, other))
    of_one, of_other = (
        np.maximum(cv2.blur(plane**2, (7, 7)) - mean**2, 0)
        for plane, mean in ((one, mean_one), (other, mean_other))
    )
    both = cv2.blur(one * other, (7, 7)) - mean_one * mean_other
    light = (2 * mean_one * mean_other + 1e-4) / (mean_one**2 + mean_other**2 + 1e-4)
    return light * (2 * both + 1e-4) / (of_one + of_other + 1e-4), of_one, of_other


def q_y(a: Array, b: Array, fused: Array) -> float:
    """Return the mean similarity: weighted where the sources agree, else with the better one."""
    between, of_a, of_b = _moments(a, b)
    with_a, with_b = _moments(a, fused)[0], _moments(b, fused)[0]
    share = (of_a + 1e-9) / (of_a + of_b + 2e-9)
    agree = share * with_a + (1 - share) * with_b
    return float(np.where(between >= 0.75, agree, np.maximum(with_a, with_b)).mean())


def pairs() -> Iterator[tuple[str, Array, Array, Array]]:
    """Yield name, near frame, far frame and truth."""
    for number, name in enumerate(PHOTOGRAPHS):
        truth = getattr(data, name)()
        rng = np.random.default_rng(number)
        field = cv2.GaussianBlur(rng.normal(size=truth.shape[:2]), (0, 0), 40)
        mask = (field > 0).astype(np.float32)
        for sigma in BLURS:
            yield (f"{name} {sigma}", *_pair(truth.astype(np.float32), mask, sigma), truth)


def _pair(truth: Array, mask: Array, sigma: float) -> tuple[Array, Array]:
    """Return the picture with one side of the mask in focus each: the near side veils the far."""

    def shaped(plane: Array) -> Array:
        return plane[..., None] if truth.ndim == 3 else plane

    def blurred(plane: Array) -> Array:
        return cv2.GaussianBlur(plane, (0, 0), sigma)

    cover = shaped(mask)
    near_sharp = blurred(truth) * (1 - cover) + truth * cover
    veil = shaped(blurred(mask))
    far_sharp = truth * (1 - veil) + blurred(truth * cover)
    return tuple(np.clip(np.round(f), 0, 255).astype(np.uint8) for f in (near_sharp, far_sharp))


def main() -> None:
    """Print the means over all pairs."""
    lines: dict[str, list[list[float]]] = {}
    for _, near, far, truth in pairs():
        stack = Stack.wrap(np.stack([near, far]))
        fused = {"max-Laplacian pick": sharpest_pick(np.stack([near, far]))[0]}
        for method in ("auto", "pyramid", "depth map"):
            fused[method] = focus_stack(stack, method=method).image
        a, b = grey(near), grey(far)
        for method, image in fused.items():
            picture = grey(image)
            error = np.mean((image.astype(float) - truth)[12:-12, 12:-12] ** 2)
            row = [q_mi(a, b, picture), q_g(a, b, picture), q_y(a, b, picture)]
            lines.setdefault(method, []).append([*row, 10 * np.log10(255**2 / error)])
    print(f"{'':20s}   Q_MI    Q_G    Q_Y    PSNR")
    for method, rows in lines.items():
        means = np.mean(rows, axis=0)
        print(f"{method:20s}" + "".join(f"{x:7.4f}" for x in means[:3]) + f"{means[3]:8.2f}")


if __name__ == "__main__":
    main()
