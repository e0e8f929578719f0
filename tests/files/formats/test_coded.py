"""JPEG 2000, JPEG XL, AVIF and HEIC that their libraries wrote."""

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise


def _read(path: Path) -> Stack:
    stack = read(path)
    assert isinstance(stack, Stack)
    return stack


@pytest.mark.parametrize("suffix", [".jp2", ".jxl"])
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((20, 30), np.uint8),
        ((20, 30), np.uint16),
        ((20, 30, 3), np.uint8),
        ((20, 30, 3), np.uint16),
    ],
)
def test_without_loss(
    tmp_path: Path, noise: Noise, suffix: str, shape: tuple[int, ...], dtype: type
) -> None:
    path, pixels = tmp_path / f"a{suffix}", noise(*shape, dtype=dtype)
    if suffix == ".jp2":
        data = imagecodecs.jpeg2k_encode(pixels, reversible=True, level=0)
    else:
        data = imagecodecs.jpegxl_encode(pixels, lossless=True)
    path.write_bytes(data)
    stack = _read(path)
    assert (stack.rgb, stack.alpha) == (len(shape) == 3, False)
    np.testing.assert_array_equal(np.asarray(stack), pixels[np.newaxis])
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), pixels[3:9])


def test_a_bare_codestream(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.j2k", noise(20, 30, dtype=np.uint16)
    data = imagecodecs.jpeg2k_encode(pixels, reversible=True, level=0, codecformat="j2k")
    path.write_bytes(data)
    np.testing.assert_array_equal(_read(path)[0], pixels)


def test_a_film_in_jpeg_xl(tmp_path: Path, noise: Noise) -> None:
    for name, pixels in {
        "grey": noise(4, 20, 30, dtype=np.uint8),
        "colours": noise(4, 20, 30, 3, dtype=np.uint8),
    }.items():
        path = tmp_path / f"{name}.jxl"
        path.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
        stack = _read(path)
        assert stack.shape == pixels.shape
        for number in (2, 0, 3, 1):
            np.testing.assert_array_equal(stack[number], pixels[number])


def test_alpha_of_jpeg_xl(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.jxl", noise(20, 30, 4, dtype=np.uint8)
    path.write_bytes(imagecodecs.jpegxl_encode(pixels, lossless=True))
    stack = _read(path)
    assert (stack.rgb, stack.alpha) == (True, True)
    np.testing.assert_array_equal(stack[0], pixels)


@pytest.mark.parametrize("suffix", [".jxl", ".jp2"])
def test_a_series(tmp_path: Path, noise: Noise, suffix: str) -> None:
    pixels = noise(3, 20, 30, dtype=np.uint8)
    encode = {
        ".jp2": partial(imagecodecs.jpeg2k_encode, level=0, reversible=True),
        ".jxl": partial(imagecodecs.jpegxl_encode, lossless=True),
    }[suffix]
    for number, image in enumerate(pixels):
        (tmp_path / f"{number}{suffix}").write_bytes(encode(image))
    np.testing.assert_array_equal(np.asarray(_read(tmp_path)), pixels)
    (tmp_path / f"1{suffix}").write_bytes(encode(noise(10, 30, dtype=np.uint8)))
    with pytest.raises(ValueError, match=rf"1\{suffix} holds 30 x 10.*the first file"):
        np.asarray(_read(tmp_path))


def test_avif_of_12_bits(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.avif", noise(20, 30, dtype=np.uint16) >> 4
    path.write_bytes(imagecodecs.avif_encode(pixels, level=100, bitspersample=12))
    np.testing.assert_array_equal(_read(path)[0], pixels)


def test_avif_comes_upright(tmp_path: Path) -> None:
    path, pixels = tmp_path / "a.avif", np.zeros((20, 30, 3), np.uint8)
    pixels[:, 20:] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(path, quality=100, exif=exif, subsampling="4:4:4")
    stack = _read(path)
    assert stack.shape == (1, 30, 20, 3)
    assert stack[0][25].min() > 190
    assert stack[0][5].max() < 10


def test_a_film_in_avif(tmp_path: Path) -> None:
    path, shades = tmp_path / "a.avif", (0, 100, 200)
    first, *others = [Image.new("RGB", (30, 20), (shade,) * 3) for shade in shades]
    first.save(path, save_all=True, append_images=others, duration=[100, 300, 100])
    stack = _read(path)
    assert (stack.axes[0].name, stack.axes[0].unit) == ("t", "s")
    assert stack.axes[0].positions == (0.0, 0.1, 0.4)
    for number in (2, 0, 1):
        assert abs(float(stack[number].mean()) - shades[number]) < 3


def _heic(pixels: Any, mode: str, **options: Any) -> bytes:
    heif = pytest.importorskip("pillow_heif")
    image = heif.from_bytes(mode, pixels.shape[1::-1], pixels.tobytes())
    target = BytesIO()
    image.save(target, quality=-1, chroma=444, **options)
    return target.getvalue()


def test_heic(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.heic", noise(40, 60, 3, dtype=np.uint8)
    path.write_bytes(_heic(pixels, "RGB"))
    stack = _read(path)
    assert (stack.shape, stack.dtype, stack.rgb) == ((1, 40, 60, 3), np.uint8, True)
    # Its colours are stored as brightness and two differences, rounded.
    assert np.abs(stack[0].astype(int) - pixels).max() <= 2


def test_heic_of_10_bits(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.heic", noise(40, 60, 3, dtype=np.uint16) & 0xFFC0
    path.write_bytes(_heic(pixels, "RGB;16"))
    stack = _read(path)
    assert stack.dtype == np.uint16
    assert np.abs(stack[0].astype(int) - pixels).max() <= 2 * 64


def test_heic_comes_upright(tmp_path: Path, noise: Noise) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path, pixels = tmp_path / "a.heic", noise(40, 60, 3, dtype=np.uint8)
    path.write_bytes(_heic(pixels, "RGB", exif=exif.tobytes()))
    stack = _read(path)
    assert stack.shape == (1, 60, 40, 3)
    assert np.abs(stack[0].astype(int) - np.rot90(pixels, -1)).max() <= 2


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_the_time_of_a_photograph_is_read(tmp_path: Path, noise: Noise, suffix: str) -> None:
    pixels = noise(3, 40, 60, 3, dtype=np.uint8)
    for number, second in enumerate((30, 10, 20)):
        exif = Image.Exif()
        exif[271] = "maker"
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:06 07:08:{second}"
        path = tmp_path / f"{number}{suffix}"
        if suffix == ".heic":
            path.write_bytes(_heic(pixels[number], "RGB", exif=exif.tobytes()))
        else:
            Image.fromarray(pixels[number]).save(path, quality=100, exif=exif, subsampling="4:4:4")
    stack = read(tmp_path, order="time")
    for place, number in enumerate((1, 2, 0)):
        assert np.abs(stack[place].astype(int) - pixels[number]).max() <= 4
