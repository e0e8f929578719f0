"""Writing: what is read back, what is refused, and what is left behind when it goes wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.files import _tiff_writing, check_target, read, read_recipe, write
from napari_stack.hyperstack import Hyperstack
from napari_stack.run import Cancelled, Run
from napari_stack.sources import Axis
from napari_stack.stack import Stack

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
        ("a.tif", np.zeros((3, 4, 5)), {"axes": "tczyx"}, "does not fit the axes t, c, z, y, x"),
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


class Untouchable:
    """Frames that must not be computed."""

    shape, dtype, partial = (3, 20, 30), np.dtype(np.uint8), True

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:
        raise AssertionError("computed although the target is refused")

    def label(self, index: int) -> str:
        return f"f{index}.png"


def test_nothing_is_overwritten_unless_told_to(tmp_path: Path, noise: Noise) -> None:
    first, second = noise(4, 5), noise(4, 5)
    for name in ("a.tif", "a.png"):
        path = tmp_path / name
        write(path, first)
        with pytest.raises(FileExistsError, match=rf"{name} exists already: choose another name"):
            write(path, Stack(Untouchable()))
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
            write(tmp_path / name, Stack(Untouchable()))
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
    good = Stack(LabelledSource(pixels))
    write(tmp_path / name, good)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AssertionError, match="computed"):
        write(tmp_path / name, Stack(Untouchable()), overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before
    np.testing.assert_array_equal(np.asarray(read(tmp_path / name)), pixels)


class LabelledSource:
    """Frames in memory, with the names of files."""

    partial = True

    def __init__(self, pixels: NDArray[Any], names: tuple[str, ...] = ()) -> None:
        self.pixels, self.shape, self.dtype = pixels, pixels.shape, pixels.dtype
        self.names = names or tuple(f"f{i}.png" for i in range(len(pixels)))

    def read(self, index: int, rows: slice | None = None) -> NDArray[Any]:
        return self.pixels[index] if rows is None else self.pixels[index, rows]

    def label(self, index: int) -> str:
        return self.names[index]


def test_a_folder_takes_a_file_a_frame(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 20, 30)
    names = ("IMG 1.jpg", "IMG 2.jpg", "run.tif page 3", "IMG 2.jpg")
    stack = Stack(LabelledSource(pixels, names), axes=(Axis("z", 2, "um"), *PLANE))
    write(tmp_path / "out", stack, recipe=RECIPE)
    expected = ["IMG_1.tif", "IMG_2.tif", "IMG_2_again_2.tif", "run_page_3.tif"]
    assert sorted(listed(tmp_path / "out")) == expected
    assert listed(tmp_path) == ["out"]
    frame = read(tmp_path / "out" / "run_page_3.tif")
    np.testing.assert_array_equal(frame[0], pixels[2])
    assert frame.axes[1:] == PLANE
    assert read_recipe(tmp_path / "out" / "IMG_1.tif") == RECIPE
    with pytest.raises(FileExistsError, match=r"IMG_1\.tif exists already"):
        write(tmp_path / "out", Stack(LabelledSource(pixels, names)))
    write(tmp_path / "out", stack.select([1, 0]), overwrite=True)
    assert sorted(listed(tmp_path / "out")) == expected


def test_a_hyperstack_in_a_folder(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    write(tmp_path / "out", Hyperstack.wrap(pixels, axes="tzyx"))
    stack = read(tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(stack), pixels.reshape(6, 9, 11))


def test_large_files_get_long_offsets(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tiff_writing, "_BIG", 1000)
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
