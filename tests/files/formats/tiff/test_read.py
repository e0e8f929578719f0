"""TIFF files: their pages, and what is remembered of them."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.files import read
from support.pixels import Noise


def test_imagej_without_headers_for_each_frame(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 4, 20, 30)
    with tifffile.TiffWriter(tmp_path / "a.tif", imagej=True) as tif:
        tif.write(pixels, truncate=True, metadata={"axes": "TZYX"})
    hyper = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(hyper), pixels)
    np.testing.assert_array_equal(hyper.frames.render(7, slice(5, 9)), pixels[1, 3, 5:9])


def test_pages_of_different_sizes_are_several_series_and_small_copies_are_not(
    tmp_path: Path, noise: Noise
) -> None:
    large, small = noise(20, 30), noise(2, 12, 17)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for pixels in (small[0], large, small[1]):
            tif.write(pixels, metadata=None)
    with pytest.warns(
        UserWarning, match=r"a\.tif holds 2 series that differ, and the first is read"
    ):
        np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), small)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", series=1)[0], large)
    with tifffile.TiffWriter(tmp_path / "b.tif") as tif:
        tif.write(large, metadata=None)
        tif.write(noise(10, 15), metadata=None, subfiletype=1)
        tif.write(noise(9, 8), metadata=None, subfiletype=1)
    assert read(tmp_path / "b.tif").shape == (1, 20, 30)


def paged(path: Path, pages: list[NDArray[Any]], compressed: set[int]) -> None:
    """Write pages each in its own way."""
    with tifffile.TiffWriter(path) as tif:
        for number, pixels in enumerate(pages):
            how = {"compression": "zlib"} if number in compressed else {}
            tif.write(pixels, photometric="minisblack", contiguous=False, metadata=None, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("compressed", [{1, 3}, {0}, {4}, {2}])
def test_pages_stored_in_several_ways_keep_their_order(
    tmp_path: Path, noise: Noise, compressed: set[int]
) -> None:
    pixels = noise(5, 20, 30)
    paged(tmp_path / "a.tif", list(pixels), compressed)
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(3, slice(4, 9)), pixels[3, 4:9])


def test_a_page_of_another_size_among_many(tmp_path: Path, noise: Noise) -> None:
    pixels, odd = noise(18, 20, 30), noise(12, 17)
    paged(tmp_path / "a.tif", [*pixels[:9], odd, *pixels[9:]], set())
    with pytest.warns(UserWarning, match="2 series that differ"):
        stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", series=1)[0], odd)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
def test_two_series_in_a_file(tmp_path: Path, noise: Noise, options: Any) -> None:
    first, second = noise(3, 20, 30), noise(4, 20, 30)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for pixels in (first, second):
            tif.write(pixels, photometric="minisblack", contiguous=False, **options)
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), np.concatenate([first, second]))
    np.testing.assert_array_equal(stack.render(5, slice(2, 9)), second[2, 2:9])
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif", series=-1)), second)


def test_what_is_learnt_about_files_is_not_pickled(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(5, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", compression="zlib")
    stack = read(tmp_path / "a.tif")
    np.asarray(stack)
    path = str(tmp_path / "a.tif")
    assert stack.source.headers.recall("format", path)
    again = pickle.loads(pickle.dumps(stack.source))
    assert again.headers.recall("format", path) is None
    np.testing.assert_array_equal(again.pixels(3)[0], pixels[3])


def test_a_file_that_is_written_anew_is_learnt_anew(tmp_path: Path, noise: Noise) -> None:
    first, second = noise(20, 30), noise(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", first, compression="zlib")
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(stack[0], first)
    tifffile.imwrite(tmp_path / "a.tif", second, rowsperstrip=3)
    np.testing.assert_array_equal(stack[0], second)


def test_nothing_is_printed_about_odd_files(
    tmp_path: Path, noise: Noise, capfd: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["StripByteCounts"].overwrite(5)
    with suppress(ValueError):
        read(tmp_path / "a.tif")[0]
    assert capfd.readouterr() == ("", "")
