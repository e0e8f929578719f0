"""What lies beside images never stops a read, and is told where it could be meant."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from napari_stack.files import read
from napari_stack.files.paths import resolve


def touched(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def names(found: list[str]) -> list[str]:
    return [Path(name).name for name in found]


def test_a_folder_as_a_camera_leaves_it(tmp_path: Path) -> None:
    touched(tmp_path, "a1.jpg", "a1.CR2", "a1.xmp", "a2.jpg", "a2.CR2", "._a1.jpg", "~$a1.jpg",
            ".~lock.a1.jpg#", "Thumbs.db", "a1.jpg.lock", "desktop.ini")  # fmt: skip
    for paths in (tmp_path, f"{tmp_path}/*"):
        with pytest.warns(UserWarning, match=r"left out, images of another kind: a1\.CR2, a2\.CR2"):
            assert names(resolve(paths)) == ["a1.jpg", "a2.jpg"]
    assert names(resolve(f"{tmp_path}/*.CR2")) == ["a1.CR2", "a2.CR2"]


def test_all_files_of_a_folder_dropped_at_once(tmp_path: Path) -> None:
    dropped = touched(tmp_path, "a1.CR2", "a1.JPG", "a1.JPG.xmp", "a2.CR2", "a2.JPG", "._a1.JPG",
                      ".DS_Store", "notes.txt")  # fmt: skip
    with (
        pytest.warns(
            UserWarning, match="left out, files that are no images: a1.JPG.xmp, notes.txt"
        ),
        pytest.warns(UserWarning, match="left out, raw images beside pictures of the same names"),
    ):
        assert names(resolve(dropped)) == ["a1.JPG", "a2.JPG"]
    alone = touched(tmp_path, "a3.CR2", "b1.JPG")
    assert names(resolve(alone)) == ["a3.CR2", "b1.JPG"]


def test_what_is_named_alone_is_meant(tmp_path: Path) -> None:
    hidden = touched(tmp_path, ".a.tif")
    assert names(resolve(hidden[0])) == [".a.tif"]
    assert names(resolve([tmp_path / ".a.tif"])) == [".a.tif"]
    notes = touched(tmp_path, "a.txt", "b.txt")
    assert names(resolve(notes)) == ["a.txt", "b.txt"]


def test_previews_are_no_frames(tmp_path: Path) -> None:
    pixels = np.arange(40, dtype=np.uint8).reshape(2, 4, 5)
    for number, frame in enumerate(pixels):
        tifffile.imwrite(tmp_path / f"f{number}.tif", frame)
        (tmp_path / f"f{number}.jpg").write_bytes(imagecodecs.jpeg_encode(frame))
    with pytest.warns(UserWarning, match=r"left out, copies of images, by their names: f0\.jpg, "):
        np.testing.assert_array_equal(np.asarray(read(tmp_path)), pixels)


def test_measured_values_beside_images_are_not_told(tmp_path: Path) -> None:
    touched(tmp_path, "a.tif", "a.npy", "a.csv")
    assert names(resolve(tmp_path)) == ["a.tif"]
