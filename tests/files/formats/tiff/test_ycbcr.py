"""YCbCr without JPEG, and JPEG of the old kind: real files against libtiff, and one by hand."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.tiff_by_hand import write_tiff

FOLDER = "tiff_formats/libtiffpic"


@pytest.mark.parametrize("name", ["zackthecat", "smallliz", "ycbcr-cat"])
def test_as_libtiff_reads_them(shared_data: Path, name: str) -> None:
    path = shared_data / FOLDER / f"{name}.tif"
    stack = read(path)
    assert isinstance(stack, Stack)
    with Image.open(path) as image:
        truth = np.asarray(image.convert("RGB")).astype(int)
    assert stack.rgb
    assert np.abs(stack[0] - truth).max() <= (1 if name == "ycbcr-cat" else 0)
    np.testing.assert_array_equal(stack.render(0, slice(13, 29)), stack[0][13:29])


def test_a_photograph_without_compression(shared_data: Path) -> None:
    stack = read(shared_data / FOLDER / "dscf0013.tif")
    assert stack.shape == (1, 480, 640, 3)
    red = stack[0][300:340, 360:380].reshape(-1, 3).mean(axis=0)  # of a box of raisins
    assert red[0] > 1.5 * red[1:].max()


@pytest.mark.parametrize(("across", "down"), [(2, 2), (2, 1), (4, 2), (1, 1), (4, 4)])
@pytest.mark.parametrize("rows", [4, 5])
def test_colours_are_shared(tmp_path: Path, across: int, down: int, rows: int) -> None:
    path = tmp_path / "a.tif"
    bright = np.arange(30, dtype=np.uint8).reshape(5, 6) * 4 + 60
    strips = []
    for top in range(0, 5, rows):
        strip = bright[top : top + rows]
        padded = np.pad(strip, [(0, -len(strip) % down), (0, -6 % across)], mode="edge")
        data = b""
        for y in range(0, padded.shape[0], down):
            for x in range(0, padded.shape[1], across):
                cb, cr = (128, 148) if top + y < 4 else (148, 128)
                data += padded[y : y + down, x : x + across].tobytes() + bytes([cb, cr])
        strips.append(zlib.compress(data))
    _write(path, strips, rows, (across, down))
    found = read(path)[0].astype(int)
    upper, lower = found[:4], found[4:]
    # ITU-R BT.601: of 20 in Cr 1.402 and -0.714 go to red and green, of Cb -0.344 and 1.772.
    red = np.stack([bright[:4] + 28, bright[:4] - 14, bright[:4]], axis=-1)
    blue = np.stack([bright[4:], bright[4:] - 7, bright[4:] + 35], axis=-1)
    np.testing.assert_allclose(upper, red, atol=1)
    if not (down == 4 and rows == 5):  # the last row shares its colours with no other
        np.testing.assert_allclose(lower, blue, atol=1)
    with Image.open(path) as image:
        np.testing.assert_allclose(found, np.asarray(image.convert("RGB")).astype(int), atol=2)


def _write(path: Path, strips: list[bytes], rows: int, shared: tuple[int, int]) -> None:
    """Write 6 x 5 pixels, which tifffile does not: packed by deflate."""
    tags = {
        256: (3, [6]), 257: (3, [5]), 258: (3, [8, 8, 8]), 259: (3, [8]), 262: (3, [6]),
        277: (3, [3]), 278: (3, [rows]), 284: (3, [1]), 530: (3, list(shared)),
    }  # fmt: skip
    write_tiff(path, [(tags, strips)])


def test_a_strip_that_ends_early_is_told_of(tmp_path: Path) -> None:
    _write(tmp_path / "a.tif", [zlib.compress(bytes(20))], 5, (2, 2))
    with pytest.raises(ValueError, match=r"a\.tif is damaged.*end early"):
        read(tmp_path / "a.tif")[0]
