"""What it costs to apply a transform to a frame of 24 megapixels, beside a bare warp and a cast.

The bare warp is OpenCV's cubic one in float32, whose positions are rounded to 1/32 px, and its cast
rounds and clips in one compiled pass; ours has exact positions, and tells which pixels are covered.
Both in one thread, medians of interleaved runs. Run as ``python benchmarks/warping.py``.
"""

import argparse
import time
from functools import partial

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

import napari_stack as ns

SHAPE = (4000, 6000)
#: Degrees, and the shift in pixels, of a transform.
MOVES = {"shift": (0.0, 3.37), "2 degrees": (2.0, 3.37), "12 degrees": (12.0, 3.37)}


@numba.njit(nogil=True)
def fused_cast(values: NDArray[np.float32], result: NDArray[np.uint16]) -> None:  # pragma: no cover
    """Round and clip in one pass."""
    flat, target = values.ravel(), result.ravel()
    for i in range(flat.size):
        target[i] = np.uint16(min(max(flat[i] + np.float32(0.5), np.float32(0)), np.float32(65535)))


def bare(frame: NDArray[np.uint16], matrix: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Warp by OpenCV, and cast."""
    height, width = frame.shape
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(frame.astype(np.float32), matrix[:2], (width, height), flags=how)
    result = np.empty_like(frame)
    fused_cast(warped, result)
    return result


def main() -> None:
    """Print a line for each move and interpolation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    frame = np.random.default_rng(0).integers(0, 4096, SHAPE, dtype=np.uint16)
    frame = cv2.GaussianBlur(frame, (0, 0), 1.5)
    stack = ns.Stack.wrap(np.stack([frame]))
    print("24 megapixels of uint16: seconds of ours, of the bare warp and cast, and their ratio")
    for name, (degrees, shift) in MOVES.items():
        turn = cv2.getRotationMatrix2D((SHAPE[1] / 2, SHAPE[0] / 2), degrees, 1.0)
        matrix = np.vstack([turn, [0, 0, 1]])
        matrix[:2, 2] += shift
        for interpolation in ("nearest", "linear", "cubic", "lanczos"):
            how = {"interpolation": interpolation}
            moved = ns.apply_transforms(stack, ns.Transforms(matrix[np.newaxis]), **how)
            works = {"ours": partial(moved.__getitem__, 0), "bare": partial(bare, frame, matrix)}
            spent: dict[str, list[float]] = {who: [] for who in works}
            for _ in range(rounds + 1):  # the first one compiles
                for who, work in works.items():
                    began = time.perf_counter()
                    work()
                    spent[who].append(time.perf_counter() - began)
            ours, other = (np.median(times[1:]) for times in spent.values())
            print(f"{name:<11} {interpolation:<8} {ours:6.3f} {other:6.3f} {ours / other:5.2f} x")


if __name__ == "__main__":
    main()
