"""Which method of rejection suits how many frames, and how long each takes.

For series of known truth (noise alone, passers-by, cosmic rays, a faint trail, a sky that
brightens) the error of the mean over its noise without outliers: 1.00 is as good as if it were
known what to reject. Run ``python benchmarks/rejection.py``; with astropy and ccdproc installed
their times are printed beside ours.
"""

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_stack as ns

METHODS: dict[str, dict[str, Any]] = {
    "mean": {"iterations": 0},
    "sigma": {},
    "MAD": {"centre": "median", "spread": "MAD"},
    "MAD 3.5": {"centre": "median", "spread": "MAD", "sigma": 3.5},
    "winsorised": {"centre": "median", "spread": "winsorised"},
    "winsor. 3": {"centre": "median", "spread": "winsorised", "sigma": 3.0},
    "linear fit": {"method": "linear fit"},
    "ESD": {"method": "generalised ESD"},
    "percentile": {"method": "percentile clip"},
    "min max": {"method": "min max"},
    "auto": {"method": "auto"},
}
SIZE = (120, 160)
KINDS = ("noise", "passers-by", "rays", "trail", "brightening")


def series(kind: str, frames: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Make frames and their truth."""
    truth = np.broadcast_to(200 + 100 * np.sin(np.arange(SIZE[1]) / 15), SIZE)
    noise = np.sqrt(truth / 4)
    data = truth + rng.normal(0, 1, (frames, *SIZE)) * noise
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    for k in range(frames):
        if kind == "passers-by" and k % 3 == 0:
            left = rng.integers(0, SIZE[1] - 25)
            data[k, 20:110, left : left + 25] += rng.choice([-90, 120])
        if kind == "rays":
            data[k][rng.random(SIZE) < 0.01] += rng.exponential(400)
        if kind == "trail" and k % 5 == 0:
            data[k] += 40 * np.exp(-((y - x * 0.5 - rng.uniform(0, 60)) ** 2) / 2 / 2.0**2)
        if kind == "brightening":
            data[k] += 60 * (k / max(frames - 1, 1) - 0.5)
            data[k][rng.random(SIZE) < 0.01] += 300
    return data.astype(np.float32), truth


def error(image: NDArray[Any], truth: NDArray[Any], frames: int) -> float:
    """Return the root mean square error over the noise of a mean of all frames."""
    return float(np.sqrt((((image - truth) ** 2) / (truth / 4)).mean() * frames))


def compare() -> None:
    """Print the error of each method on each series."""
    print("frames  series       " + "  ".join(f"{name:>10}" for name in METHODS))
    for frames in (3, 4, 5, 6, 8, 10, 12, 16, 24, 40):
        for kind in KINDS:
            data, truth = series(kind, frames, np.random.default_rng(frames))
            row = []
            for options in METHODS.values():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    image = ns.sigma_clip(ns.Stack.wrap(data), **options).image
                row.append(error(image, truth, frames))
            print(f"{frames:6}  {kind:12} " + "  ".join(f"{value:10.2f}" for value in row))


def summary() -> None:
    """Print the geometric mean of the errors over all kinds of series, by number of frames."""
    counts = (3, 5, 8, 12, 20, 40)
    print("\nover all kinds " + "  ".join(f"{count:5}" for count in counts) + "  frames")
    made = {n: [series(k, n, np.random.default_rng(n)) for k in KINDS] for n in counts}
    for name, options in METHODS.items():
        means = []
        for count in counts:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                logs = [
                    np.log(error(ns.sigma_clip(ns.Stack.wrap(data), **options).image, truth, count))
                    for data, truth in made[count]
                ]
            means.append(float(np.exp(np.mean(logs))))
        print(f"{name:14} " + "  ".join(f"{mean:5.2f}" for mean in means))


def seconds(function: Callable[[], Any]) -> float:
    """Return the least time of three calls, the first one for compiling left out."""
    function()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def speed(frames: int = 20, size: tuple[int, int] = (500, 1000)) -> None:
    """Print the times of each method and, where they are there, of the rivals."""
    rng = np.random.default_rng(0)
    data = rng.normal(1000, 20, (frames, *size)).astype(np.float32)
    data[rng.random(data.shape) < 0.002] += 500
    for dtype in (np.uint16, np.float32):
        stack = ns.Stack.wrap(data.astype(dtype))
        print(f"\n{frames} frames of {size[1]} x {size[0]}, {np.dtype(dtype)}: seconds")
        for name, options in METHODS.items():
            if name != "auto":
                print(f"{name:12} {seconds(lambda o=options: ns.sigma_clip(stack, **o)):8.3f}")  # noqa: B023
    try:
        from astropy.stats import sigma_clip
    except ImportError:
        return
    took = seconds(lambda: sigma_clip(data, sigma=2.5, maxiters=5, axis=0).mean(axis=0))
    print(f"{'astropy':12} {took:8.3f}   sigma_clip about the median by the deviation")
    try:
        from astropy.nddata import CCDData
        from ccdproc import Combiner
    except ImportError:
        return

    def combined() -> Any:
        combiner = Combiner([CCDData(frame, unit="adu") for frame in data])
        combiner.sigma_clipping(low_thresh=2.5, high_thresh=2.5)
        return combiner.average_combine()

    print(f"{'ccdproc':12} {seconds(combined):8.3f}   Combiner, one round")


if __name__ == "__main__":
    if "speed" not in sys.argv[1:]:
        compare()
        summary()
    speed()
