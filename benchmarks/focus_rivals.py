"""Other programs' focus stacks: enfuse (on the PATH) and shinestacker (a Python that has it).

Frames go to TIFF files of 8 or 16 bits; what a program cannot take comes back as None.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

Array = np.ndarray[Any, Any]

# Runs in the other Python: METHOD OUT INPUTS...
SHINESTACKER = """
import sys, time, cv2
from shinestacker.algorithms.depth_map import DepthMapStack
from shinestacker.algorithms.pyramid_auto import PyramidAutoStack

class Process:
    id, name, output_path, input_path, input_full_path = 0, "", "", "", ""
    def __getattr__(self, name):
        return lambda *args, **options: True

method, out, *files = sys.argv[1:]
algorithm = {"pyramid": PyramidAutoStack, "depth map": DepthMapStack}[method]()
algorithm.set_process(Process())
start = time.perf_counter()
algorithm.init(files)
if hasattr(algorithm, "set_output_filename"):
    algorithm.set_output_filename(out)
cv2.imwrite(out, algorithm.focus_stack())
"""
ENFUSE = ("--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1", "--hard-mask")


def rivals(frames: Array, top: float, python: Path | None) -> Iterator[tuple[str, Array | None]]:
    """Yield name and fused image, on the scale of the frames, of every program there is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files, scale = _written(frames, top, folder)
        if shutil.which("enfuse"):
            words = ["enfuse", *ENFUSE, "-o"]
            yield "enfuse", _run(words, folder / "enfuse.tif", files, scale, frames.ndim)
        for method in ("pyramid", "depth map") if python else ():
            words = [str(python), "-c", SHINESTACKER, method]
            out = folder / f"{method[:5]}.tif"
            yield f"shinestacker {method}", _run(words, out, files, scale, frames.ndim)


def _written(frames: Array, top: float, folder: Path) -> tuple[list[str], float]:
    stored, scale = frames, 1.0
    if frames.dtype != np.uint8:  # programs take 16 bits as full range
        scale = 65535 / top
        stored = np.clip(np.round(frames * scale), 0, 65535).astype(np.uint16)
    files = [folder / f"frame_{index:03d}.tif" for index in range(len(frames))]
    for path, frame in zip(files, stored, strict=True):
        tifffile.imwrite(path, frame, photometric="rgb" if frame.ndim == 3 else "minisblack")
    return [str(path) for path in files], scale


def _run(words: list[str], out: Path, files: list[str], scale: float, ndim: int) -> Array | None:
    done = subprocess.run([*words, str(out), *files], capture_output=True, timeout=300, check=False)
    if done.returncode or not out.exists():
        return None
    image = tifffile.imread(out).astype(np.float32)[..., :3] if ndim == 4 else _grey(out)
    return image / scale


def _grey(path: Path) -> Array:
    image = tifffile.imread(path).astype(np.float32)
    return image[..., 0] if image.ndim == 3 else image
