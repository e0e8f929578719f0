"""Peak anonymous memory and time of lucky imaging: the best tenth of many frames, in two passes.

Run ``python benchmarks/lucky_imaging.py``: a TIFF of the given number of frames is written to a
temporary folder, and a process of its own selects and averages for each number.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import tifffile
from memory import Peak, anonymous
from scipy import ndimage

SIZE = (256, 256)


def write(path: Path, frames: int) -> None:
    """Write frames of a texture that seeing blurs more or less."""
    rng = np.random.default_rng(0)
    scene = 1000 + 300 * ndimage.gaussian_filter(rng.normal(0, 3, SIZE), 1.2)
    blurred = [ndimage.gaussian_filter(scene, spread) for spread in np.linspace(0, 2.5, 20)]
    with tifffile.TiffWriter(path) as file:
        for _ in range(frames):
            frame = blurred[rng.integers(20)] + rng.normal(0, 10, SIZE)
            file.write(frame.astype(np.uint16), contiguous=True)


def select(path: Path) -> None:
    """Select and average; print seconds and the peak of this process."""
    import napari_stack as ns

    warnings.simplefilter("ignore")
    ns.combine(ns.select_frames(ns.read(path, stop=20), select="best 10 %"))  # compiled, imported
    before = anonymous()
    began = time.perf_counter()
    with Peak() as peak:
        ns.combine(ns.select_frames(ns.read(path), select="best 10 %"))
    took = time.perf_counter() - began
    more = (peak.bytes - before) / 2**20
    print(f"{took:8.1f} s, anonymous memory rose by {more:6.0f} MB")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--select", type=Path, help="measure on this file, in this process")
    arguments = parser.parse_args()
    if arguments.select:
        select(arguments.select)
        return
    for frames in arguments.frames:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "frames.tif"
            write(path, frames)
            size = path.stat().st_size / 2**20
            print(f"{frames:6} frames, {size:6.0f} MB:", end=" ", flush=True)
            subprocess.run([sys.executable, __file__, "--select", path], check=True)


if __name__ == "__main__":
    main()
