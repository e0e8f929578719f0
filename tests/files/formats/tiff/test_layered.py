"""Layered TIFF as others read it: by the letter of Adobe's notes, by ImageMagick, by Pillow."""

import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.files import read, read_recipe, write
from napari_stack.files.formats.tiff import layered
from support.photographs import assert_exif, photograph
from support.pixels import Noise

pytest.importorskip("psdtags")

TYPES = ["uint8", "uint16", "float32"]


@dataclass
class Block:
    """Bytes that are read one after the other, little-endian."""

    data: bytes
    place: int = 0

    def take(self, count: int) -> bytes:
        part = self.data[self.place : self.place + count]
        assert len(part) == count
        self.place += count
        return part

    def numbers(self, form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


def layers_by_adobe(data: bytes, dtype: str) -> dict[str, NDArray[Any]]:
    """Read tag 37724 as "Adobe Photoshop TIFF Technical Notes" and the PSD format describe it."""
    block = Block(data)
    assert block.take(36) == b"Adobe Photoshop Document Data Block\0"
    key = {"uint8": b"Layr", "uint16": b"Lr16", "float32": b"Lr32"}[dtype]
    assert block.take(8) == (b"8BIM"[::-1] + key[::-1])
    (length,) = block.numbers("I")
    inside = Block(block.take(length))
    (count,) = inside.numbers("h")
    records = [record(inside) for _ in range(abs(count))]
    return {
        name: np.stack([plane(inside, size, shape, dtype) for _, size in channels], axis=-1)
        for name, shape, channels in records
    }


def record(block: Block) -> tuple[str, tuple[int, int], list[tuple[int, int]]]:
    top, left, bottom, right, count = block.numbers("4iH")
    channels = [block.numbers("hI") for _ in range(count)]
    assert block.take(8) == b"8BIM"[::-1] + b"norm"[::-1]
    opacity, _, flags, _ = block.numbers("4B")
    assert opacity == 255
    assert not flags & 2, "it is hidden"
    (length,) = block.numbers("I")
    extra = Block(block.take(length))
    for _ in range(2):  # mask, and ranges of blending
        extra.take(extra.numbers("I")[0])
    (letters,) = extra.numbers("B")
    extra.take(letters)
    extra.take(-(letters + 1) % 4)
    assert extra.take(8) == b"8BIM"[::-1] + b"luni"[::-1]
    _, units = extra.numbers("II")
    name = extra.take(2 * units).decode("utf-16-le").rstrip("\0")
    return name, (bottom - top, right - left), channels  # type: ignore[return-value]


def plane(block: Block, size: int, shape: tuple[int, int], dtype: str) -> NDArray[Any]:
    (packing,) = block.numbers("H")
    kind = np.dtype(dtype).newbyteorder(">")  # of pixels always, as ImageMagick agrees
    pixels = np.frombuffer(zlib.decompress(block.take(size - 2)), kind).reshape(shape)
    assert packing in (2, 3)
    return pixels.astype(dtype) if packing == 2 else np.cumsum(pixels, axis=1, dtype=dtype)


@pytest.fixture(params=[(), (3,)], ids=["grey", "colours"])
def made(request: Any, noise: Noise) -> Callable[[str], tuple[Any, dict[str, Any]]]:
    def make(dtype: str) -> tuple[Any, dict[str, Any]]:
        if dtype == "float32":
            images = np.abs(noise(3, 21, 35, *request.param, dtype=dtype)) % 1
        else:
            images = noise(3, 21, 35, *request.param, dtype=dtype)
        return images[0], {"Müde": images[0], "2.png": images[1], "3.png": images[2]}

    return make


@pytest.mark.parametrize("dtype", TYPES)
def test_by_the_letter(tmp_path: Path, made: Any, dtype: str) -> None:
    image, layers = made(dtype)
    write(tmp_path / "a.tif", image, layers=layers)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert len(tif.pages) == 1
        tag = tif.pages.first.tags[37724]
        assert tag.dtype.name == "UNDEFINED"
        found = layers_by_adobe(bytes(tag.value), dtype)
    assert list(found) == ["3.png", "2.png", "Müde"]  # the lowest first
    for name, pixels in found.items():
        np.testing.assert_array_equal(pixels.squeeze(), layers[name])


def imagemagick() -> str | None:
    """Find ImageMagick: other programs are called `convert` too, so each is asked what it is."""
    for program in filter(None, map(shutil.which, ("magick", "convert"))):
        command = [program, "-version"]
        told = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        if "Version: ImageMagick" in told.stdout:
            return program
    return None


@pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")
def test_a_program_that_is_called_convert_is_asked_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert imagemagick() is None
    program = tmp_path / "convert"
    for answer, expected in (("disk tool", None), ("Version: ImageMagick 7", str(program))):
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
        assert imagemagick() == expected


@pytest.mark.parametrize("dtype", TYPES)
def test_as_imagemagick_reads_it(tmp_path: Path, made: Any, dtype: str) -> None:
    program = imagemagick()
    if program is None:
        pytest.skip("ImageMagick is not installed")
    image, layers = made(dtype)
    write(tmp_path / "a.tif", image, layers=layers)
    depth = "8" if dtype == "uint8" else "16"
    command = [program, "a.tif", "-depth", depth, "%d.png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [f"{i}.png" for i in range(4)], (
        done.stderr
    )
    top = 65535 if dtype == "float32" else 1
    for number, expected in enumerate([image, *reversed(layers.values())]):
        found = imagecodecs.imread(tmp_path / f"{number}.png")
        found = found if found.ndim == expected.ndim else found[..., 0]
        np.testing.assert_allclose(found, expected * top, atol=1 if top > 1 else 0)


def test_as_pillow_shows_it(tmp_path: Path, made: Any) -> None:
    image, layers = made("uint8")
    write(tmp_path / "a.tif", image, layers=layers)
    with Image.open(tmp_path / "a.tif") as shown:
        assert getattr(shown, "n_frames", 1) == 1
        np.testing.assert_array_equal(np.asarray(shown), image)


@pytest.mark.parametrize("way", ["script", "recipe", "command line"])
def test_every_way_makes_the_same_layers(tmp_path: Path, noise: Noise, way: str) -> None:
    """The fourth way, a selection of layers in napari, is tested beside napari."""
    from napari_stack.cli import main
    from napari_stack.operators import combine
    from napari_stack.recipe import Recipe, Step

    folder, target = tmp_path / "in", tmp_path / "a.tif"
    folder.mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        write(folder / f"{index}.png", pixels)
    stack = read(folder)
    assert isinstance(stack, Stack)
    mean = combine(stack)
    if way == "script":
        frames = {f"{i}.png": stack.select([i]) for i in range(3)}
        write(target, mean, layers={"mean": mean, **frames})
    elif way == "recipe":
        steps = [Step("transform_frames", name="frames"),
                 Step("combine", save="a.tif", layers=["frames"])]  # fmt: skip
        Recipe(steps).run(stack, folder=tmp_path)
    else:
        assert main(["combine", str(folder), "-o", str(target), "--layers", "--quiet"]) == 0
    with tifffile.TiffFile(target) as tif:
        found = layers_by_adobe(bytes(tif.pages.first.tags[37724].value), "uint8")
        np.testing.assert_array_equal(tif.asarray(), mean)
    expected = [stack[2], stack[1], stack[0], mean]
    for pixels, wanted in zip(found.values(), expected, strict=True):
        np.testing.assert_array_equal(pixels, wanted)


def test_layers_beyond_what_a_tiff_holds(
    tmp_path: Path, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, layers = made("uint8")
    monkeypatch.setattr(layered, "_MOST_BYTES", 2000)
    with pytest.raises(
        ValueError, match=r"a\.tif: a TIFF with layers holds .* these 3 layers take"
    ):
        write(tmp_path / "a.tif", image, layers=layers)
    assert list(tmp_path.iterdir()) == []


def test_layers_for_image_editors(tmp_path: Path, noise: Noise) -> None:
    psdtags = pytest.importorskip("psdtags")
    path = tmp_path / "a.tif"
    for dtype in ("uint8", "uint16", "float32"):
        image = noise(16, 24, 3, dtype=dtype)
        layers = {"Müde": noise(16, 24, 3, dtype=dtype), "below": noise(16, 24, 4, dtype=dtype)}
        write(path, image, layers=layers, recipe={"steps": []}, overwrite=True)
        np.testing.assert_array_equal(read(path)[0], image)  # type: ignore[index]
        assert read_recipe(path) == {"steps": []}
        found = psdtags.TiffImageSourceData.fromtiff(path)
        assert [layer.name for layer in found.layers] == ["below", "Müde"]
        for layer in found.layers:
            expected = layers[layer.name]
            planes = {int(channel.channelid): channel.data for channel in layer.channels}
            for number in range(3):
                np.testing.assert_array_equal(planes[number], expected[..., number])
            assert (-1 in planes) == (expected.shape[2] == 4)


def test_frames_as_layers_keep_their_names(tmp_path: Path, noise: Noise) -> None:
    psdtags = pytest.importorskip("psdtags")
    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(noise(2, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.png", pixels)
    stack = read(tmp_path / "in")
    write(tmp_path / "a.tif", stack[0], layers=stack, exif_from=stack)  # type: ignore[index]
    assert_exif(tmp_path / "a.tif")
    found = psdtags.TiffImageSourceData.fromtiff(tmp_path / "a.tif")
    assert [layer.name for layer in found.layers] == ["1.png", "0.png"]


@pytest.mark.parametrize(
    ("name", "data", "layers", "sentence"),
    [
        ("a.png", np.zeros((4, 5), "u1"), {}, "layers go to a TIFF"),
        ("a.tif", np.zeros((4, 5)), {}, "image editors open uint8"),
        ("a.tif", np.zeros((4, 5, 2), "u1"), {}, "these are bands"),
        ("a.tif", Stack.wrap(np.zeros((2, 4, 5), "u1")), {}, "these are 2 frames"),
        ("a.tif", np.zeros((4, 5), "u1"), {"b": np.zeros((4, 6), "u1")}, "the layer 'b'"),
        ("a.tif", np.zeros((4, 5), "u1"), {"b": np.zeros((4, 5), "u2")}, "must be alike"),
    ],
)
def test_layers_that_do_not_fit(
    tmp_path: Path, name: str, data: Any, layers: dict[str, Any], sentence: str
) -> None:
    pytest.importorskip("psdtags")
    with pytest.raises(ValueError, match=sentence):
        write(tmp_path / name, data, layers=layers)
    assert list(tmp_path.iterdir()) == []
