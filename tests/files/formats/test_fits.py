"""FITS."""

import gzip
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.files import list_series, read
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


def test_a_frame_an_extension(tmp_path: Path, noise: Noise) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    pixels, path = noise(3, 9, 11), tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), *map(fits.ImageHDU, pixels)]).writeto(path)
    stack = assert_holds(path, pixels)
    np.testing.assert_array_equal(stack.render(2, slice(3, 5)), pixels[2, 3:5])
    np.testing.assert_array_equal(np.asarray(read(path, series=1)), pixels[1:2])
    np.testing.assert_array_equal(np.asarray(read([path], series=-1, every=2)), pixels[2:])
    fits.HDUList([fits.PrimaryHDU(), *map(fits.ImageHDU, pixels)]).writeto(tmp_path / "b.fits")
    np.testing.assert_array_equal(np.asarray(read(tmp_path)), np.concatenate([pixels, pixels]))
    second = np.asarray(read(tmp_path, series=1))
    np.testing.assert_array_equal(second, pixels[[1, 1]])


def test_extensions_that_differ_are_named(tmp_path: Path, noise: Noise) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    science, error, path = noise(9, 11), noise(9, 11), tmp_path / "a.fits"
    images = [fits.ImageHDU(science, name="SCI"), fits.ImageHDU(error, name="ERR")]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    with pytest.warns(UserWarning, match=r"2 series that differ.* 0 'SCI' .*; 1 'ERR' .*series="):
        stack = read(path)
    np.testing.assert_array_equal(np.asarray(stack), science[np.newaxis])
    np.testing.assert_array_equal(np.asarray(read(path, series="ERR")), error[np.newaxis])
    with pytest.raises(ValueError, match=r"no series 'DQ': .*a\.fits holds 2 series, 0 'SCI'"):
        read(path, series="DQ")
    assert list_series(path) == [
        "0 'SCI' (11 x 9 uint16 pixels, frame = 1)", "1 'ERR' (11 x 9 uint16 pixels, frame = 1)"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a.fits.fz", "a.fits.gz", "a.gz"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_packed_files(tmp_path: Path, noise: Noise, name: str, dtype: type) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    path, pixels = tmp_path / name, noise(4, 20, 30).astype(dtype)
    if name.endswith(".fz"):
        how = {"compression_type": "GZIP_2" if dtype == np.float32 else "RICE_1"}
        image = fits.CompImageHDU(pixels, quantize_level=0, **how)
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    else:
        plain = tmp_path / "plain"
        fits.PrimaryHDU(pixels).writeto(plain)
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.dtype == dtype
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(2, slice(3, 9)), pixels[2, 3:9])
    if name != "a.gz":
        np.testing.assert_array_equal(np.asarray(read(tmp_path)), pixels)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: stack[n], range(4)))
    np.testing.assert_array_equal(found, pixels)


def test_a_packed_file_that_was_cut_off(tmp_path: Path, noise: Noise) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(noise(20, 300)).writeto(tmp_path / "plain")
    packed = gzip.compress((tmp_path / "plain").read_bytes())
    (tmp_path / "a.fits.gz").write_bytes(packed[:-200])
    with pytest.raises(ValueError, match=r"a\.fits\.gz is damaged"):
        read(tmp_path / "a.fits.gz")
