"""Time and equality of `drizzle` beside the package of that name, on shifted frames.

Run ``python benchmarks/drizzling.py``; without the package ``drizzle`` our times alone are printed.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_stack as ns


def seconds(function: Callable[[], Any], pixels: float) -> tuple[Any, float]:
    """Return a result, and the least processor time of three calls for each megapixel."""
    result, times = function(), []
    for _ in range(3):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return result, min(times) / pixels * 1e6


def by_package(
    data: NDArray[Any], shifts: NDArray[Any], scale: int, pixfrac: float
) -> NDArray[Any] | None:
    """Drizzle with the package; None where it is not installed."""
    try:
        from drizzle.resample import Drizzle
    except ImportError:
        return None
    height, width = data.shape[1:]
    y, x = np.indices((height, width)).astype(float)
    grid = (height * scale, width * scale)
    made = Drizzle(kernel="square", out_shape=grid, fillval="NaN", disable_ctx=True)
    for frame, (dx, dy) in zip(data, shifts, strict=True):
        places = [scale * (x - dx + 0.5) - 0.5, scale * (y - dy + 0.5) - 0.5]
        made.add_image(frame, 1.0, pixmap=np.stack(places, -1), pixfrac=pixfrac)
    return np.asarray(made.out_img)


def main() -> None:
    """Print times and the greatest difference."""
    rng = np.random.default_rng(0)
    data = rng.uniform(100, 1000, (8, 500, 600)).astype(np.float32)
    shifts = rng.uniform(-2, 2, (8, 2))
    matrices = np.tile(np.eye(3), (8, 1, 1))
    matrices[:, :2, 2] = shifts
    stack = ns.apply_transforms(ns.Stack.wrap(data), ns.Transforms(matrices))
    warnings.simplefilter("ignore")
    ours, took = seconds(lambda: ns.drizzle(stack, run=ns.Run(workers=1)), data.size)
    print(f"napari-stack {took:.3f} s a megapixel")
    theirs, took = seconds(lambda: by_package(data, shifts, 2, 0.7), data.size)
    if theirs is not None:
        print(f"drizzle      {took:.3f} s a megapixel, places included")
        inside = np.s_[6:-6, 6:-6]
        print(f"they differ by {np.nanmax(np.abs(theirs[inside] / ours.image[inside] - 1)):.1e}")


if __name__ == "__main__":
    main()
