"""How a recipe and the command line write files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, read_recipe, write
from support.photographs import DETAILS, LENS, assert_exif, photograph
from support.pixels import Noise


def test_exif_reaches_what_a_recipe_makes(tmp_path: Path, noise: Noise) -> None:
    psdtags = pytest.importorskip("psdtags")
    from napari_stack.recipe import Recipe, Step

    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.png", pixels)
    steps = [
        Step("transform_frames", {"rotate": 90.0}, name="turned"),
        Step("combine", save="layers.tif", layers=["turned"]),
    ]
    recipe = Recipe.from_json(Recipe(steps).to_json())
    assert recipe == Recipe(steps)
    stack = read(tmp_path / "in")
    recipe.run(stack, folder=tmp_path)
    assert_exif(tmp_path / "layers.tif")
    assert read_recipe(tmp_path / "layers.tif") == recipe.to_json()
    found = psdtags.TiffImageSourceData.fromtiff(tmp_path / "layers.tif")
    names = [layer.name for layer in found.layers]
    assert names == ["turned 2.png", "turned 1.png", "turned 0.png", "combine"]
    with pytest.raises(ValueError, match="takes layers from 'later', which is no step before"):
        Recipe([Step("combine", save="a.tif", layers=["later"])])
    with pytest.raises(ValueError, match="layers go into the file of an image"):
        Step("combine", layers=["turned"])


def test_the_command_line_writes_all_this(tmp_path: Path, noise: Noise) -> None:
    psdtags = pytest.importorskip("psdtags")
    from napari_stack.cli import main

    folder = tmp_path / "in"
    folder.mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        photograph(folder / f"{index}.jpg", pixels)
    image, frames = tmp_path / "a.tif", tmp_path / "out"
    assert main(["combine", str(folder), "-o", str(image), "--layers", "--quiet"]) == 0
    assert_exif(image)
    found = psdtags.TiffImageSourceData.fromtiff(image)
    assert [layer.name for layer in found.layers] == [
        "frame 2.jpg", "frame 1.jpg", "frame 0.jpg", "combine",
    ]  # fmt: skip
    half = ["--resize", "by-factor", "--by-factor-factor", "0.5", "--names", "small_{source}.jpg"]
    command = ["transform-frames", str(folder), "-o", str(frames), "--quality", "80", "--order"]
    assert main([*command, "time", "--odd", "skip", *half, "--quiet"]) == 0
    assert sorted(path.name for path in frames.iterdir()) == [f"small_{i}.jpg" for i in range(3)]
    assert_exif(frames / "small_1.jpg")
    assert read(frames).shape == (3, 8, 12, 3)


def test_a_recipe_and_the_command_line_say_how_files_are_written(
    tmp_path: Path, noise: Noise, capsys: pytest.CaptureFixture[str]
) -> None:
    from napari_stack.cli import main
    from napari_stack.recipe import Recipe, Step

    for name in ("in", "other"):
        (tmp_path / name).mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.png", pixels)
    photograph(tmp_path / "other" / "a.png", pixels, DETAILS | {LENS: "other"})

    def lens(path: Path) -> str | None:
        with Image.open(path) as image:
            found: str | None = image.getexif().get_ifd(0x8769).get(LENS)
            return found

    writings = [
        ({}, "Macro 60 mm"),
        ({"exif_from": ""}, None),
        ({"exif_from": str(tmp_path / "other"), "compression": "lzw"}, "other"),
        ({"compression": "zstd", "level": 3}, "Macro 60 mm"),
    ]
    stack = read(tmp_path / "in")
    for number, (writing, expected) in enumerate(writings):
        recipe = Recipe([Step("combine", save=f"{number}.tif", writing=writing)])
        assert Recipe.from_json(recipe.to_json()) == recipe
        recipe.run(stack, folder=tmp_path)
        flags = [word for key, value in writing.items()
                 for word in (f"--{key.replace('_', '-')}", str(value))]  # fmt: skip
        by_command = tmp_path / f"c{number}.tif"
        inputs = str(tmp_path / "in")
        assert main(["combine", inputs, "-o", str(by_command), "--quiet", *flags]) == 0
        for path in (tmp_path / f"{number}.tif", by_command):
            assert lens(path) == expected
            with tifffile.TiffFile(path) as tif:
                told = tif.pages.first.compression.name.lower()
            wanted = {"zlib": "adobe_deflate"}.get(*[writing.get("compression", "zlib")] * 2)
            assert told == wanted
    for wrong, sentence in [
        ({"quality": 0}, "quality must be in the range 1 to 100"),
        ({"compression": "zip"}, "compression must be one of none, zlib, lzw, zstd"),
        ({"compression": "lzw", "level": 3}, "level must fit the compression: lzw has none"),
        ({"level": 10}, "level must fit the compression: zlib takes 0 to 9, got 10"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            Recipe([Step("combine", save="w.tif", writing=wrong)]).run(stack, folder=tmp_path)
        with pytest.raises(ValueError, match=sentence):
            write(tmp_path / "w.tif", stack[0], **wrong)
    assert main(["combine", inputs, "-o", str(tmp_path / "w.tif"), "--level", "10"]) == 1
    assert "zlib takes 0 to 9" in capsys.readouterr().err
    for wrong, sentence in [
        ({"colour": 1}, "writing has no 'colour'; it takes compression, level"),
        ({"quality": "high"}, "writing: quality must be a whole number, got 'high'"),
        ([1], "writing must be values by name"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            Step("combine", save="w.tif", writing=wrong)  # type: ignore[arg-type]


def test_what_is_resized_first_is_judged_by_its_new_size(tmp_path: Path) -> None:
    from napari_stack.operators import ByFactor
    from napari_stack.recipe import Recipe, Step

    def made(factor: float) -> Recipe:
        resize = Step("transform_frames", {"resize": ByFactor(factor)}, name="resized", save="out")
        return Recipe([replace(resize, writing={"names": "{index}.jpg"}), Step("combine")])

    wide = Stack.wrap(np.zeros((2, 4, 66000), "uint8"))
    made(0.5).run(wide, folder=tmp_path)
    assert read(tmp_path / "out").shape == (2, 2, 33000)
    seen: list[int] = []
    small = Stack.wrap(np.zeros((2, 4, 33000), "uint8"))
    (tmp_path / "b").mkdir()
    with pytest.raises(ValueError, match="65535 pixels a side at most"):
        made(2.0).run(small, folder=tmp_path / "b", run=Run(tick=lambda *told: seen.append(1)))
    assert not seen, "refused before the work"
    made(2.0).run(Stack.wrap(np.zeros((2, 4, 300), "uint8")), folder=tmp_path, overwrite=True)
