"""SER, written by the description of its format."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise


def _write(
    path: Path, pixels: Any, colour: int = 0, depth: int = 8, flag: int = 0, times: Any = None
) -> None:
    count, height, width = pixels.shape[:3]
    header = struct.pack("<14s7i", b"LUCAM-RECORDER", 0, colour, flag, width, height, depth, count)
    header += b"".join(text.ljust(40) for text in (b"observer", b"camera", b"telescope"))
    header += struct.pack("<2Q", 636000000000000000, 636000000000000000)
    assert len(header) == 178
    path.write_bytes(header + pixels.tobytes() + (b"" if times is None else times.tobytes()))


def test_grey_frames_with_times(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ser", noise(4, 20, 30, dtype=np.uint8)
    _write(path, pixels, times=np.array([0, 100, 250, 300]).astype("<u8") * 10_000 + 10**17)
    stack = read(path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(2, slice(3, 9)), pixels[2, 3:9])
    t = stack.axes[0]
    assert (t.name, t.unit, t.positions) == ("t", "s", (0.0, 0.1, 0.25, 0.3))


def test_without_times_frames_are_counted(tmp_path: Path, noise: Noise) -> None:
    _write(tmp_path / "a.ser", noise(4, 20, 30, dtype=np.uint8))
    assert read(tmp_path / "a.ser").axes[0].name == "frame"


@pytest.mark.parametrize(("flag", "order"), [(0, "<u2"), (1, ">u2")])
def test_16_bits_in_the_order_that_programs_write(
    tmp_path: Path, noise: Noise, flag: int, order: str
) -> None:
    path, pixels = tmp_path / "a.ser", noise(4, 20, 30, dtype=np.uint16)
    _write(path, pixels.astype(order), depth=16, flag=flag)
    stack = read(path)
    assert stack.dtype == np.uint16
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_12_bits_tell_their_order(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.ser", noise(4, 20, 30, dtype=np.uint16) >> 4
    _write(path, pixels.astype("<u2"), depth=12, flag=1)  # as the description says
    np.testing.assert_array_equal(np.asarray(read(path)), pixels)


@pytest.mark.parametrize("colour", [100, 101])
def test_colours(tmp_path: Path, noise: Noise, colour: int) -> None:
    path, pixels = tmp_path / "a.ser", noise(4, 20, 30, 3, dtype=np.uint8)
    _write(path, pixels if colour == 100 else pixels[..., ::-1], colour)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.rgb
    np.testing.assert_array_equal(np.asarray(stack), pixels)


@pytest.mark.parametrize(
    ("colour", "pattern"), [(8, "RGGB"), (9, "GRBG"), (10, "GBRG"), (11, "BGGR")]
)
def test_a_mosaic(tmp_path: Path, colour: int, pattern: str) -> None:
    path, shades = tmp_path / "a.ser", {"R": 40, "G": 90, "B": 200}
    tile = np.array([shades[letter] for letter in pattern], np.uint8).reshape(2, 2)
    mosaic = np.tile(tile, (2, 10, 15))
    mosaic = np.stack([mosaic[0], mosaic[0] // 2])
    _write(path, mosaic, colour)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.shape, stack.rgb) == ((2, 20, 30, 3), True)
    np.testing.assert_array_equal(stack[0][5, 7], [40, 90, 200])
    np.testing.assert_array_equal(stack.render(1, slice(3, 9)), stack[1][3:9])
    raw = read(path, demosaic=False)
    np.testing.assert_array_equal(np.asarray(raw), mosaic)


def test_a_film_that_was_cut_off(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.ser"
    _write(path, noise(4, 20, 30, dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"a\.ser.*bytes are due for 4 frames"):
        read(path)
