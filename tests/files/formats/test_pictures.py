"""PNG, JPEG, BMP and WebP."""

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_stack.files import read, write
from support.files import assert_holds
from support.pixels import Noise


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def palette_png(transparent: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
    colours = chunk(b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    alpha = chunk(b"tRNS", transparent) if transparent else b""
    pixels = chunk(b"IDAT", zlib.compress(bytes([0, 0, 1])))
    return b"\x89PNG\r\n\x1a\n" + header + colours + alpha + pixels + chunk(b"IEND", b"")


def smooth(height: int, width: int, *channels: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    planes = [4 * x + y, 2 * y + 100, 200 - 3 * x]
    return (
        np.stack(planes[: channels[0]], axis=-1).astype(np.uint8)
        if channels
        else planes[0].astype(np.uint8)
    )


def with_orientation(jpeg: bytes, orientation: int, order: str) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("suffix", ["bmp", "webp"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "1"])
def test_bmp_and_webp(tmp_path: Path, noise: Noise, suffix: str, mode: str) -> None:
    image = Image.fromarray(noise(9, 12, 4, dtype="uint8")).convert(mode)
    path = tmp_path / f"a.{suffix}"
    if suffix == "webp":
        image = image.convert("RGBA" if mode == "RGBA" else "RGB")
        image.save(path, lossless=True, exact=True)
    else:
        image.save(path)
    with Image.open(path) as written:  # a BMP of Pillow has no alpha
        expected = {"P": "RGB", "1": "L"}.get(written.mode, written.mode)
        pixels = np.asarray(written.convert(expected))[np.newaxis]
    stack = assert_holds(path, pixels)
    assert (stack.rgb, stack.alpha) == (expected != "L", expected == "RGBA")


@pytest.mark.parametrize("suffix", ["webp", "png"])
@pytest.mark.parametrize("shape", [(3, 9, 12, 3), (3, 9, 12, 4), (3, 9, 12), (3, 400, 500, 3)])
def test_frames_of_an_animation(
    tmp_path: Path, noise: Noise, suffix: str, shape: tuple[int, ...]
) -> None:
    pixels = noise(*shape, dtype="uint8")
    if shape[-1] == 4:
        pixels[..., 3] |= 1  # no colour is lost where nothing is seen
    images = [Image.fromarray(frame) for frame in pixels]
    more = {"exact": True} if suffix == "webp" else {"blend": 0}
    path = tmp_path / f"a.{suffix}"
    images[0].save(path, save_all=True, append_images=images[1:], lossless=True, **more)
    if suffix == "webp" and len(shape) == 3:
        pixels = np.stack([pixels] * 3, axis=-1)
    stack = assert_holds(path, pixels)
    assert stack.alpha == (shape[-1] == 4)


def test_an_animation_that_pillow_would_spoil_is_refused(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.png"
    write(path, noise(9, 12, dtype="uint16"))
    data = path.read_bytes()
    control = b"acTL" + (2).to_bytes(4, "big") + bytes(4)
    chunk = (8).to_bytes(4, "big") + control + zlib.crc32(control).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    with pytest.raises(ValueError, match=r"a\.png.*animated PNG of 16 bits.*save its frames"):
        read(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8] = 255  # blocks of 8, which a JPEG stores exactly
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", exif=exif, lossless=True)
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    np.testing.assert_allclose(read(tmp_path / f"a.{suffix}")[0], turned, atol=1)  # type: ignore[index]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    ("channels", "rgb", "alpha"),
    [((), False, False), ((2,), False, True), ((3,), True, False), ((4,), True, True)],
)
def test_png_of_every_kind(
    tmp_path: Path, noise: Noise, dtype: str, channels: tuple[int, ...], rgb: bool, alpha: bool
) -> None:
    pixels = noise(20, 30, *channels, dtype=dtype)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    stack = read(tmp_path / "a.png")
    assert (stack.rgb, stack.alpha, stack.dtype) == (rgb, alpha, np.dtype(dtype))
    np.testing.assert_array_equal(stack[0], pixels)
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), pixels[3:9])
    assert not stack.source.partial


def test_png_with_a_palette_becomes_colours(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(palette_png(b""))
    (tmp_path / "b.png").write_bytes(palette_png(bytes([255, 7])))
    colours, transparent = read(tmp_path / "a.png"), read(tmp_path / "b.png")
    assert colours.rgb
    assert transparent.alpha
    assert colours[0].tolist() == [[[10, 20, 30], [40, 50, 60]]]
    assert transparent[0].tolist() == [[[10, 20, 30, 255], [40, 50, 60, 7]]]


@pytest.mark.parametrize("channels", [(), (3,)])
def test_jpeg_grey_and_in_colours(tmp_path: Path, channels: tuple[int, ...]) -> None:
    pixels = smooth(24, 40, *channels)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg_encode(pixels, level=98))
    stack = read(tmp_path / "a.jpg")
    assert stack.rgb == bool(channels)
    assert not stack.alpha
    assert np.abs(stack[0].astype(int) - pixels).max() <= 4


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_comes_upright(tmp_path: Path, orientation: int, order: str) -> None:
    image = pytest.importorskip("PIL.Image")
    from PIL.ImageOps import exif_transpose

    jpeg = imagecodecs.jpeg_encode(smooth(24, 40, 3), level=98)
    path = tmp_path / "a.jpg"
    path.write_bytes(with_orientation(jpeg, orientation, order))
    with image.open(path) as opened:
        expected = np.asarray(exif_transpose(opened))
    stack = read(path)
    assert stack.shape[1:] == expected.shape
    np.testing.assert_array_equal(stack[0], expected)


def test_jpeg_with_damaged_exif_comes_as_it_is(tmp_path: Path) -> None:
    jpeg = imagecodecs.jpeg_encode(smooth(24, 40, 3))
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 10**6)
    data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    (tmp_path / "a.jpg").write_bytes(data)
    assert read(tmp_path / "a.jpg").shape == (1, 24, 40, 3)


def test_jpeg_in_printing_colours_is_refused(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(24, 40, 4, dtype="uint8")
    data = imagecodecs.jpeg_encode(pixels, colorspace="CMYK", outcolorspace="CMYK")
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.jpg .*CMYK"):
        read(tmp_path / "a.jpg")
