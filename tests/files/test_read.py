"""Reading: which files are opened, what is refused, and an image as an option."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.files import load_image, odd_files, read, write
from support.files import files_opened
from support.pixels import Noise


def many(folder: Path, count: int, suffix: str) -> None:
    pixels = np.arange(72, dtype=np.uint8).reshape(8, 9)
    if suffix == "tif":
        tifffile.imwrite(folder / "0.tif", pixels)
    elif suffix == "npy":
        np.save(folder / "0.npy", pixels)
    else:
        encode = imagecodecs.png_encode if suffix == "png" else imagecodecs.jpeg_encode
        (folder / f"0.{suffix}").write_bytes(encode(pixels))
    data = (folder / f"0.{suffix}").read_bytes()
    for index in range(1, count):
        (folder / f"{index}.{suffix}").write_bytes(data)


def cancelled(*_: Any) -> None:
    raise Cancelled


@pytest.mark.parametrize("suffix", ["tif", "png", "jpg", "npy"])
def test_opening_2000_files_opens_one(tmp_path: Path, suffix: str) -> None:
    many(tmp_path, 2000, suffix)
    with files_opened(tmp_path) as opened:
        stack = read(tmp_path)
        stack[0]  # type: ignore[index]
    assert len(stack) == 2000  # type: ignore[arg-type]
    assert opened == {str(tmp_path / f"0.{suffix}")}
    with files_opened(tmp_path) as opened:
        stack[150]  # type: ignore[index]
    assert opened == {str(tmp_path / f"150.{suffix}")}


def test_no_file_stays_open(tmp_path: Path, noise: Noise) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("open files cannot be listed here")
    for name in ("a.tif", "a.png", "a.jpg"):
        write(tmp_path / name, noise(9, 11, dtype="uint8"))
    np.save(tmp_path / "a.npy", noise(3, 9, 11))
    for path in list(tmp_path.iterdir()):
        stack = read(path)
        np.asarray(stack)
        stack.render(0, slice(1, 3))  # type: ignore[union-attr]
    links = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [link for link in links if link.startswith(str(tmp_path))]


def test_an_empty_path_is_not_the_current_folder(
    series: tuple[Path, NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(series[0])
    for function in (read, load_image):
        with pytest.raises(ValueError, match="the path is empty"):
            function("")  # type: ignore[operator]


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


def test_importing_is_light() -> None:

    code = (
        "import sys, napari_stack.files; "
        "print({'tifffile', 'imagecodecs', 'cv2', 'scipy', 'dask'} & set(sys.modules))"
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
