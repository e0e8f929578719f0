"""Corner errors along a series that goes through the focus while the frames grow, with exact truth.

Run as `python benchmarks/registration_breathing.py [--frames 300] [--growth 1.6] [--reference
first] [--sequences auto global]`. A photograph is defocused by up to 8 px (sigma), less where a
smooth depth is in focus; noise is 3 of 255. Every frame should be within 0.5 px, or flagged.
With `--rendered`, series of objects that hide each other (`samples.focus_series`) are measured.
"""

import argparse
import time
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from registration_pairs import about_centre
from scipy import ndimage
from skimage import data

from napari_stack import Stack, measure_transforms, samples
from napari_stack.core.matrices import corners_of

#: Side of a frame, noise (of 255), and the greatest defocus (sigma in px).
SIZE, NOISE, DEFOCUS = 256, 3.0, 8.0
#: Corners further off than this should be flagged.
NEAR = 0.5
#: Rendered series: frames, size, growth and noise (of 255) of a frame, seed.
RENDERED = (
    (9, (288, 360), 0.03, 3, 0),
    (9, (288, 360), 0.02, 2, 2),
    (9, (300, 300), 0.02, 3, 8),
    (9, (256, 320), 0.01, 3, 0),
    (9, (512, 512), 0.01, 1, 1),
    (12, (256, 320), 0.01, 2, 5),
)
#: Blurs that a frame is put together of.
SIGMAS = np.array([0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])


def series(frames: int, growth: float, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Frames (n, y, x) and their true matrices, that of the first one being none."""
    rng = np.random.default_rng(seed)
    names = ("camera", "gravel", "brick", "grass")
    scene = ndimage.gaussian_filter(getattr(data, names[seed % 4])().astype(np.float64), 1.0)
    depth = ndimage.gaussian_filter(rng.normal(size=scene.shape), 60)
    depth = (depth - depth.min()) / np.ptp(depth)
    shape = (SIZE, SIZE)
    origin = np.eye(3)
    origin[:2, 2] = [(side - SIZE) / 2 for side in scene.shape[::-1]]
    made, matrices = [], []
    for number in range(frames):
        share = number / max(frames - 1, 1)
        shift = 3 * np.sin(share * np.array([5.0, 7.0]))
        matrix = about_centre(shape, tuple(shift), 0.0, growth**share)
        back = origin @ np.linalg.inv(matrix)
        how = {"flags": cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, "borderMode": cv2.BORDER_REFLECT}
        sharp, far = (cv2.warpAffine(i, back[:2], shape, **how) for i in (scene, depth))
        place = np.interp(DEFOCUS * np.abs(far - share), SIGMAS, np.arange(len(SIGMAS)))
        # Light is spread from where it comes from: spread by the depth of where it goes to, objects
        # would move towards what is in focus.
        frame = np.full(shape, float(scene.mean()))
        for number_of, sigma in enumerate(SIGMAS):
            part = (sharp - scene.mean()) * np.maximum(1 - np.abs(place - number_of), 0)
            frame += cv2.GaussianBlur(part, (0, 0), sigma) if sigma else part
        frame += rng.normal(0, NOISE, shape)
        made.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
        matrices.append(matrix)
    return np.stack(made), np.stack(matrices)


def rendered(sequences: list[str]) -> None:
    """Print how far the frames of rendered focus series are off at the worst corner."""
    for frames, size, breathing, noise, seed in RENDERED:
        stack, truth = samples.focus_series(
            frames, size, seed, breathing=breathing, noise=noise / 255
        )
        for sequence in sequences:
            found = measure_transforms(stack, transform="similarity", sequence=sequence)
            true = truth["matrices"] @ np.linalg.inv(truth["matrices"][found.reference])
            error = (found.matrices - true) @ corners_of(size)
            off = np.hypot(error[:, 0], error[:, 1]).max(axis=1)
            print(
                f"{sequence:7} {frames} frames of {size[0]} x {size[1]}, breathing {breathing}, "
                f"noise {noise}, seed {seed}: flagged {found.failed.sum()}, off at most "
                f"{off.max():.3f} px, rms {np.sqrt(np.mean(off**2)):.3f}; each {np.round(off, 2)}",
                flush=True,
            )


def main() -> None:
    """Print a line for each sequence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--growth", type=float, default=1.6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reference", default="first")
    parser.add_argument("--sequences", nargs="+", default=["auto", "global"])
    parser.add_argument("--rendered", action="store_true")
    given = parser.parse_args()
    if given.rendered:
        rendered(given.sequences)
        return
    frames, truth = series(given.frames, given.growth, given.seed)
    corners = corners_of((SIZE, SIZE))
    for sequence in given.sequences:
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = measure_transforms(
                Stack.wrap(frames), transform="similarity", reference=given.reference,
                sequence=sequence,
            )  # fmt: skip
        spent = time.process_time() - start
        true = truth @ np.linalg.inv(truth[found.reference])
        off = np.hypot(*((found.matrices - true) @ corners)[:, :2].swapaxes(0, 1)).max(axis=1)
        kept = ~found.failed
        told = found.uncertainty(corners[:2].T)
        error = ((found.matrices - true) @ corners)[:, :2].swapaxes(1, 2)
        known = kept & np.isfinite(told).all(axis=(1, 2, 3))
        known[found.reference] = False
        squared = np.einsum(
            "fpi,fpij,fpj->fp", error[known], np.linalg.inv(told[known]), error[known]
        )
        claimed = np.sqrt(np.trace(told[known], axis1=2, axis2=3).max(axis=1))
        print(
            f"{sequence:7} flagged {found.failed.sum()}, more than {NEAR} px off and not flagged "
            f"{np.count_nonzero(kept & (off > NEAR))}; off at most {off[kept].max():.2f} px, "
            f"median {np.median(off[kept]):.3f}; claimed at corners up to "
            f"{claimed.max():.2f}, median {np.median(claimed):.3f}, "
            f"inside d^2 <= 2.296 {np.mean(squared <= 2.296):.0%}; "
            f"{1000 * spent / given.frames:.0f} ms of a core a frame",
            flush=True,
        )
        print("  off, every tenth of the way:", np.round(off[:: max(given.frames // 10, 1)], 2))


if __name__ == "__main__":
    main()
