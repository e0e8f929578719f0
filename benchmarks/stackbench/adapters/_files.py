"""Frames as files, for programs that take no arrays."""

import contextlib
import subprocess
import tempfile
from pathlib import Path

import imageio.v3 as imageio
import numpy as np


@contextlib.contextmanager
def folder_of(frames):
    """Write 8-bit frames to PNG files, in three equal channels; give the folder and the files."""
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"frame_{i:03d}.png" for i in range(len(frames))]
        for path, frame in zip(paths, frames, strict=True):
            imageio.imwrite(path, np.repeat(frame[..., None], 3, axis=-1))
        yield Path(name), [str(path) for path in paths]


def called(words, out):
    """Run a program, and return the image that it wrote, in grey."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    if done.returncode or not Path(out).exists():
        raise RuntimeError((done.stderr or done.stdout)[-500:])
    image = np.asarray(imageio.imread(out))
    return image[..., 0] if image.ndim == 3 else image
