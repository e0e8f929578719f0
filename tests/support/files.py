"""Files of tests: which are opened, what lies in a folder, and that a file holds its pixels."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read

_opened: list[set[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened:
        _opened[-1].add(str(arguments[0]))


sys.addaudithook(_audit)  # it cannot be removed, and does nothing outside of `files_opened`


@contextmanager
def files_opened(folder: Path) -> Iterator[set[str]]:
    """Collect the files of a folder that are opened in the block."""
    _opened.append(set())
    found: set[str] = set()
    try:
        yield found
    finally:
        found |= {name for name in _opened.pop() if name.startswith(str(folder))}


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def hidden(folder: Path) -> list[Path]:
    """Temporary folders that writers left."""
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def age(folders: list[Path]) -> None:
    """Make temporary folders so old that the next writer may remove them."""
    for folder in folders:
        os.utime(folder / "lock", (0, 0))


def frames_of(found: Stack | Hyperstack) -> Stack:
    return found.frames if isinstance(found, Hyperstack) else found


def assert_holds(path: Path, pixels: NDArray[Any]) -> Stack:
    """Read all frames, and some rows of one."""
    found = read(path)
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(np.asarray(found).reshape(pixels.shape), pixels)
    frames = frames_of(found)
    flat = pixels.reshape(frames.shape)
    part = frames.render(len(frames) - 1, slice(2, 5))
    np.testing.assert_array_equal(part, flat[-1, 2:5])
    return frames
