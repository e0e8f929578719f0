"""Peak anonymous memory of `sigma_clip` from files, against the bound of `Run(memory=)`.

Every measurement is a process of its own: it clips three tiny frames (which loads and compiles
all that is needed), then the series, and reports how far anonymous memory rose above the first.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

MEMORY = 256 * 2**20
SHAPE = (2000, 3000)


def anonymous() -> int:
    """Bytes of anonymous memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise OSError("this system does not tell its anonymous memory")


class Peak(threading.Thread):
    """Watches anonymous memory while the block runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes, self._over = 0, threading.Event()

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:  # noqa: D102
        while not self._over.wait(0.002):
            self.bytes = max(self.bytes, anonymous())


def series(folder: Path, frames: int, shape: tuple[int, int], kind: str) -> Path:
    """Write noise as uint16 files; a few different frames, repeated."""
    import imagecodecs
    import tifffile

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = [rng.normal(1000, 50, shape).astype(np.uint16) for _ in range(8)]
    for i in range(frames):
        image = images[i % 8]
        if kind == "png":
            (folder / f"{i}.png").write_bytes(imagecodecs.png_encode(image, level=1))
        else:
            tifffile.imwrite(
                folder / f"{i}.tif", image, compression=None if kind == "plain" else kind
            )
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
    """Measure series of 60 and 120 frames, plain, deflated and as PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2)
    parser.add_argument("--frames", type=int, nargs="+", default=[60, 120])
    parser.add_argument("--files", nargs="+", default=["plain", "zlib", "png"])
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure, MEMORY)
        return
    print(f"sigma_clip of {SHAPE[0]}x{SHAPE[1]} uint16 from files, memory {MEMORY / 2**20:.0f} MiB")
    print("frames  files      rise MiB  of the bound  seconds")
    with tempfile.TemporaryDirectory() as folder:
        tiny = series(Path(folder, "tiny"), 3, (64, 64), "plain")
        for kind in arguments.files:
            for frames in arguments.frames:
                big = series(Path(folder, f"{frames}-{kind}"), frames, SHAPE, kind)
                command = [sys.executable, __file__, "--measure", str(tiny), str(big)]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                rise, seconds = map(float, out.split())
                line = f"{frames:6}  {kind:9}  {rise / 2**20:8.0f}  {rise / MEMORY:12.2f}"
                print(f"{line}  {seconds:7.2f}")


if __name__ == "__main__":
    main()
