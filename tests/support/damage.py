"""Damaged files, and what is said of them."""

import gc
import random
import tracemalloc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read


def damaged(data: bytes, generator: random.Random) -> bytes:
    """Cut off, or change some bytes: anywhere, in the header, or to a huge number."""
    result = bytearray(data)
    kind = generator.randrange(4)
    if kind == 0:
        return data[: generator.randrange(len(data))]
    for _ in range(generator.randrange(1, 8)):
        end = len(result) if kind == 1 else min(len(result), 400)
        place = generator.randrange(end - 4)
        if kind == 3:
            result[place : place + 4] = b"\xff\xff\xff\x7f"
        else:
            result[place] = generator.choice([0, 1, 127, 128, 255])
    return bytes(result)


def assert_refused(
    path: Path, data: bytes, generator: random.Random, *, count: int = 30, least: int = 5
) -> None:
    """Read what is damaged in so many ways: most is refused, by name, and no file is left open."""
    refused = 0
    with files_closed():
        for _ in range(count):
            path.write_bytes(damaged(data, generator))
            if (error := bounded_refusal(path)) is not None:
                refused += 1
                assert path.name in str(error)
                assert len(str(error)) < 500 + len(str(path))
    assert refused >= least


def bounded_refusal(path: Path) -> Exception | None:
    """Read a file of some kilobytes within 64 MiB."""
    tracemalloc.start()
    try:
        error = refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
    return error


@contextmanager
def files_closed() -> Iterator[None]:
    """See to it that no file is left open, which would be told at any time later."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("ignore")  # readers say in their own words what is wrong
        warnings.simplefilter("always", ResourceWarning)
        gc.freeze()  # what was there before need not be looked through
        try:
            yield
            gc.collect()
        finally:
            gc.unfreeze()
    assert [str(warning.message) for warning in told] == []


def refusal(path: Path) -> Exception | None:
    """Read a file; return what it is refused with."""
    try:
        found = read(path)
        frames = found.frames if isinstance(found, Hyperstack) else found
        assert np.asarray(frames[0]).shape == frames.shape[1:]
        frames.render(len(frames) - 1, slice(0, 1))
    except (ValueError, OSError) as error:
        return error
    return None
