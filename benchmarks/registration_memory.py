"""Anonymous memory while long recordings are measured: it should not grow with their length.

Run as `python benchmarks/registration_memory.py [--frames 1000 2000 6000 20000] [--size 512]`
(Linux). Frames are made when they are read. The peak above that of before is told.
"""

import argparse
import time

import numpy as np
from memory import Peak, anonymous
from scipy import ndimage

from napari_stack import Run, Stack, measure_transforms
from napari_stack.core.source import Source


class Drifting(Source):
    """A texture that drifts by whole pixels, with noise from a pool; made frame by frame."""

    def __init__(self, frames: int, size: int) -> None:
        rng = np.random.default_rng(0)
        scene = ndimage.gaussian_filter(rng.normal(size=(size + 64, size + 64)), 2.0)
        self.scene = 128 + 40 * scene / scene.std()
        self.noise = rng.normal(0, 5, (8, size, size))
        self.frames, self.size = frames, size

    @property
    def shape(self):
        """Frames, rows and columns."""
        return self.frames, self.size, self.size

    @property
    def dtype(self):
        """Of a frame."""
        return np.dtype(np.uint8)

    def pixels(self, index, rows=None):
        """Make a frame."""
        dy, dx = np.round(16 * np.sin(np.array([0.011, 0.017]) * index)).astype(int)
        size = self.size
        frame = self.scene[32 + dy : 32 + dy + size, 32 + dx : 32 + dx + size]
        frame = np.clip(np.rint(frame + self.noise[index % 8]), 0, 255).astype(np.uint8)
        return (frame if rows is None else frame[rows]), None


def main() -> None:
    """Print a line for each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[1000, 2000, 6000, 20000])
    parser.add_argument("--size", type=int, default=512)
    given = parser.parse_args()
    measure_transforms(Stack(Drifting(40, given.size)), transform="rigid", reference=0)
    for frames in given.frames:
        stack, before, start = Stack(Drifting(frames, given.size)), anonymous(), time.process_time()
        with Peak() as peak:
            found = measure_transforms(stack, transform="rigid", reference=0, run=Run(workers=2))
        spent = time.process_time() - start
        print(
            f"{frames} frames: {(peak.bytes - before) / 2**20:.0f} MiB above {before / 2**20:.0f}; "
            f"{found.failed.sum()} failed; {1000 * spent / frames:.1f} ms of a core a frame",
            flush=True,
        )


if __name__ == "__main__":
    main()
