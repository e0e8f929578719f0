"""Peak memory of `focus_stack` from files, by method, size and number of frames.

Every measurement is a process of its own: it fuses three small frames (which loads and compiles
all that is needed), then the series, and reports the highest anonymous memory of the process, and
its highest resident memory (which counts pages of files that are mapped), all included. Frames are
RGB of 8 bits in uncompressed TIFF. The state does not grow with the series: six and 24 frames of a
smaller size show it; six of 24 megapixels then stand for 300. The last three cases, 300 of the
smaller size and 40 and 300 of 24 megapixels (minutes to half an hour a method), run on request:
``--cases 3 4 5``. Frames beyond the first six are links to them. All frames have to be used: a
warning that some are left out is an error here.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from memory import Peak, anonymous

LARGE, SMALL = (4000, 6000), (1500, 2000)
CASES = ((6, LARGE), (6, SMALL), (24, SMALL), (300, SMALL), (40, LARGE), (300, LARGE))


def series(folder: Path, count: int, shape: tuple[int, int]) -> Path:
    """Write frames that are textured in one band of rows each: six different ones, by names."""
    import tifffile

    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 200, (*shape, 3), np.uint8)
    for i in range(count):
        path = folder / f"{i:03}.tif"
        if i >= 6:
            path.hardlink_to(folder / f"{i % 6:03}.tif")
            continue
        frame = noise // 16 + 94  # noise enough that frames are averaged too
        rows = slice(shape[0] * i // 6, shape[0] * (i + 1) // 6)
        frame[rows] = noise[rows]
        tifffile.imwrite(path, frame, photometric="rgb")
    return folder


def measure(tiny: str, big: str, method: str) -> None:
    """Print the peaks, the memory before the series (bytes), and the seconds taken."""
    import napari_stack as ns

    chosen: dict[str, object] = {"method": method}
    warnings.simplefilter("ignore")
    ns.focus_stack(ns.read(tiny), **chosen)
    warnings.filterwarnings("error", message=".*left out")
    before = anonymous()
    with Peak() as high:
        start = time.perf_counter()
        ns.focus_stack(ns.read(big), **chosen)
        seconds = time.perf_counter() - start
    resident = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts KiB
    print(high.bytes, resident, before, seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=3)
    parser.add_argument("--methods", nargs="+", default=["auto", "pyramid", "depth map"])
    parser.add_argument(
        "--cases", nargs="+", type=int, choices=range(len(CASES)), default=[0, 1, 2]
    )
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    print("focus_stack of RGB frames, 8 bits; bytes of the whole process")
    print("method     frames  megapixels  peak GiB  resident GiB  before GiB  seconds")
    with tempfile.TemporaryDirectory() as name:
        tiny = series(Path(name, "tiny"), 3, (96, 96))
        for frames, shape in (CASES[number] for number in arguments.cases):
            big = series(Path(name, "big"), frames, shape)
            for method in arguments.methods:
                command = [sys.executable, __file__, "--measure", str(tiny), str(big), method]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                peak, resident, before, seconds = map(float, out.split())
                print(
                    f"{method:10} {frames:6}  {shape[0] * shape[1] / 1e6:10.0f}  "
                    f"{peak / 2**30:8.2f}  {resident / 2**30:12.2f}  {before / 2**30:10.2f}  "
                    f"{seconds:7.1f}",
                    flush=True,
                )
            shutil.rmtree(big)


if __name__ == "__main__":
    main()
