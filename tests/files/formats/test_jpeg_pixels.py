"""JPEG: the same pixels as other decoders give, and damage that these pass over."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_stack.files import read
from support.pixels import Noise


def _picture(noise: Noise, *shape: int) -> Any:
    """Make an image that is as smooth as a photograph."""
    values = gaussian_filter(noise(*shape, dtype=np.uint8).astype(float), (3, 3, 0)[: len(shape)])
    return ((values - values.min()) / np.ptp(values) * 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(201, 302), (201, 302, 3)])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_pixels_as_others_decode_them(
    tmp_path: Path, noise: Noise, shape: tuple[int, ...], progressive: bool, subsampling: int
) -> None:
    path = tmp_path / "a.jpg"
    image = Image.fromarray(_picture(noise, *shape))
    image.save(path, quality=90, progressive=progressive, subsampling=subsampling)
    np.testing.assert_array_equal(read(path)[0], imagecodecs.jpeg_decode(path.read_bytes()))


def test_other_kinds_of_jpeg(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(40, 60, dtype=np.uint16) >> 4
    data = {
        "rgb": imagecodecs.jpeg8_encode(
            _picture(noise, 40, 60, 3), colorspace="rgb", outcolorspace="rgb"
        ),
        "lossless": imagecodecs.ljpeg_encode(pixels, bitspersample=12),
    }
    for name, content in data.items():
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(content)
        np.testing.assert_array_equal(read(path)[0], imagecodecs.jpeg_decode(content))


def _told(path: Path) -> list[str]:
    """Read a file, and return what is said of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            read(path)[0]
        except ValueError as error:
            return [str(error)]
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("restart", [0, 8])
@pytest.mark.parametrize("progressive", [False, True])
def test_zeros_in_the_middle_are_told_of(
    tmp_path: Path, noise: Noise, restart: int, progressive: bool
) -> None:
    pixels = _picture(noise, 600, 800, 3)
    options = [cv2.IMWRITE_JPEG_QUALITY, 97, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    options += [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    whole = cv2.imencode(".jpg", pixels, options)[1].tobytes()
    assert len(whole) > 60_000
    path, middle = tmp_path / "a.jpg", len(whole) // 2
    path.write_bytes(whole)
    assert _told(path) == []
    path.write_bytes(whole[:middle] + bytes(20_000) + whole[middle + 20_000 :])
    (said,) = _told(path)
    assert said.startswith(str(path))


def test_zeros_in_photographs_are_told_of(shared_data: Path, tmp_path: Path) -> None:
    folders = shared_data / "focus_pcb", shared_data / "handheld_burst"
    photographs = [path for folder in folders for path in sorted(folder.glob("*.jpg"))[:2]]
    assert photographs
    for number, path in enumerate(photographs):
        whole = path.read_bytes()
        assert _told(path) == []
        damaged = tmp_path / f"{number}.jpg"
        for share in (3, 2):
            middle = len(whole) // share
            damaged.write_bytes(whole[:middle] + bytes(20_000) + whole[middle + 20_000 :])
            assert any(str(damaged) in text for text in _told(damaged))


def test_bytes_before_the_end_are_told_of_and_the_pixels_are_there(
    tmp_path: Path, noise: Noise
) -> None:
    target = BytesIO()
    Image.fromarray(_picture(noise, 100, 150, 3)).save(target, "JPEG")
    whole, path = target.getvalue(), tmp_path / "a.jpg"
    path.write_bytes(whole[:-2] + bytes(100) + whole[-2:])
    with pytest.warns(UserWarning, match=r"a\.jpg: \d+ bytes of its data are left over"):
        np.testing.assert_array_equal(read(path)[0], imagecodecs.jpeg_decode(whole))
