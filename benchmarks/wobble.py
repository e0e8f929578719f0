"""Planes of a z-stack that jitter, with truth: how well they are steadied, and how fast.

Run as `python benchmarks/wobble.py [--planes 24] [--side 128] [--seeds 6] [--jitter 1 0.3 0]`.
For each jitter (px): error of the planes against their neighbours (second differences, as of one
plane), error against all of the true jitter, of which the slowest waves are left on purpose, in
px rms; stacks that were changed; and planes a second.
"""

import argparse
import time
import warnings

import numpy as np

import napari_stack as ns


def rms(values):
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def main() -> None:
    """Print a line for each jitter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planes", type=int, default=24)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--photons", type=float, default=200.0)
    parser.add_argument("--jitter", type=float, nargs="*", default=[1.0, 0.3, 0.0])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    for jitter in given.jitter:
        near, whole, changed, seconds = [], [], 0, 0.0
        for seed in range(given.seeds):
            size = (given.side, given.side)
            stack, truth = ns.samples.wobbling(
                given.planes, size, seed, jitter=jitter, photons=given.photons
            )
            start = time.perf_counter()
            found = ns.measure_wobble(stack).matrices[:, :2, 2]
            seconds += time.perf_counter() - start
            apart = found - truth["jitter"]
            near.append(rms(np.diff(apart, 2, axis=0)) / np.sqrt(6))
            whole.append(rms(apart))
            changed += bool(found.any())
        speed = given.planes * given.seeds / seconds
        print(
            f"jitter {jitter:g} px: error {rms(near):.3f} px near, {rms(whole):.3f} px in all, "
            f"{changed} of {given.seeds} stacks changed, {speed:.1f} planes/s",
            flush=True,
        )


if __name__ == "__main__":
    main()
