"""Chunks that hold many frames are read once each."""

import pickle
import threading
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.sources import blocks
from napari_stack.core.sources.blocks import Blocks, chunks_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read
from napari_stack.files.formats.ome_zarr import Moved
from napari_stack.operators.combine.combine import combine
from napari_stack.operators.combine.sigma_clip import sigma_clip
from support.pixels import Noise


class Counted:
    """An array in chunks that counts how often each is read."""

    def __init__(self, data: NDArray[Any], chunks: tuple[Any, ...]) -> None:
        self.data, self.chunks = data, chunks
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim
        self.read = np.zeros([len(along) for along in chunks_of(self) or ()], int)
        self.lock = threading.Lock()

    def __getitem__(self, where: Any) -> NDArray[Any]:
        marks = np.zeros(self.shape, bool)
        marks[where] = True
        for place in np.ndindex(self.read.shape):
            starts = [sum(c[:i]) for c, i in zip(chunks_of(self) or (), place, strict=True)]
            stops = [s + c[i] for s, c, i in zip(starts, chunks_of(self) or (), place, strict=True)]
            touched = marks[tuple(slice(*both) for both in zip(starts, stops, strict=True))]
            with self.lock:
                self.read[place] += touched.any()
        return self.data[where]


CHUNKS = [(6, 20, 30), (6, 7, 8), (4, 20, 30), (1, 20, 30), ((2, 3, 1), (5, 15), (30,))]


@pytest.mark.parametrize("chunks", CHUNKS)
@pytest.mark.parametrize("workers", [1, 4])
def test_each_chunk_is_read_once(noise: Noise, chunks: Any, workers: int) -> None:
    array = Counted(noise(6, 20, 30), chunks)
    mean = combine(Stack.wrap(array), run=Run(workers=workers))
    np.testing.assert_array_equal(mean, combine(Stack.wrap(array.data)))
    assert (array.read == 1).all()


def test_bands_of_rows_read_each_chunk_once(noise: Noise) -> None:
    array = Counted(noise(12, 64, 300), (12, 16, 300))
    run = Run(workers=1, memory=2**20)
    clipped = sigma_clip(Stack.wrap(array), run=run).image
    np.testing.assert_array_equal(clipped, sigma_clip(Stack.wrap(array.data)).image)
    assert (array.read == 1).all()


@pytest.mark.parametrize("chunks", CHUNKS[:4])
def test_frames_and_rows_are_right(noise: Noise, chunks: Any) -> None:
    array = Counted(noise(6, 20, 30), chunks)
    stack = Stack.wrap(array)
    for index in (5, 0, 3):
        np.testing.assert_array_equal(stack[index], array.data[index])
        for rows in (slice(0, 20), slice(3, 9), slice(19, 20)):
            np.testing.assert_array_equal(stack.render(index, rows), array.data[index, rows])


def test_axes_in_another_order(noise: Noise) -> None:
    pixels = noise(2, 3, 4, 20, 30)
    array = Counted(pixels, (2, 1, 4, 20, 30))
    hyper = Hyperstack.wrap(Moved(array, (1, 0, 2, 3, 4)), axes="ctzyx")
    np.testing.assert_array_equal(np.asarray(hyper), pixels.swapaxes(0, 1))
    assert (array.read == 1).all()


def test_a_file_and_a_dask_array(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(6, 20, 30)
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=pixels.shape, chunks=(4, 8, 30), dtype="u2"
    )
    array[:] = pixels
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels)
    lazy = Stack.wrap(da.from_array(pixels, chunks=((1, 5), 20, 7)))
    np.testing.assert_array_equal(np.asarray(lazy), pixels)
    assert not lazy.source.partial
    assert Stack.wrap(array).source.partial


def test_no_more_is_kept_than_memory_is_for(noise: Noise, monkeypatch: Any) -> None:
    array = Counted(noise(9, 20, 30), (3, 20, 30))
    monkeypatch.setattr(blocks, "_most_bytes", lambda: 3 * 20 * 30 * 2)
    kept = Blocks.of(array, 1)
    assert kept is not None
    for index in (0, 1, 3, 4, 0):
        kept.frame([index])
    assert array.read.ravel().tolist() == [2, 1, 0]  # the first one was let go
    assert Blocks.of(Counted(array.data, (9, 20, 30)), 1) is None  # too large a chunk


def test_what_was_read_is_not_pickled(noise: Noise) -> None:
    stack = Stack.wrap(da.from_array(noise(6, 20, 30), chunks=(3, 20, 30)))
    size = len(pickle.dumps(stack))
    np.asarray(stack)
    assert len(pickle.dumps(stack)) < size + 1000  # a frame takes 1200


def test_arrays_without_chunks(noise: Noise) -> None:
    assert chunks_of(noise(3, 4, 5)) is None
    assert Blocks.of(noise(3, 4, 5), 1) is None
    assert Stack.wrap(noise(3, 4, 5)).source.partial
