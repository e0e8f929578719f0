"""Writing PNG and JPEG."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.files import read, read_recipe, write
from support.pixels import Noise

PLANE = (Axis("y", 0.325, "µm"), Axis("x", 1 / 3, "µm"))


RECIPE = {"steps": [{"operator": "register", "reference": "müde"}]}


def test_jpeg_quality(tmp_path: Path, shared_data: Path) -> None:
    image = read(shared_data / "handheld_burst")[0]  # type: ignore[index]
    sizes = []
    for quality in (40, 95):
        path = tmp_path / f"{quality}.jpg"
        write(path, image, quality=quality, axes=(Axis("y", 2, "um"), Axis("x", 2, "um")))
        sizes.append(path.stat().st_size)
        assert read(path).axes[1] == Axis("y", 2, "um")
    assert sizes[1] > 2 * sizes[0]
    error = read(tmp_path / "95.jpg")[0].astype(float) - image  # type: ignore[index]
    assert np.sqrt((error**2).mean()) < 3
    for wrong, sentence in [
        ({"quality": 0}, "quality must be in the range 1 to 100"),
        ({"data": image.astype("uint16")}, "a JPEG holds 8-bit whole numbers"),
        ({"data": np.zeros((4, 5, 4), "uint8"), "rgb": True}, "a JPEG holds no alpha"),
        ({"data": np.zeros((4, 70000), "uint8")}, "65535 pixels a side"),
    ]:
        options: dict[str, Any] = {"data": image, **wrong}
        with pytest.raises(ValueError, match=sentence):
            write(tmp_path / "b.jpg", **options)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_png_comes_back(
    tmp_path: Path, noise: Noise, dtype: str, channels: tuple[int, ...]
) -> None:
    pixels = noise(20, 30, *channels, dtype=dtype)
    write(tmp_path / "a.png", pixels, axes=PLANE, recipe=RECIPE)
    stack = read(tmp_path / "a.png")
    assert stack.axes[1:] == PLANE
    assert stack.alpha == (channels == (4,))
    np.testing.assert_array_equal(stack[0], pixels)
    assert read_recipe(tmp_path / "a.png") == RECIPE


def test_grey_with_alpha_comes_back(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.png", Stack.wrap(noise(1, 20, 30, dtype="uint8")))
    stack = Stack(read(tmp_path / "a.png").source)
    pixels = noise(1, 20, 30, 2, dtype="uint8")
    stack = Stack(Stack.wrap(pixels).source, alpha=True)
    for name in ("b.png", "b.tif"):
        write(tmp_path / name, stack)
        assert read(tmp_path / name).alpha
        np.testing.assert_array_equal(read(tmp_path / name)[0], pixels[0])


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_grey_with_alpha_from_an_array(tmp_path: Path, noise: Noise, name: str) -> None:
    pixels = noise(20, 30, 2, dtype="uint8")
    write(tmp_path / name, pixels, axes=PLANE, rgb=False, alpha=True)
    stack = read(tmp_path / name)
    assert (stack.alpha, stack.rgb) == (True, False)
    np.testing.assert_array_equal(stack[0], pixels)
