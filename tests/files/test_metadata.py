"""What goes along with the pixels: EXIF, colour profile, times, names of channels, OME."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, read_recipe, write
from napari_stack.files.provenance import file_of
from napari_stack.operators import moving_average

Noise = Callable[..., NDArray[Any]]

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXPOSURE, LENS, TAKEN, FRACTION = 33434, 42036, 36867, 37521
DETAILS = {EXPOSURE: 0.004, LENS: "Macro 60 mm", TAKEN: "2026:05:04 10:11:12", FRACTION: "25"}


def photograph(path: Path, pixels: NDArray[Any], details: dict[int, Any] = DETAILS) -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[306], exif[315] = "Maker", "Model 1", "2026:05:04 10:11:13", "Me"
    exif[0x0112] = 1
    exif.get_ifd(0x8769).update(details)
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    written = path if path.suffix != ".tif" else path.with_suffix(".png")
    Image.fromarray(pixels).save(written, exif=exif, icc_profile=PROFILE, lossless=True)
    if written != path:  # Pillow leaves most of EXIF out of a TIFF
        write(path, read(written))
        written.unlink()


def assert_exif(path: Path) -> None:
    with Image.open(path) as image:
        exif = image.getexif()
        details, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        assert [exif[tag] for tag in (271, 272, 306, 315)] == [
            "Maker", "Model 1", "2026:05:04 10:11:13", "Me",
        ]  # fmt: skip
        assert (details[LENS], details[TAKEN]) == (DETAILS[LENS], DETAILS[TAKEN])
        assert float(details[EXPOSURE]) == pytest.approx(0.004)
        assert (place[1], float(place[2][0])) == ("N", 52.0)
        assert image.info["icc_profile"] == PROFILE


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


def types_of(file: Any, pointer: int) -> tuple[dict[int, int], dict[int, Any]]:
    """Types and values of a directory that the first one points to."""
    directory = ImageFileDirectory_v2(head := file.read(8))
    file.seek(directory.next)
    directory.load(file)
    other = ImageFileDirectory_v2(head)
    file.seek(directory[pointer])
    other.load(file)
    return dict(other.tagtype), dict(other)


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


def test_odd_files_are_left_out_when_asked(tmp_path: Path, noise: Noise) -> None:
    for index in range(5):
        write(tmp_path / f"{index}.tif", noise(9, 11))
    write(tmp_path / "0.tif", noise(9, 12), overwrite=True)
    (tmp_path / "3.tif").write_bytes(b"II*\0nothing")
    with pytest.warns(UserWarning, match=r"2 odd files are left out: 0\.tif, 3\.tif"):
        stack = read(tmp_path, odd="skip")
    assert isinstance(stack, Stack)
    assert [stack.source.label(i) for i in range(3)] == ["1.tif", "2.tif", "4.tif"]
    with pytest.raises(ValueError, match=r"1\.tif holds 11 x 9 uint16 pixels where the first"):
        np.asarray(read(tmp_path))
    with pytest.raises(ValueError, match="odd must be"):
        read(tmp_path, odd="drop")  # type: ignore[arg-type]


AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP & <co>")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.2, "um"))  # fmt: skip


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int32"])
def test_names_of_channels_come_back(tmp_path: Path, noise: Noise, name: str, dtype: str) -> None:
    pixels = noise(2, 2, 3, 9, 11, dtype=dtype)
    write(tmp_path / name, pixels, axes=AXES)
    found = read(tmp_path / name)
    assert found.axes == AXES
    np.testing.assert_array_equal(np.asarray(found), pixels)
    one = read(tmp_path / name, axis="c", start=1)
    assert isinstance(one, Hyperstack)
    assert one.leading[1].labels == ("GFP & <co>",)


def test_ome_says_the_same_to_others(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 2, 3, 9, 11)
    write(tmp_path / "a.ome.tif", pixels, axes=AXES, recipe={"steps": [1]})
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert tif.is_ome
        root = ElementTree.fromstring(tif.ome_metadata or "")
        np.testing.assert_array_equal(tif.series[0].asarray(), pixels)
    namespace = {"ome": root.tag.partition("}")[0][1:]}
    found = root.find(".//ome:Pixels", namespace)
    assert found is not None
    size = {key: found.get(f"PhysicalSize{key}") for key in "XYZ"}
    assert {key: float(value or 0) for key, value in size.items()} == {"X": 0.2, "Y": 0.1, "Z": 0.5}
    assert (found.get("PhysicalSizeXUnit"), found.get("TimeIncrement")) == ("µm", "2.0")
    names = [channel.get("Name") for channel in found.findall("ome:Channel", namespace)]
    assert names == ["DAPI", "GFP & <co>"]
    assert read_recipe(tmp_path / "a.ome.tif") == {"steps": [1]}


def test_ome_without_our_note(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    metadata = {"axes": "CZYX", "PhysicalSizeX": 0.2, "Channel": {"Name": ["one", "two"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata, ome=True)
    found = read(tmp_path / "a.ome.tif")
    assert found.axes[0] == Axis("c", labels=("one", "two"))
    assert found.axes[-1] == Axis("x", 0.2, "um")


def test_ome_holds_three_axes_of_frames(tmp_path: Path, noise: Noise) -> None:
    with pytest.raises(ValueError, match="OME-TIFF holds time, channel and z besides y and x"):
        write(tmp_path / "a.ome.tif", noise(1, 1, 1, 2, 4, 5), axes="tczqyx")
    write(tmp_path / "b.ome.tif", noise(4, 5), axes=(Axis("y", 2, "arb"), Axis("x", 2, "arb")))
    assert read(tmp_path / "b.ome.tif").axes[1] == Axis("y", 2, "arb")
    assert [path.name for path in tmp_path.iterdir()] == ["b.ome.tif"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("{source}", ["1_IMG_1.tif", "2_b.tif", "3_IMG_1.tif"]),
        ("pre_{source}_post.png", ["1_pre_IMG_1_post.png", "2_pre_b_post.png",
                                   "3_pre_IMG_1_post.png"]),
        ("{index:04d}.jpg", ["0000.jpg", "0001.jpg", "0002.jpg"]),
        ("a{index}.ome.tif", ["a0.ome.tif", "a1.ome.tif", "a2.ome.tif"]),
    ],
)  # fmt: skip
def test_names_by_a_pattern(tmp_path: Path, noise: Noise, names: str, expected: list[str]) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
        write(folder / "IMG 1.png", noise(4, 5, dtype="uint8"))
    write(folders[1] / "b.png", noise(4, 5, dtype="uint8"))
    write(tmp_path / "out", read(folders), names=names)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(expected)


@pytest.mark.parametrize(
    "names",
    ["{frame}", "{", "../{source}", "{index:q}", "{0}", "{}", "{source.name}", "{index:{no}}"],
)
def test_patterns_that_make_no_names(tmp_path: Path, noise: Noise, names: str) -> None:
    with pytest.raises(ValueError, match="the pattern of names"):
        write(tmp_path / "out", Stack.wrap(noise(2, 4, 5)), names=names)
    assert list(tmp_path.iterdir()) == []


def test_frames_that_were_made_know_their_files(tmp_path: Path, noise: Noise) -> None:
    for z in range(3):
        write(tmp_path / f"{z}.tif", noise(4, 3, 5, 6), axes=("t", "c", "y", "x"))
    hyper = read(tmp_path, axis="t")
    assert isinstance(hyper, Hyperstack)
    made = hyper.map(moving_average, frames=3).frames
    expected = [file_of(hyper.frames, index) for index in range(len(hyper.frames))]
    assert len(set(expected)) == 3
    assert [file_of(made, index) for index in range(len(made))] == expected


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


def test_levels_of_compression(tmp_path: Path) -> None:
    pixels = (np.arange(200 * 300) // 7 % 251).astype("uint16").reshape(200, 300)
    for name in ("a.tif", "a.png", "a.zarr"):
        for level in (1, 9):
            write(tmp_path / name, pixels, level=level, overwrite=True)
            np.testing.assert_array_equal(read(tmp_path / name)[0], pixels)  # type: ignore[index]


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


def test_names_of_places_follow_a_selection(noise: Noise) -> None:
    stack = Stack.wrap(noise(3, 4, 5), axes=(Axis("c", labels=("a", "b", "c")), *AXES[-2:]))
    assert stack.select([2, 0]).axes[0].labels == ("c", "a")
    assert Axis("c", labels=("a",)).taken([0, 1]).labels == ()


def test_exif_is_that_of_the_reference(tmp_path: Path, noise: Noise) -> None:
    from napari_stack.operators import Transforms, apply_transforms, moving_average
    from napari_stack.operators.geometry.transform_frames import transform_frames

    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(noise(4, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.png", pixels, DETAILS | {LENS: f"lens {index}"})
    stack = read(tmp_path / "in")
    assert isinstance(stack, Stack)
    places = Transforms(np.tile(np.eye(3), (4, 1, 1)), reference=3)
    moved = apply_transforms(stack, places)
    made = [
        (stack, 2), (moved, 3), (transform_frames(moved, rotate=30.0), 3),
        (moving_average(moved, frames=3), 3), (moved.select([3, 1, 0]), 3),
        (moved.select([0, 1]), 1), (apply_transforms(moved, Transforms(places.matrices)), 3),
        (apply_transforms(moved, replace(places, reference=0)), 0),
    ]  # fmt: skip
    for data, expected in made:
        write(tmp_path / "a.jpg", stack[0], exif_from=data, overwrite=True)
        with Image.open(tmp_path / "a.jpg") as image:
            assert image.getexif().get_ifd(0x8769)[LENS] == f"lens {expected}"


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
