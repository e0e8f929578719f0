"""Zarr and OME-Zarr, read and written."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, read_recipe, write
from support.files import assert_holds
from support.pixels import Noise

AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.1, "um"))  # fmt: skip


@pytest.mark.parametrize("compression", ["zlib", "none", "zstd"])
def test_zarr_round_trip(tmp_path: Path, noise: Noise, compression: Any) -> None:
    pytest.importorskip("zarr")
    pixels = noise(3, 2, 4, 9, 11)
    recipe = {"steps": []}
    write(tmp_path / "a.zarr", pixels, axes=AXES, recipe=recipe, compression=compression)
    found = read(tmp_path / "a.zarr")
    assert found.axes == AXES
    assert_holds(tmp_path / "a.zarr", pixels)
    assert read_recipe(tmp_path / "a.zarr") == recipe
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    with pytest.raises(FileExistsError, match=r"a\.zarr exists already"):
        write(tmp_path / "a.zarr", pixels, axes=AXES)
    write(tmp_path / "a.zarr", pixels[:, ::-1], axes=AXES, overwrite=True)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels[:, ::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("channels", [(), (3,), (4,), (2,)])
def test_images_and_colours_in_zarr(
    tmp_path: Path, noise: Noise, channels: tuple[int, ...]
) -> None:
    pytest.importorskip("zarr")
    pixels = noise(9, 11, *channels, dtype="uint8")
    write(tmp_path / "a.zarr", pixels, rgb=channels in ((3,), (4,)))
    stack = assert_holds(tmp_path / "a.zarr", pixels[np.newaxis])
    assert (stack.rgb, stack.alpha) == (channels in ((3,), (4,)), channels == (4,))


def test_zarr_that_others_wrote(tmp_path: Path, noise: Noise) -> None:
    zarr = pytest.importorskip("zarr")
    pixels = noise(2, 3, 9, 11)
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    inner = group.create_group("0")
    array = inner.create_array("full", shape=pixels.shape, chunks=(1, 1, 3, 11), dtype="u2")
    array[:] = pixels
    axes = [{"name": "c", "type": "channel"}] + [
        {"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"
    ]
    scale = [{"type": "scale", "scale": [1, 2.0, 0.5, 0.25]}]
    datasets = [{"path": "full", "coordinateTransformations": scale}]
    inner.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    inner.attrs["omero"] = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    expected = (Axis("c", labels=("DAPI", "GFP")), Axis("z", 2, "um"), Axis("y", 0.5, "um"),
                Axis("x", 0.25, "um"))  # fmt: skip
    for path in (tmp_path / "a.zarr", tmp_path / "a.zarr" / "0"):
        assert read(path).axes == expected
        assert assert_holds(path, pixels).source.partial
    bare = zarr.create_array(tmp_path / "b.zarr", shape=(2, 9, 11), chunks=(1, 9, 11), dtype=">i2")
    bare[:] = pixels[0, :2].astype("int16")
    assert not assert_holds(tmp_path / "b.zarr", pixels[0, :2].astype("int16")).source.partial
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(ValueError, match="the group holds no image"):
        read(tmp_path / "c.zarr")


def test_a_zarr_is_whole_or_absent(tmp_path: Path, noise: Noise) -> None:
    pytest.importorskip("zarr")
    stack = Stack.wrap(noise(5, 9, 11))
    before = noise(5, 9, 11)
    write(tmp_path / "a.zarr", Stack.wrap(before))

    def tick(done: int, total: int, what: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.zarr", stack, overwrite=True, run=Run(tick=tick))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), before)
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "diary.txt").touch()
    with pytest.raises(FileExistsError, match="is no zarr"):
        write(tmp_path / "mine.zarr", stack, overwrite=True)
    with pytest.raises(ValueError, match="not lzw"):
        write(tmp_path / "b.zarr", stack, compression="lzw")
