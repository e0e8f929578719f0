"""DICOM: the test files of pydicom, and series that it wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise

pydicom = pytest.importorskip("pydicom")
pixels_of = pytest.importorskip("pydicom.pixels")

FILES = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.mark.parametrize(
    "name",
    ["MR_small", "MR_small_bigendian", "MR_small_RLE", "MR_small_jp2klossless", "SC_rgb_rle_2frame",
     "SC_rgb_rle_16bit", "SC_rgb_jpeg_dcmtk", "SC_ybr_full_422_uncompressed", "liver_1frame"],
)  # fmt: skip
def test_pixels_as_pydicom_reads_them(name: str) -> None:
    path = FILES / f"{name}.dcm"
    stack, truth = read(path), pixels_of.pixel_array(path)
    assert isinstance(stack, Stack)
    assert stack.dtype == truth.dtype.newbyteorder("=")
    np.testing.assert_array_equal(np.asarray(stack), truth.reshape(stack.shape))
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), stack[0][3:9])


def test_values_are_scaled_to_what_they_measure() -> None:
    path = FILES / "CT_small.dcm"
    stack, stored = read(path), pixels_of.pixel_array(path)
    np.testing.assert_array_equal(stack[0], stored.astype(np.float32) - 1024)
    _, y, x = stack.axes
    assert (y.step, y.unit, x.step) == (pytest.approx(0.661468), "mm", pytest.approx(0.661468))


def test_a_film_has_times() -> None:
    path = FILES / "examples_ybr_color.dcm"
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.axes[0].name, stack.axes[0].step) == ("t", pytest.approx(1 / 30, rel=0.01))
    assert stack.rgb
    np.testing.assert_array_equal(stack[7], pixels_of.pixel_array(path, index=7))


def test_a_dose_has_planes() -> None:
    stack = read(FILES / "rtdose.dcm")
    assert (stack.axes[0].name, stack.axes[0].unit, stack.shape[0]) == ("z", "mm", 15)


def test_pixels_that_no_library_decodes_are_told_of() -> None:
    with pytest.raises(ValueError, match=r"JPEG-LS.*cannot be decoded"):
        np.asarray(read(FILES / "MR_small_jpeg_ls_lossless.dcm"))


def test_a_file_without_image_is_told_of() -> None:
    with pytest.raises(ValueError, match=r"rtplan\.dcm.*no image"):
        read(FILES / "rtplan.dcm")


def _write(path: Path, pixels: Any, **values: Any) -> None:
    dataset = pydicom.dcmread(FILES / "MR_small.dcm")
    pixels_of.set_pixel_data(dataset, pixels, values.pop("colours", "MONOCHROME2"), 16)
    for name, value in values.items():
        setattr(dataset, name, value)
    dataset.save_as(path)


def test_slices_of_a_series_lie_where_they_say(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 20, 30, dtype=np.uint16)
    for number, (name, t, z) in enumerate(
        [("a", 1, 2), ("b", 0, 0), ("c", 1, 0), ("d", 0, 2), ("e", 1, 1), ("f", 0, 1)]
    ):
        _write(
            tmp_path / f"{name}.dcm", pixels[t, z], SOPInstanceUID=f"1.2.{number}",
            InstanceNumber=t * 10 + z, ImagePositionPatient=[1, 2, 4.5 * z],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )  # fmt: skip
    data = read(tmp_path)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    t, z, y, _ = data.axes
    assert (t.name, z.name, z.step, z.unit, y.unit) == ("t", "z", 4.5, "mm", "mm")


def test_two_series_in_a_folder_are_not_mixed(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 20, 30, dtype=np.uint16)
    for number, image in enumerate(pixels):
        _write(
            tmp_path / f"{number}.dcm", image, SeriesInstanceUID=f"1.2.{number % 2}",
            SeriesDescription=("T1", "T2")[number % 2], InstanceNumber=number,
            ImagePositionPatient=[0, 0, -number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )  # fmt: skip
    with pytest.warns(UserWarning, match="2 series that differ.*'T1'.*'T2'"):
        np.testing.assert_array_equal(np.asarray(read(tmp_path)), pixels[[2, 0]])
    np.testing.assert_array_equal(np.asarray(read(tmp_path, series="T2")), pixels[[3, 1]])


def test_a_film_where_0_is_white_is_turned_round(tmp_path: Path) -> None:
    pixels = np.arange(600, dtype=np.uint16).reshape(20, 30)
    _write(tmp_path / "a.dcm", pixels, colours="MONOCHROME1")
    np.testing.assert_array_equal(read(tmp_path / "a.dcm")[0], 65535 - pixels)
