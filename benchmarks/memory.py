"""Peak anonymous memory of `sigma_clip` from files, against the bound of `Run(memory=)`.

Every measurement is a process of its own: it clips three tiny frames (which loads and compiles
all that is needed), then the series, and reports how far anonymous memory rose above the first.
The result (image, counts) is held whole whatever the bound is: its size is told beside. With
``--large`` follow 400 frames, and frames of 100 megapixels.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

MEMORY = 256 * 2**20
SHAPE = (2000, 3000)


def anonymous(process: int | str = "self") -> int:
    """Bytes of anonymous memory of a process (Linux)."""
    _, _, found = Path(f"/proc/{process}/status").read_text().partition("RssAnon:")
    if not found:
        raise OSError("the process is over, or this system does not tell its anonymous memory")
    return int(found.split(maxsplit=1)[0]) * 1024


class Peak(threading.Thread):
    """Watches the anonymous memory of a process while the block runs."""

    def __init__(self, process: int | str = "self") -> None:
        super().__init__(daemon=True)
        self.process, self.bytes, self._over = process, anonymous(process), threading.Event()

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:  # noqa: D102
        # Not too often: it must not take a processor from what is measured.
        with suppress(OSError):  # the process is over
            while not self._over.wait(0.01):
                self.bytes = max(self.bytes, anonymous(self.process))


def series(folder: Path, frames: int, shape: tuple[int, int], kind: str) -> Path:
    """Write noise as uint16 files: a few different frames, and those again by other names."""
    import imagecodecs
    import tifffile

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    suffix = "png" if kind == "png" else "tif"
    for i in range(frames):
        path = folder / f"{i:03}.{suffix}"
        if i >= 8:
            path.hardlink_to(folder / f"{i % 8:03}.{suffix}")
            continue
        image = rng.normal(1000, 50, shape).astype(np.uint16)
        if kind == "png":
            path.write_bytes(imagecodecs.png_encode(image, level=1))
        else:
            tifffile.imwrite(path, image, compression=None if kind == "plain" else kind)
    return folder


def measure(tiny: str, big: str, memory: int) -> None:
    """Print the rise of anonymous memory in bytes and the seconds taken."""
    import napari_stack as ns

    warnings.simplefilter("ignore")
    with Peak() as low:
        ns.sigma_clip(ns.read(tiny), run=ns.Run(memory=memory))
    with Peak() as high:
        start = time.perf_counter()
        ns.sigma_clip(ns.read(big), run=ns.Run(memory=memory))
        seconds = time.perf_counter() - start
    print(high.bytes - low.bytes, seconds)


def main() -> None:
    """Measure series of 60 and 120 frames, plain, deflated and as PNG, and larger ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2)
    parser.add_argument("--frames", type=int, nargs="+", default=[60, 120])
    parser.add_argument("--files", nargs="+", default=["plain", "zlib", "png"])
    parser.add_argument("--large", action="store_true", help="400 frames, and 100 megapixels")
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure, MEMORY)
        return
    cases = [(kind, frames, SHAPE) for kind in arguments.files for frames in arguments.frames]
    if arguments.large:
        cases += [("plain", 400, SHAPE), ("zlib", 400, SHAPE), ("plain", 20, (10_000, 10_000))]
    print(f"sigma_clip of uint16 from files, memory {MEMORY / 2**20:.0f} MiB")
    print("files   frames  megapixels  rise MiB  of the bound  result MiB  seconds  ns a value")
    with tempfile.TemporaryDirectory() as folder:
        tiny = series(Path(folder, "tiny"), 3, (64, 64), "plain")
        for kind, frames, shape in cases:
            big = series(Path(folder, "big"), frames, shape, kind)
            command = [sys.executable, __file__, "--measure", str(tiny), str(big)]
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            rise, seconds = map(float, out.split())
            pixels = shape[0] * shape[1]
            print(
                f"{kind:7} {frames:6}  {pixels / 1e6:10.0f}  {rise / 2**20:8.0f}  "
                f"{rise / MEMORY:12.2f}  {4 * pixels / 2**20:10.0f}  {seconds:7.2f}  "
                f"{seconds / frames / pixels * 1e9:10.2f}",
                flush=True,
            )
            shutil.rmtree(big)


if __name__ == "__main__":
    main()
