"""Series of files: order, selection, laziness, and what is wrong with which file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.files import load_image, odd_files, read, write

Noise = Callable[..., NDArray[Any]]

_opened: list[set[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _opened:
        _opened[-1].add(str(arguments[0]))


sys.addaudithook(_audit)  # it cannot be removed, and does nothing outside of `files_opened`


@contextmanager
def files_opened(folder: Path) -> Iterator[set[str]]:
    _opened.append(set())
    found: set[str] = set()
    try:
        yield found
    finally:
        found |= {name for name in _opened.pop() if name.startswith(str(folder))}


@pytest.fixture
def series(tmp_path: Path, noise: Noise) -> tuple[Path, NDArray[Any]]:
    pixels = noise(12, 20, 30)
    for index, frame in enumerate(pixels):
        tifffile.imwrite(tmp_path / f"f{index}.tif", frame)
    return tmp_path, pixels


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


@pytest.mark.parametrize("suffix", ["tif", "png", "jpg"])
def test_opening_many_files_opens_one(tmp_path: Path, noise: Noise, suffix: str) -> None:
    pixels = noise(8, 9, dtype="uint8")
    tifffile.imwrite(tmp_path / "frame.tif", pixels)
    data = {
        "tif": (tmp_path / "frame.tif").read_bytes(),
        "png": imagecodecs.png_encode(pixels),
        "jpg": imagecodecs.jpeg_encode(pixels),
    }[suffix]
    folder = tmp_path / "series"
    folder.mkdir()
    for index in range(200):
        (folder / f"{index}.{suffix}").write_bytes(data)
    with files_opened(folder) as opened:
        stack = read(folder)
        stack[0]
    assert len(stack) == 200
    assert opened == {str(folder / f"0.{suffix}")}
    with files_opened(folder) as opened:
        stack[150]
    assert opened == {str(folder / f"150.{suffix}")}


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


def test_an_empty_path_is_not_the_current_folder(
    series: tuple[Path, NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(series[0])
    for function in (read, load_image):
        with pytest.raises(ValueError, match="the path is empty"):
            function("")  # type: ignore[operator]


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
    assert hyper.leading[1] == Axis("z", 2.0, "um")
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


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


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


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"no image at all", "is of no known kind"),
        (b"II*\0garbage!", "is damaged"),
    ],
)
def test_what_is_no_image(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.tif {sentence}"):
        read(tmp_path / "a.tif")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(4, 5))
    os.mkfifo(tmp_path / "b.tif")
    with pytest.raises(ValueError, match=r"b\.tif is a pipe or device"):
        np.asarray(read(tmp_path))
    with pytest.warns(UserWarning, match=r"1 odd file is left out: b\.tif"):
        assert len(read(tmp_path, odd="skip", order="time")) == 1  # type: ignore[arg-type]


def test_a_file_that_vanishes(series: tuple[Path, NDArray[Any]]) -> None:
    stack = read(series[0])
    stack[3]
    (series[0] / "f3.tif").unlink()
    with pytest.raises(FileNotFoundError, match=r"f3\.tif does not exist"):
        stack[3]


def test_a_header_that_claims_too_much(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), np.uint16))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["ImageWidth"].overwrite(60000, dtype="I")
        tif.pages.first.tags["ImageLength"].overwrite(60000, dtype="I")
    with pytest.raises(ValueError, match=r"a\.tif claims to hold 60000 x 60000 uint16 pixels"):
        read(tmp_path / "a.tif")


def test_one_single_frame_is_a_stack(tmp_path: Path, noise: Noise) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30))
    assert read(tmp_path / "a.tif").shape == (1, 20, 30)
    assert read(tmp_path).shape == (1, 20, 30)


def test_an_image_as_an_option(series: tuple[Path, NDArray[Any]], tmp_path: Path) -> None:
    folder, pixels = series
    array = np.zeros((2, 3))
    assert load_image(array) is array
    assert load_image(None) is None
    found = load_image(folder / "f7.tif")
    assert found is not None
    np.testing.assert_array_equal(found, pixels[7])
    with pytest.raises(ValueError, match="holds 12 frames where one image is needed"):
        load_image(str(folder))


def test_nothing_is_printed_about_odd_files(
    tmp_path: Path, noise: Noise, capfd: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["StripByteCounts"].overwrite(5)
    with suppress(ValueError):
        read(tmp_path / "a.tif")[0]
    assert capfd.readouterr() == ("", "")


def test_importing_is_light() -> None:
    import subprocess

    code = (
        "import sys, napari_stack.files; "
        "print({'tifffile', 'imagecodecs', 'cv2', 'scipy', 'dask', 'natsort'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_headers_of_all_are_looked_into_when_asked(tmp_path: Path, noise: Noise) -> None:
    for suffix in ("tif", "png", "jpg", "npy", "bmp"):
        folder = tmp_path / suffix
        folder.mkdir()
        for index in range(6):
            pixels = noise(600, 900 + (index == 2), dtype="uint8")
            if suffix == "npy":
                np.save(folder / f"{index}.npy", pixels)
            elif suffix == "bmp":
                Image.fromarray(pixels).save(folder / f"{index}.bmp")
            else:
                write(folder / f"{index}.{suffix}", pixels)
        (folder / f"4.{suffix}").write_bytes(b"no image")
        seen: list[int] = []
        stack = read([folder / f"{index}.{suffix}" for index in range(5)])
        run = Run(tick=lambda done, total, _what, seen=seen: seen.append((done, total)))  # type: ignore[misc]
        found = odd_files(stack, run=run)
        assert list(found) == [str(folder / f"{index}.{suffix}") for index in (2, 4)]
        assert "901 x 600" in found[str(folder / f"2.{suffix}")]
        assert all(name in text for name, text in found.items())
        assert seen == [(done, 5) for done in range(1, 6)]
    assert odd_files(Stack.wrap(noise(2, 4, 5))) == {}
    with pytest.raises(Cancelled):
        odd_files(stack, run=Run(tick=cancelled))


def cancelled(*_: Any) -> None:
    raise Cancelled
