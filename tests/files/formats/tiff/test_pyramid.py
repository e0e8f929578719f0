"""OME-TIFF of several resolutions, and smaller copies."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.files import check_target, read, write
from napari_stack.files.formats.pyramid import halved, halved_frame
from support.pixels import Noise


@pytest.mark.parametrize("shape", [(301, 520), (3, 301, 520), (2, 3, 301, 520), (3, 301, 520, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_several_resolutions(
    tmp_path: Path, noise: Noise, shape: tuple[int, ...], dtype: str
) -> None:
    pixels, colours = noise(*shape, dtype=dtype), shape[-1] == 3
    axes = [
        *"tz"[: len(shape) - 2 - colours],
        Axis("y", 0.5, "um"),
        Axis("x", 0.5, "um", start=3.0),
    ]
    write(tmp_path / "a.ome.tif", pixels, axes=axes, levels=3)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        (series,) = tif.series
        sides = slice(-3, -1) if colours else slice(-2, None)
        assert [level.shape[sides] for level in series.levels] == [
            (301, 520),
            (151, 260),
            (76, 130),
        ]
        frames = pixels.reshape(-1, *shape[-3 if colours else -2 :])
        half = np.stack([halved_frame(frame) for frame in frames])
        np.testing.assert_array_equal(series.levels[1].asarray().reshape(half.shape), half)
        assert tif.pages.first.is_tiled
    found = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(np.asarray(found).reshape(shape), pixels)
    assert found.axes[-1] == axes[-1]


def test_a_mask_of_several_resolutions(tmp_path: Path, noise: Noise) -> None:
    mask = noise(30, 41, dtype="bool")
    write(tmp_path / "a.ome.tif", mask, levels=2)
    found = np.asarray(read(tmp_path / "a.ome.tif"))[0]
    assert found.dtype == bool
    np.testing.assert_array_equal(found, mask)


def test_other_tiffs_have_one_resolution(tmp_path: Path, noise: Noise) -> None:
    with pytest.raises(UserError, match="several resolutions go to an OME-TIFF or a zarr"):
        write(tmp_path / "a.tif", noise(30, 41), levels=2)
    with pytest.raises(UserError, match="several resolutions go to an OME-TIFF or a zarr"):
        check_target(tmp_path / "a.tif", data=noise(30, 41), levels=2)
    with pytest.raises(UserError, match="levels must be in the range 1 to 16, got 0"):
        write(tmp_path / "a.ome.tif", noise(30, 41), levels=0)
    write(tmp_path / "a.tif", Stack.wrap(noise(2, 30, 41)), levels=1)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_halves_are_means(noise: Noise, dtype: str) -> None:
    pixels = noise(3, 10, 12, dtype=dtype)
    expected = pixels.reshape(3, 5, 2, 6, 2).astype(float).mean((2, 4))
    found: Any = halved(pixels)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=0.5 if np.dtype(dtype).kind in "ui" else 1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 1), (3, 3)])
def test_odd_sides_are_halved_upwards(shape: tuple[int, int]) -> None:
    ones = np.ones(shape, np.uint8)
    assert halved(ones).shape == tuple(-(-side // 2) for side in shape)
    assert (halved(ones) == 1).all()
