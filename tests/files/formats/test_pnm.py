"""PNM that Pillow and imagecodecs do not stretch, against values written by hand and by Pillow."""

from pathlib import Path

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


@pytest.mark.parametrize(("name", "shape"), [("a.pgm", (20, 30)), ("a.ppm", (20, 30, 3))])
def test_as_pillow_writes_them(
    tmp_path: Path, noise: Noise, name: str, shape: tuple[int, ...]
) -> None:
    pixels = noise(*shape, dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / name)
    stack = _read(tmp_path / name)
    assert stack.rgb == (len(shape) == 3)
    np.testing.assert_array_equal(stack[0], pixels)
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), pixels[3:9])


def test_a_bitmap(tmp_path: Path, noise: Noise) -> None:
    mask = noise(20, 30, dtype=np.uint8) > 99
    Image.fromarray(mask).save(tmp_path / "a.pbm")
    stack = _read(tmp_path / "a.pbm")
    assert stack.dtype == bool
    np.testing.assert_array_equal(stack[0], mask)


def test_values_are_not_stretched(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30, dtype=np.uint16) >> 4
    (tmp_path / "a.pgm").write_bytes(
        b"P5\n# 12 bits\n30 20\n4095\n" + pixels.astype(">u2").tobytes()
    )
    stack = _read(tmp_path / "a.pgm")
    assert stack.dtype == np.uint16
    np.testing.assert_array_equal(stack[0], pixels)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("P1 3 2\n010\n11 1", [[1, 0, 1], [0, 0, 0]]),
        ("P2 3 2 # x\n900\n1 2 3\n# y\n4 5 600", [[1, 2, 3], [4, 5, 600]]),
    ],
)
def test_text(tmp_path: Path, text: str, values: list[list[int]]) -> None:
    (tmp_path / "a.pnm").write_text(text)
    np.testing.assert_array_equal(_read(tmp_path / "a.pnm")[0], values)


def test_floating_point_numbers_stand_on_their_head(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30, 3).astype(np.float32)
    (tmp_path / "a.pfm").write_bytes(b"PF\n30 20\n-1.0\n" + pixels[::-1].astype("<f4").tobytes())
    stack = _read(tmp_path / "a.pfm")
    np.testing.assert_array_equal(stack[0], pixels)
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), pixels[3:9])


def test_alpha_of_pam(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30, 4, dtype=np.uint8)
    head = b"P7\nWIDTH 30\nHEIGHT 20\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    (tmp_path / "a.pam").write_bytes(head + pixels.tobytes())
    stack = _read(tmp_path / "a.pam")
    assert (stack.rgb, stack.alpha) == (True, True)
    np.testing.assert_array_equal(stack[0], pixels)


def test_what_ends_early_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(b"P5 30 20 255\n" + bytes(100))
    with pytest.raises(ValueError, match=r"a\.pgm.*600 bytes of pixels are due, and 100"):
        read(tmp_path / "a.pgm")
