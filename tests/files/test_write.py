"""Writing: what is read back, what is refused, progress, and one file a frame."""

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
from support.files import listed
from support.pixels import Noise
from support.sources import NamedSource, UntouchableSource

PLANE = (Axis("y", 0.325, "µm"), Axis("x", 1 / 3, "µm"))


RECIPE = {"steps": [{"operator": "register", "reference": "müde"}]}


def test_levels_of_compression(tmp_path: Path) -> None:
    pixels = (np.arange(200 * 300) // 7 % 251).astype("uint16").reshape(200, 300)
    for name in ("a.tif", "a.png", "a.zarr"):
        for level in (1, 9):
            write(tmp_path / name, pixels, level=level, overwrite=True)
            np.testing.assert_array_equal(read(tmp_path / name)[0], pixels)  # type: ignore[index]


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


def test_alpha_of_frames_and_without_a_channel(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(3, 20, 30, 2), axes="zyx", alpha=True)
    assert read(tmp_path / "a.tif").alpha
    write(tmp_path / "b.tif", noise(2, 3, 20, 30, 2), axes="tzyx", alpha=True)
    hyper = read(tmp_path / "b.tif")
    assert isinstance(hyper, Hyperstack)
    assert hyper.frames.alpha
    with pytest.raises(ValueError, match="alpha needs a channel"):
        write(tmp_path / "c.tif", noise(20, 30), alpha=True)


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


def test_a_hyperstack_in_a_folder(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    write(tmp_path / "out", Hyperstack.wrap(pixels, axes="tzyx"))
    stack = read(tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(stack), pixels.reshape(6, 9, 11))


def test_an_array_of_dask_is_written_frame_by_frame(tmp_path: Path, noise: Noise) -> None:
    import dask.array

    pixels = noise(2, 3, 9, 11)
    lazy = dask.array.from_array(pixels, chunks=(1, 1, 9, 11))
    write(tmp_path / "a.tif", lazy, axes="tzyx")
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)
