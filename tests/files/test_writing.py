"""Writing: what is read back, what is refused, and what is left behind when it goes wrong."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.files import check_target, read, read_recipe, write
from napari_stack.files.formats.tiff import write as tiff_write
from napari_stack.files.formats.tiff.axes import note_of
from napari_stack.operators import moving_average
from napari_stack.operators.registration.register import register
from support.sources import NamedSource, UntouchableSource

Noise = Callable[..., NDArray[Any]]

PLANE = (Axis("y", 0.325, "µm"), Axis("x", 1 / 3, "µm"))
RECIPE = {"steps": [{"operator": "register", "reference": "müde"}]}


def listed(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("compression", ["none", "zlib", "lzw", "zstd"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int16", "bool"])
def test_an_image_comes_back(tmp_path: Path, noise: Noise, dtype: str, compression: Any) -> None:
    pixels = noise(20, 30, dtype=dtype)
    path = tmp_path / "a.tif"
    write(path, pixels, compression=compression, axes=PLANE, recipe=RECIPE)
    stack = read(path)
    assert stack.dtype == pixels.dtype
    assert stack.axes[1:] == PLANE
    np.testing.assert_array_equal(stack[0], pixels)
    assert read_recipe(path) == RECIPE
    np.testing.assert_array_equal(tifffile.imread(path), pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int16"])
@pytest.mark.parametrize(
    ("channels", "rgb", "colours", "alpha"),
    [
        (3, None, True, False),
        (3, False, False, False),
        (4, True, True, True),
        (4, None, False, False),
        (5, None, False, False),
        (1, None, False, False),
    ],
)
def test_channels_come_back_as_what_they_are(
    tmp_path: Path,
    noise: Noise,
    dtype: str,
    channels: int,
    rgb: bool | None,
    colours: bool,
    alpha: bool,
) -> None:
    pixels = noise(3, 20, 30, channels, dtype=dtype)
    write(tmp_path / "a.tif", Stack.wrap(pixels, rgb=rgb), recipe=RECIPE)
    stack = read(tmp_path / "a.tif")
    assert (stack.rgb, stack.alpha) == (colours, alpha)
    np.testing.assert_array_equal(np.asarray(stack).reshape(pixels.shape), pixels)
    assert read_recipe(tmp_path / "a.tif") == RECIPE


def test_true_and_false_of_several_channels_become_bytes(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30, 3, dtype="bool")
    write(tmp_path / "a.tif", pixels)
    write(tmp_path / "a.png", pixels)
    for name in ("a.tif", "a.png"):
        np.testing.assert_array_equal(read(tmp_path / name)[0], pixels * np.uint8(255))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int16"])
@pytest.mark.parametrize("names", ["zyx", "cyx", "tczyx", "zctyx", "abyx", "tcqzyx", "cchannelyx"])
def test_axes_come_back(tmp_path: Path, noise: Noise, dtype: str, names: str) -> None:
    letters = list(names) if names != "cchannelyx" else ["c", "channel", "y", "x"]
    units = {"t": "s", "z": "µm", "y": "um", "x": "um"}
    axes = [Axis(n, 0.7 + i, units.get(n, "pixel")) for i, n in enumerate(letters)]
    pixels = noise(*(2, 1, 3, 4)[: len(axes) - 2], 9, 11, dtype=dtype)
    write(tmp_path / "a.tif", pixels, axes=axes)
    found = read(tmp_path / "a.tif")
    assert found.axes == tuple(axes)
    np.testing.assert_array_equal(np.asarray(found), pixels)
    write(tmp_path / "b.tif", found)
    again = read(tmp_path / "b.tif")
    assert again.axes == tuple(axes)
    np.testing.assert_array_equal(np.asarray(again), pixels)


def test_imagej_sees_axes_and_pixel_sizes(tmp_path: Path, noise: Noise) -> None:
    axes = (Axis("t", 500, "ms"), Axis("c"), Axis("z", 0.4, "um"), *PLANE)
    pixels = noise(2, 3, 4, 9, 11)
    write(tmp_path / "a.tif", pixels, axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        metadata = tif.imagej_metadata or {}
        np.testing.assert_array_equal(tif.series[0].asarray(), pixels.transpose(0, 2, 1, 3, 4))
        assert tif.series[0].axes == "TZCYX"
        assert tif.pages.first.get_resolution() == pytest.approx((3, 1 / 0.325))
    assert metadata["unit"] == "um"
    assert (metadata["spacing"], metadata["finterval"]) == (0.4, 0.5)


def test_what_imagej_changed_since_is_believed(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(3, 9, 11), axes=(Axis("z", 2, "um"), *PLANE))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["XResolution"].overwrite((4, 1))
        tif.pages.first.tags["YResolution"].overwrite((4, 1))
    stack = read(tmp_path / "a.tif")
    assert stack.axes[1:] == (Axis("y", 0.25, "um"), Axis("x", 0.25, "um"))


def test_other_programs_see_the_pixel_size_of_floats(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(9, 11, dtype="float64"), axes=PLANE)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        page = tif.pages.first
        assert page.get_resolution("MICROMETER") == pytest.approx((3, 1 / 0.325))


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


def test_files_without_a_recipe(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(4, 5))
    write(tmp_path / "a.png", noise(4, 5))
    tifffile.imwrite(tmp_path / "b.tif", noise(4, 5), description="{not json")
    for name in ("a.tif", "a.png", "b.tif"):
        assert read_recipe(tmp_path / name) is None


@pytest.mark.parametrize(
    ("name", "data", "options", "sentence"),
    [
        ("a.bmp", np.zeros((4, 5)), {}, r"its suffix '\.bmp' is none of \.tif, \.tiff, \.png"),
        ("a.png", np.zeros((4, 5)), {}, "8-bit or 16-bit whole numbers, and these are float64"),
        ("a.png", np.zeros((3, 4, 5), "u1"), {"axes": "zyx"}, "these are 3 frames: write a .tif"),
        ("a.png", np.zeros((4, 5, 5), "u1"), {}, "these are 5 bands"),
        ("a.png", np.zeros((4, 5, 4), "u1"), {"rgb": False}, "these are 4 bands"),
        ("a.png", np.zeros((4, 5), "u1"), {"compression": "lzw"}, "compressed by zlib, not lzw"),
        ("a.tif", np.zeros((3, 40, 50)), {}, "not written as an image: give its axes"),
        (
            "a.tif",
            np.zeros((3, 4, 5)),
            {"axes": "tczyx"},
            "axes t, c, z, y, x do not fit the shape",
        ),
        ("a.tif", np.zeros(5), {}, "not written as an image"),
        ("a.tif", np.zeros((4, 5)), {"recipe": {"a": object()}}, "must be plain data"),
        ("a", np.zeros((4, 5)), {}, "its suffix '' is none of"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, name: str, data: NDArray[Any], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        write(tmp_path / name, data, **options)
    assert listed(tmp_path) == []


def test_nothing_is_overwritten_unless_told_to(tmp_path: Path, noise: Noise) -> None:
    first, second = noise(4, 5), noise(4, 5)
    for name in ("a.tif", "a.png"):
        path = tmp_path / name
        write(path, first)
        with pytest.raises(FileExistsError, match=rf"{name} exists already: choose another name"):
            write(path, Stack(UntouchableSource()))
        with pytest.raises(FileExistsError, match=name):
            check_target(path)
        np.testing.assert_array_equal(read(path)[0], first)
        write(path, second, overwrite=True)
        np.testing.assert_array_equal(read(path)[0], second)


def test_a_target_is_checked_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "folder.tif").mkdir()
    for name, error, sentence in [
        ("none/a.tif", FileNotFoundError, "none does not exist: make it first"),
        ("a.xyz", ValueError, "its suffix '.xyz'"),
    ]:
        with pytest.raises(error, match=sentence):
            check_target(tmp_path / name)
        with pytest.raises(error, match=sentence):
            write(tmp_path / name, Stack(UntouchableSource()))
    with pytest.raises(IsADirectoryError, match=r"folder\.tif is a folder"):
        write(tmp_path / "folder.tif", np.zeros((4, 5)))
    check_target(tmp_path / "new")
    check_target(tmp_path / "new.tif")


def test_progress_and_cancel(tmp_path: Path, noise: Noise) -> None:
    stack = Stack.wrap(noise(5, 20, 30))
    seen = []

    def tick(done: int, total: int, what: str) -> None:
        seen.append((done, total))
        if stop is not None and done == stop:
            raise Cancelled

    stop: int | None = 3
    for name in ("a.tif", "folder"):
        with pytest.raises(Cancelled):
            write(tmp_path / name, stack, run=Run(tick=tick))
        assert listed(tmp_path) == []
    stop = None
    seen.clear()
    write(tmp_path / "a.tif", stack, run=Run(tick=tick))
    assert seen == [(i, 5) for i in range(6)]


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_an_error_leaves_what_was_there(tmp_path: Path, noise: Noise, name: str) -> None:
    pixels = noise(3, 20, 30, dtype="uint8")
    good = Stack(NamedSource(pixels))
    write(tmp_path / name, good)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AssertionError, match="computed"):
        write(tmp_path / name, Stack(UntouchableSource()), overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before
    np.testing.assert_array_equal(np.asarray(read(tmp_path / name)), pixels)


def test_a_folder_takes_a_file_a_frame(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 20, 30)
    names = ("IMG 1.jpg", "IMG 2.jpg", "run.tif page 3", "IMG 2.jpg")
    stack = Stack(NamedSource(pixels, names=names), axes=(Axis("z", 2, "um"), *PLANE))
    write(tmp_path / "out", stack, recipe=RECIPE)
    expected = ["1_IMG_1.tif", "2_IMG_2.tif", "3_run_page_3.tif", "4_IMG_2.tif"]
    assert sorted(listed(tmp_path / "out")) == expected
    assert listed(tmp_path) == ["out"]
    frame = read(tmp_path / "out" / "3_run_page_3.tif")
    np.testing.assert_array_equal(frame[0], pixels[2])
    assert frame.axes[1:] == PLANE
    assert read_recipe(tmp_path / "out" / "1_IMG_1.tif") == RECIPE
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "out")), pixels)
    with pytest.raises(FileExistsError, match=r"1_IMG_1\.tif exists already"):
        write(tmp_path / "out", Stack(NamedSource(pixels, names=names)))
    write(tmp_path / "out", stack, overwrite=True)
    assert sorted(listed(tmp_path / "out")) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a2.png", "a10.png", "b.tif"), ["a2.tif", "a10.tif", "b.tif"]),
        (("0.tif", "1.tif", "0.tif", "1.tif"), ["1_0.tif", "2_1.tif", "3_0.tif", "4_1.tif"]),
        (("a.tif", "a.tif", "a_again_2.tif"), ["1_a.tif", "2_a.tif", "3_a_again_2.tif"]),
        (("b.tif", "a.tif"), ["1_b.tif", "2_a.tif"]),
        (("a.tif", "A.png"), ["1_a.tif", "2_A.tif"]),
        (("a b.tif", "a-b.tif", "a?b.tif"), ["1_a_b.tif", "2_a-b.tif", "3_a_b.tif"]),
        (tuple("kjihgfedcba"), [f"{i:02}_{c}.tif" for i, c in enumerate("kjihgfedcba", 1)]),
    ],
)
def test_names_in_a_folder_keep_the_order(
    tmp_path: Path, noise: Noise, names: tuple[str, ...], expected: list[str]
) -> None:
    pixels = noise(len(names), 8, 9)
    write(tmp_path / "out", Stack(NamedSource(pixels, names=names)))
    stack = read(tmp_path / "out")
    assert [stack.source.label(i) for i in range(len(names))] == expected
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_two_folders_written_to_one_keep_their_order(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 8, 9)
    for index, frame in enumerate(pixels):
        (tmp_path / f"run{index // 2}").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"run{index // 2}" / f"{index % 2}.tif", frame)
    write(tmp_path / "out", read([tmp_path / "run0", tmp_path / "run1"]))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "out")), pixels)


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_grey_with_alpha_from_an_array(tmp_path: Path, noise: Noise, name: str) -> None:
    pixels = noise(20, 30, 2, dtype="uint8")
    write(tmp_path / name, pixels, axes=PLANE, rgb=False, alpha=True)
    stack = read(tmp_path / name)
    assert (stack.alpha, stack.rgb) == (True, False)
    np.testing.assert_array_equal(stack[0], pixels)


def test_alpha_of_frames_and_without_a_channel(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(3, 20, 30, 2), axes="zyx", alpha=True)
    assert read(tmp_path / "a.tif").alpha
    write(tmp_path / "b.tif", noise(2, 3, 20, 30, 2), axes="tzyx", alpha=True)
    hyper = read(tmp_path / "b.tif")
    assert isinstance(hyper, Hyperstack)
    assert hyper.frames.alpha
    with pytest.raises(ValueError, match="alpha needs a channel"):
        write(tmp_path / "c.tif", noise(20, 30), alpha=True)


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_frames_that_are_not_used_stay_so(
    tmp_path: Path, noise: Noise, name: str, dtype: str
) -> None:
    used = np.array([True, False, True, True, False])
    stack = replace(Stack.wrap(noise(5, 20, 30, dtype=dtype)), used=used)
    write(tmp_path / name, stack, recipe=RECIPE)
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.used, used)
    np.testing.assert_array_equal(read(tmp_path / name, start=1, every=2).used, used[1::2])
    write(tmp_path / "again.tif", found)
    np.testing.assert_array_equal(read(tmp_path / "again.tif").used, used)
    assert used_in_note(tmp_path, Stack.wrap(noise(5, 20, 30, dtype=dtype))) is None


def used_in_note(folder: Path, stack: Stack) -> Any:
    write(folder / "note.tif", stack)
    with tifffile.TiffFile(folder / "note.tif") as tif:
        return note_of(tif).used


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_unused_frames_of_a_hyperstack(tmp_path: Path, noise: Noise, dtype: str) -> None:
    hyper = Hyperstack.wrap(noise(3, 2, 4, 9, 11, dtype=dtype), axes="cztyx")
    used = noise(24, dtype="bool")
    write(tmp_path / "a.tif", replace(hyper, frames=replace(hyper.frames, used=used)))
    found = read(tmp_path / "a.tif", axis="t", start=1)
    assert isinstance(found, Hyperstack)
    expected = used.reshape(3, 2, 4)[..., 1:].ravel()
    np.testing.assert_array_equal(found.frames.used, expected)


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_a_frame_that_could_not_be_registered_stays_out(tmp_path: Path, name: str) -> None:
    y, x = np.mgrid[:96, :96]
    generator = np.random.default_rng(3)
    scene = sum(
        np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18)
        for cx, cy in generator.uniform(5, 91, (40, 2))
    )
    frames = np.stack([np.roll(scene, shift, axis=1) * 100 for shift in range(5)])
    frames[1] = generator.normal(50, 20, (96, 96))
    registered = register(Stack.wrap(frames.astype(np.float32)), transform="translation")
    assert registered.used.tolist() == [True, False, True, True, True]
    write(tmp_path / name, registered)
    assert read(tmp_path / name).used.tolist() == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("name", "data", "error", "sentence"),
    [
        ("a.png", np.zeros((3, 4, 5), np.uint8), ValueError, "these are 3 frames"),
        ("a.png", np.zeros((1, 4, 5), np.float32), ValueError, "these are float32"),
        ("a.png", np.zeros((1, 4, 5, 5), np.uint8), ValueError, "these are 5 bands"),
        ("a.xyz", np.zeros((3, 4, 5)), ValueError, "its suffix"),
        ("none/a.tif", np.zeros((3, 4, 5)), FileNotFoundError, "none does not exist"),
        ("none/new", np.zeros((3, 4, 5)), FileNotFoundError, "none does not exist"),
        ("old", np.zeros((3, 4, 5)), FileExistsError, r"frame_1\.tif exists already"),
        ("old.tif", np.zeros((3, 4, 5)), FileExistsError, r"old\.tif exists already"),
    ],
)
def test_all_that_would_be_refused_is_refused_before_the_work(
    tmp_path: Path, name: str, data: NDArray[Any], error: type[Exception], sentence: str
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "frame_1.tif").touch()
    (tmp_path / "old.tif").touch()
    with pytest.raises(error, match=sentence):
        check_target(tmp_path / name, data=Stack.wrap(data))
    with pytest.raises(error, match=sentence):
        write(tmp_path / name, Stack.wrap(data))


def test_data_before_the_path_are_told_apart(tmp_path: Path) -> None:
    frames = np.zeros((2, 4, 5), np.uint8)
    for data in (frames, Stack.wrap(frames)):
        with pytest.raises(TypeError, match=f"must come first, .* got a {type(data).__name__}"):
            write(data, tmp_path / "a.tif")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_target_for_what_is_not_there_yet(tmp_path: Path) -> None:
    check_target(tmp_path / "a.png", data=("uint8", (40000, 50000)))
    check_target(tmp_path / "a.png", data=("uint8", (4, 5, 2)), alpha=True)
    with pytest.raises(ValueError, match="these are 2 bands"):
        check_target(tmp_path / "a.png", data=("uint8", (4, 5, 2)))
    with pytest.raises(ValueError, match="these are float32"):
        check_target(tmp_path / "a.png", data=("float32", (4, 5)))
    with pytest.raises(ValueError, match="not zstd"):
        check_target(tmp_path / "a.png", data=("uint8", (4, 5)), compression="zstd")
    with pytest.raises(ValueError, match="its suffix ''"):
        check_target(tmp_path / "a", data=("uint8", (4, 5)))
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        check_target(tmp_path / "none" / "folder")
    for function in (check_target, read_recipe):
        with pytest.raises(ValueError, match="the path is empty"):
            function("")  # type: ignore[operator]


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_a_full_disk_is_told_of_the_users_path(
    tmp_path: Path, noise: Noise, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere else")

    monkeypatch.setattr(tiff_write.TiffWriter, "write", full)
    with pytest.raises(OSError, match=rf"{name} could not be written \(No space") as found:
        write(tmp_path / name, Stack.wrap(noise(3, 8, 9)))
    assert ".napari-stack" not in str(found.value)
    assert listed(tmp_path) == []


def test_a_folder_that_must_not_be_made(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(PermissionError, match="folder could not be written") as found:
        write(tmp_path / "folder", Stack.wrap(noise(3, 8, 9)))
    assert ".napari-stack" not in str(found.value)


def test_a_hyperstack_in_a_folder(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    write(tmp_path / "out", Hyperstack.wrap(pixels, axes="tzyx"))
    stack = read(tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(stack), pixels.reshape(6, 9, 11))


def test_large_files_get_long_offsets(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiff_write, "_BIG", 1000)
    pixels = noise(3, 2, 20, 30)
    axes = (Axis("z", 2, "um"), Axis("c"), *PLANE)
    write(tmp_path / "a.tif", pixels, axes=axes, recipe=RECIPE)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_bigtiff
    hyper = read(tmp_path / "a.tif")
    assert hyper.axes == axes
    np.testing.assert_array_equal(np.asarray(hyper), pixels)


def test_an_array_of_dask_is_written_frame_by_frame(tmp_path: Path, noise: Noise) -> None:
    import dask.array

    pixels = noise(2, 3, 9, 11)
    lazy = dask.array.from_array(pixels, chunks=(1, 1, 9, 11))
    write(tmp_path / "a.tif", lazy, axes="tzyx")
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)


@pytest.mark.parametrize("name", ["series.tif", "series.zarr", "frames"])
def test_frames_are_not_written_over_what_they_are_read_from(
    tmp_path: Path, noise: Noise, name: str
) -> None:
    path = tmp_path / name
    write(path, Stack.wrap(noise(3, 20, 30)))
    stack = read(path)
    assert isinstance(stack, Stack)
    before = [np.asarray(frame) for frame in stack]
    derived = stack.select([1, 2]), moving_average(stack), moving_average(stack).select([0])
    for data in (stack, *derived):
        with pytest.raises(ValueError, match="is an input, which would be lost"):
            write(path, data, overwrite=True)
    np.testing.assert_array_equal(np.asarray(stack), before)
    write(path, np.asarray(stack), overwrite=True, axes="zyx")  # pixels in memory


def test_a_hyperstack_is_not_written_over_what_it_is_read_from(
    tmp_path: Path, noise: Noise
) -> None:
    path = tmp_path / "hyper.tif"
    write(path, noise(2, 3, 20, 30), axes="czyx")
    found = read(path)
    assert isinstance(found, Hyperstack)
    for data in (found, found.stack({"z": 1}), found.along("z")):
        with pytest.raises(ValueError, match="is an input, which would be lost"):
            write(path, data, overwrite=True)
