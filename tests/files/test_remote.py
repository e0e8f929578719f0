"""Data at addresses: in memory, and from a server of this computer."""

import pickle
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from napari_stack.files.read import read_recipe
from support.pixels import Noise

zarr = pytest.importorskip("zarr")
fsspec = pytest.importorskip("fsspec")


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing to the terminal."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("aiohttp")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_ome_zarr_from_a_server(tmp_path: Path, served: str, noise: Noise) -> None:
    pixels = noise(2, 3, 20, 30, dtype=np.uint16)
    write(tmp_path / "a.zarr", pixels, axes=("c", "z", "y", "x"), recipe={"steps": []})
    data = read(f"{served}/a.zarr")
    assert isinstance(data, Hyperstack)
    assert [axis.name for axis in data.axes] == ["c", "z", "y", "x"]
    np.testing.assert_array_equal(np.asarray(data), pixels)
    np.testing.assert_array_equal(
        np.asarray(pickle.loads(pickle.dumps(data)).frames[4]), pixels[1, 1]
    )
    assert read_recipe(f"{served}/a.zarr/") == {"steps": []}


def test_an_array_in_memory(noise: Noise) -> None:
    pixels = noise(4, 20, 30)
    store = zarr.storage.FsspecStore.from_url("memory://some/a.zarr")
    zarr.create_array(store, data=pixels, chunks=(1, 20, 30))
    stack = read("memory://some/a.zarr", start=1)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels[1:])
    assert stack.source.label(0).startswith("a.zarr")


def test_what_is_not_there_is_told_of(served: str) -> None:
    with pytest.raises(ValueError, match=r"b\.zarr holds no zarr.*check the address"):
        read(f"{served}/b.zarr")
    with pytest.raises(ValueError, match=r"a\.tif holds no zarr.*other files must be copied"):
        read(f"{served}/a.tif")


def test_a_server_that_does_not_answer_is_told_of() -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:9/a\.zarr cannot be reached"):
        read("http://127.0.0.1:9/a.zarr")


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(zarr, "open", missing)
    with pytest.raises(ValueError, match=r"Install s3fs.*pip install 'napari-stack\[remote\]'"):
        read("s3://bucket/a.zarr")


def test_results_of_remote_frames_are_written(tmp_path: Path, noise: Noise) -> None:
    store = zarr.storage.FsspecStore.from_url("memory://other/a.zarr")
    zarr.create_array(store, data=noise(4, 20, 30), chunks=(1, 20, 30))
    stack = read("memory://other/a.zarr")
    write(tmp_path / "a.tif", stack)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), np.asarray(stack))
