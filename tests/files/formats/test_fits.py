"""FITS."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_stack.files import read
from support.files import assert_holds
from support.pixels import Noise


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(9, 11), (4, 9, 11), (2, 3, 9, 11)])
def test_fits(tmp_path: Path, noise: Noise, dtype: str, shape: tuple[int, ...]) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    pixels = noise(*shape, dtype=dtype)
    fits.PrimaryHDU(pixels).writeto(tmp_path / "a.fits")
    assert assert_holds(tmp_path / "a.fits", pixels).source.partial
    extended = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels)])
    extended.writeto(tmp_path / "b.fit")
    assert_holds(tmp_path / "b.fit", pixels)


def test_a_real_telescope_frame(shared_data: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    (path,) = (shared_data / "streak").glob("*.fit*")
    stack = read(path)
    np.testing.assert_array_equal(stack[0], fits.getdata(path))  # type: ignore[index]


def test_fits_that_is_cut_off(tmp_path: Path, noise: Noise) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(noise(90, 110)).writeto(tmp_path / "a.fits")
    data = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(data[:9000])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy says the same in its own words
        with pytest.raises(ValueError, match=r"a\.fits is damaged"):
            np.asarray(read(tmp_path / "a.fits"))
