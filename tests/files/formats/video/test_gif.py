"""GIF that Pillow wrote."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise


def _write(path: Path, images: list[Any], **options: Any) -> None:
    first, *others = [Image.fromarray(image) for image in images]
    first.save(path, save_all=True, append_images=others, **options)


def _few(noise: Noise, *shape: int) -> Any:
    """Make colours that a palette holds."""
    return noise(*shape, dtype=np.uint8) // 64 * 80


def test_grey_frames_in_any_order(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.gif", noise(5, 20, 30, dtype=np.uint8)
    _write(path, list(pixels), duration=[100, 50, 200, 100, 100])
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.shape, stack.rgb) == ((5, 20, 30), False)
    for number in (3, 0, 4, 1, 2):
        np.testing.assert_array_equal(stack[number], pixels[number])
    t = stack.axes[0]
    assert (t.name, t.unit, t.positions) == ("t", "s", (0.0, 0.1, 0.15, 0.35, 0.45))


def test_colours(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.gif", _few(noise, 3, 20, 30, 3)
    _write(path, list(pixels), duration=40)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.rgb
    np.testing.assert_array_equal(np.asarray(stack)[..., :3], pixels)
    assert stack.axes[0].step == pytest.approx(0.04)


def test_one_image(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.gif", noise(20, 30, dtype=np.uint8)
    _write(path, [pixels])
    np.testing.assert_array_equal(np.asarray(read(path)), pixels[np.newaxis])


def test_a_film_that_was_cut_off(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.gif"
    _write(path, list(noise(5, 20, 30, dtype=np.uint8)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"a\.gif.*ends early"):
        read(path)
