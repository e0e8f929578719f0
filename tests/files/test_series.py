"""Series of files: order, selection, axes, and what is wrong with which file."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import load_image, read
from support.pixels import Noise


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


def test_files_become_frames(series: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = series
    stack = read(folder)
    assert isinstance(stack, Stack)
    assert stack.axes == (Axis("frame"), Axis("y"), Axis("x"))
    assert [stack.source.label(i) for i in (0, 2, 11)] == ["f0.tif", "f2.tif", "f11.tif"]
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_some_of_the_frames(series: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = series
    stack = read(folder, start=1, stop=-1, every=3)
    np.testing.assert_array_equal(np.asarray(stack), pixels[1:-1:3])
    assert stack.source.label(1) == "f4.tif"
    assert stack.axes[0].step == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"every": 0}, "every must be 1 or more, got 0"),
        ({"start": 12}, "leave none of the 12 frames"),
        ({"axis": "z"}, "there is no axis 'z'; the axes are frame"),
        ({"axis": 1}, "there is no axis 1"),
    ],
)
def test_a_wrong_selection_is_refused(
    series: tuple[Path, NDArray[Any]], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(series[0], **options)


def test_pages_of_several_files_follow_each_other(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(9, 20, 30)
    for index, (start, stop) in enumerate([(0, 4), (4, 7), (7, 9)]):
        tifffile.imwrite(tmp_path / f"f{index}.tif", pixels[start:stop], photometric="minisblack")
    stack = read(tmp_path, every=2)
    np.testing.assert_array_equal(np.asarray(stack), pixels[::2])
    assert stack.source.label(3) == "f1.tif page 3"


def test_files_of_hyperstacks_get_one_axis_more(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 2, 4, 20, 30)
    for index, part in enumerate(pixels):
        tifffile.imwrite(tmp_path / f"f{index}.tif", part, imagej=True, metadata={"axes": "ZCYX"})
    hyper = read(tmp_path, axis="z", every=2)
    assert isinstance(hyper, Hyperstack)
    assert [axis.name for axis in hyper.leading] == ["t", "z", "c"]
    np.testing.assert_array_equal(np.asarray(hyper), pixels[:, ::2])


@pytest.mark.parametrize(("letter", "names"), [("Z", "tz"), ("C", "tc"), ("T", ["file", "t"])])
def test_files_with_a_named_axis_get_one_more(
    tmp_path: Path, noise: Noise, letter: str, names: Any
) -> None:
    pixels = noise(4, 3, 20, 30)
    for index, part in enumerate(pixels):
        metadata = {"axes": f"{letter}YX"}
        tifffile.imwrite(tmp_path / f"t{index}.tif", part, imagej=True, metadata=metadata)
    hyper = read(tmp_path)
    assert isinstance(hyper, Hyperstack)
    assert [axis.name for axis in hyper.leading] == list(names)
    np.testing.assert_array_equal(np.asarray(hyper), pixels)
    odd = tmp_path / "t2.tif"
    tifffile.imwrite(odd, pixels[2, :2], imagej=True, metadata={"axes": f"{letter}YX"})
    with pytest.raises(ValueError, match=r"t2\.tif holds 2 frames where the first file.* holds 3"):
        read(tmp_path)


def test_a_list_keeps_its_order(series: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = series
    stack = read([folder / "f3.tif", str(folder / "f1.tif")])
    np.testing.assert_array_equal(np.asarray(stack), pixels[[3, 1]])


def test_folders_among_frames_are_left_out(series: tuple[Path, NDArray[Any]]) -> None:
    (series[0] / "f5.tif").unlink()
    (series[0] / "f5.tif").mkdir()
    assert len(np.asarray(read(series[0]))) == 11


def test_every_of_a_hyperstack_goes_along_its_axis(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 9, 3, 20, 30)
    metadata = {"axes": "TZCYX", "unit": "um", "spacing": 0.5}
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata=metadata)
    hyper = read(tmp_path / "a.tif", axis=1, start=1, every=4)
    assert hyper.sizes == (2, 2, 3)
    assert hyper.leading[1] == Axis("z", 2.0, "um", start=0.5)
    np.testing.assert_array_equal(np.asarray(hyper), pixels[:, 1::4])


@pytest.mark.parametrize(
    ("odd", "found"),
    [
        (np.zeros((20, 31), np.uint16), "31 x 20 uint16 pixels"),
        (np.zeros((20, 30), np.uint8), "30 x 20 uint8 pixels"),
        (np.zeros((20, 30, 3), np.uint16), "30 x 20 uint16 pixels in 3 channels"),
    ],
)
@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_an_odd_frame_is_named_when_it_is_read(
    series: tuple[Path, NDArray[Any]], odd: NDArray[Any], found: str, suffix: str
) -> None:
    folder, _ = series
    (folder / "f5.tif").unlink()
    data = imagecodecs.png_encode(odd)
    if suffix == "png":
        (folder / "f5.png").write_bytes(data)
    else:
        tifffile.imwrite(folder / "f5.tif", odd)
    stack = read(folder)
    stack[4]
    with pytest.raises(ValueError, match=rf"f5\.{suffix} holds {found} where the first file"):
        stack[5]
    with pytest.raises(ValueError, match=rf"f5\.{suffix} holds"):
        stack.read(5, slice(3, 4))


def test_a_file_with_more_frames_is_named_when_it_is_read(
    series: tuple[Path, NDArray[Any]], noise: Noise
) -> None:
    folder, _ = series
    tifffile.imwrite(folder / "f7.tif", noise(2, 20, 30), photometric="minisblack")
    stack = read(folder)
    stack[6]
    with pytest.raises(ValueError, match=r"f7\.tif holds 2 frames where the first file.* holds 1"):
        stack[7]


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"compression": "lzw"}])
def test_a_file_that_ends_early_in_the_middle_of_a_series(
    tmp_path: Path, noise: Noise, options: dict[str, Any]
) -> None:
    for index in range(5):
        tifffile.imwrite(tmp_path / f"f{index}.tif", noise(40, 30), rowsperstrip=4, **options)
    truncated(tmp_path / "f3.tif")
    stack = read(tmp_path)
    np.testing.assert_array_equal(stack[3 - 1], tifffile.imread(tmp_path / "f2.tif"))
    with pytest.raises(ValueError, match=r"f3\.tif is damaged, cut off"):
        stack[3]
    with pytest.raises(ValueError, match=r"f3\.tif"):
        Run(workers=2).each(lambda stack, index: stack[index].mean(), stack, what="test")
    stack[4]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_that_ends_early(tmp_path: Path, noise: Noise, suffix: str) -> None:
    encode = {"png": imagecodecs.png_encode, "jpg": imagecodecs.jpeg_encode}[suffix]
    for index in range(3):
        (tmp_path / f"f{index}.{suffix}").write_bytes(encode(noise(60, 70, dtype="uint8")))
    truncated(tmp_path / f"f1.{suffix}")
    stack = read(tmp_path)
    stack[2]
    with pytest.raises(ValueError, match=rf"f1\.{suffix} is damaged, cut off"):
        stack[1]


def test_one_single_frame_is_a_stack(tmp_path: Path, noise: Noise) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30))
    assert read(tmp_path / "a.tif").shape == (1, 20, 30)
    assert read(tmp_path).shape == (1, 20, 30)


def test_bands_of_a_camera(shared_data: Path) -> None:
    stack = read(shared_data / "multiband")
    assert stack.shape == (5, 960, 1280)
    assert stack.dtype == np.uint16
    assert stack.source.label(4) == "IMG_0000_5.tif"
    np.testing.assert_array_equal(
        stack.render(2, slice(100, 140)),
        load_image(shared_data / "multiband/IMG_0000_3.tif")[100:140],  # type: ignore[index]
    )


def test_photographs(shared_data: Path) -> None:
    board, burst = read(shared_data / "focus_pcb"), read(shared_data / "handheld_burst")
    assert (board.shape, board.rgb) == ((7, 1536, 2048, 3), True)
    assert (burst.shape, burst.rgb) == ((8, 720, 1080, 3), True)
    assert [burst.source.label(i) for i in (0, 7)] == ["1.jpg", "8.jpg"]
    red, _, blue = board[0].reshape(-1, 3).mean(axis=0)
    assert red != blue
