"""EXIF, colour profile and times: read, and handed on to what is made."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from napari_stack.core.stack import Stack
from napari_stack.files import read, read_recipe, write
from support.photographs import DETAILS, EXPOSURE, LENS, TAKEN, assert_exif, photograph
from support.pixels import Noise


def types_of(file: Any, pointer: int) -> tuple[dict[int, int], dict[int, Any]]:
    """Types and values of a directory that the first one points to."""
    directory = ImageFileDirectory_v2(head := file.read(8))
    file.seek(directory.next)
    directory.load(file)
    other = ImageFileDirectory_v2(head)
    file.seek(directory[pointer])
    other.load(file)
    return dict(other.tagtype), dict(other)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_exif_is_of_the_types_of_the_standard(tmp_path: Path, noise: Noise, name: str) -> None:
    bias, components, version = 0x9204, 0x9101, 0x9000
    details = DETAILS | {EXPOSURE: IFDRational(1, 250), bias: IFDRational(1, 2)}
    details |= {components: b"\1\2\3\0", version: b"0230"}
    photograph(tmp_path / "in.jpg", noise(9, 12, 3, dtype="uint8"), details)
    write(tmp_path / name, read(tmp_path / "in.jpg"))
    data = (tmp_path / name).read_bytes()
    if name != "a.tif":
        with Image.open(tmp_path / name) as image:
            data = image.info["exif"].removeprefix(b"Exif\0\0")
    types, values = types_of(BytesIO(data), 0x8769)
    assert {tag: types[tag] for tag in (EXPOSURE, bias, components, version, LENS)} == {
        EXPOSURE: 5, bias: 10, components: 7, version: 7, LENS: 2,
    }  # fmt: skip
    assert (float(values[bias]), values[components], values[version]) == (
        0.5, b"\1\2\3\0", b"0230",
    )  # fmt: skip


@pytest.mark.parametrize("source", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("target", ["a.jpg", "a.png", "a.tif", "a.ome.tif"])
def test_exif_and_profile_go_along(tmp_path: Path, noise: Noise, source: str, target: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        photograph(folder / f"{index}.{source}", pixels)
    stack = read(folder)
    assert isinstance(stack, Stack)
    image = stack.select([1])
    write(tmp_path / target, image, recipe={"steps": []})
    assert_exif(tmp_path / target)
    found = read(tmp_path / target)
    assert found.rgb
    assert read_recipe(tmp_path / target) == {"steps": []}
    if not target.endswith(".jpg"):
        np.testing.assert_array_equal(np.asarray(found), np.asarray(image))
    # An array has no files of its own: it takes those that are named.
    for number, other in enumerate((stack, folder, folder / f"2.{source}")):
        name = f"{number}{target}"
        write(tmp_path / name, stack[0], exif_from=other)
        assert_exif(tmp_path / name)


@pytest.mark.parametrize("target", ["a.jpg", "a.png", "a.tif"])
def test_nothing_goes_along_unless_it_is_there(tmp_path: Path, noise: Noise, target: str) -> None:
    photograph(tmp_path / "in.png", noise(16, 24, 3, dtype="uint8"))
    stack = read(tmp_path / "in.png")
    for none in (None, ""):
        write(tmp_path / target, stack, exif_from=none, overwrite=True)
        with Image.open(tmp_path / target) as image:
            assert not image.getexif().get_ifd(0x8769)
            assert "icc_profile" not in image.info
    grey = Stack.wrap(noise(1, 16, 24, dtype="uint8"))
    write(tmp_path / target, grey, exif_from=tmp_path / "in.png", overwrite=True)
    with Image.open(tmp_path / target) as image:  # a profile of colours is not one for grey
        assert "icc_profile" not in image.info
        assert image.getexif().get_ifd(0x8769)[LENS] == "Macro 60 mm"


def test_damaged_exif_is_left_out(tmp_path: Path, noise: Noise) -> None:
    photograph(tmp_path / "a.jpg", noise(16, 24, 3, dtype="uint8"))
    data = (tmp_path / "a.jpg").read_bytes()
    place = data.index(b"Exif\0\0") + 6
    (tmp_path / "a.jpg").write_bytes(data[:place] + b"??*\0" + data[place + 4 :])
    write(tmp_path / "b.jpg", read(tmp_path / "a.jpg"))
    assert read(tmp_path / "b.jpg").shape == (1, 16, 24, 3)


def test_each_frame_of_a_folder_has_its_own_exif(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(noise(3, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.jpg", pixels, DETAILS | {LENS: f"lens {index}"})
    write(tmp_path / "out", read(tmp_path / "in"), names="{source}_{index:03d}.png")
    for index in range(3):
        with Image.open(tmp_path / "out" / f"{index}_{index:03d}.png") as image:
            assert image.getexif().get_ifd(0x8769)[LENS] == f"lens {index}"


def test_order_by_time(tmp_path: Path, noise: Noise) -> None:
    times = ["2026:05:04 10:11:13", "2026:05:04 10:11:12", "2026:05:03 23:00:00"]
    for index, time in enumerate(times):
        photograph(
            tmp_path / f"{index}.jpg", noise(8, 8, 3, dtype="uint8"), DETAILS | {TAKEN: time}
        )
        os.utime(tmp_path / f"{index}.jpg", (1000 - index, 1000 + index))

    def order(**options: Any) -> list[str]:
        stack = read(tmp_path, **options)
        assert isinstance(stack, Stack)
        return [stack.source.label(i)[0] for i in range(len(stack))]

    assert order() == ["0", "1", "2"]
    assert order(order="time") == ["2", "1", "0"]
    Image.fromarray(noise(8, 8, 3, dtype="uint8")).save(tmp_path / "3.jpg")
    os.utime(tmp_path / "3.jpg", (1001, 1001.5))
    with pytest.warns(
        UserWarning, match=r"1 of 4 files have no time in their EXIF \(3\.jpg\): all"
    ):
        assert order(order="time") == ["0", "1", "3", "2"]
    with pytest.raises(ValueError, match="order must be"):
        order(order="size")
    given = read([tmp_path / "2.jpg", tmp_path / "0.jpg"], order="given")
    assert given.source.label(0) == "2.jpg"  # type: ignore[union-attr]


def test_files_without_any_time_in_exif_are_ordered_by_their_last_change(
    tmp_path: Path, noise: Noise
) -> None:
    for index in range(3):
        write(tmp_path / f"{index}.tif", noise(8, 8))
        os.utime(tmp_path / f"{index}.tif", (1000, 1000 - index))
    stack = read(tmp_path, order="time")  # without a warning, which would be an error here
    assert isinstance(stack, Stack)
    assert [stack.source.label(i) for i in range(3)] == ["2.tif", "1.tif", "0.tif"]


def test_of_many_files_without_a_time_some_are_named(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(8, 8, 3, dtype="uint8")
    photograph(tmp_path / "a.jpg", pixels)
    for index in range(12):
        write(tmp_path / f"{index}.tif", pixels)
    with pytest.warns(UserWarning, match=r"12 of 13 files .*\(0\.tif, .*, 9\.tif and 2 more\)"):
        read(tmp_path, order="time")
