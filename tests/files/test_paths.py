"""Which files are meant."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.files import read, write
from napari_stack.files.paths import resolve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("f10.tif", "f2.TIF", "f1.png", "notes.txt", ".hidden.tif", "._f2.tif"):
        (tmp_path / name).touch()
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "f3.jpg").touch()
    return tmp_path


def names(found: list[str]) -> list[str]:
    return [Path(name).name for name in found]


def test_a_folder_gives_its_images_in_natural_order(folder: Path) -> None:
    assert names(resolve(folder)) == ["f1.png", "f2.TIF", "f10.tif"]


def test_a_glob_goes_as_deep_as_it_says(folder: Path) -> None:
    assert names(resolve(f"{folder}/f*")) == ["f1.png", "f2.TIF", "f10.tif"]
    assert "f3.jpg" in names(resolve(f"{folder}/**/*"))


def test_a_list_keeps_its_order_and_holds_each_file_once(folder: Path) -> None:
    given = [folder / "f10.tif", str(folder / "f2.TIF"), f"{folder}/*.tif", folder / "deeper"]
    assert names(resolve(given)) == ["f10.tif", "f2.TIF", "f3.jpg"]
    given = [folder / "deeper", f"{folder}/f*", folder / "f2.TIF"]
    assert names(resolve(given)) == ["f3.jpg", "f1.png", "f2.TIF", "f10.tif"]


def test_folders_named_like_images_are_left_out(folder: Path) -> None:
    (folder / "f5.tif").mkdir()
    assert names(resolve(folder)) == ["f1.png", "f2.TIF", "f10.tif"]
    assert names(resolve(f"{folder}/f*.tif")) == ["f10.tif"]


def test_folders_come_one_after_the_other(tmp_path: Path) -> None:
    for name in ("run10/a1.tif", "run2/a2.tif", "run2/a10.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [
        Path(name).relative_to(tmp_path).as_posix()
        for name in resolve([tmp_path / "run10", tmp_path / "run2"])
    ]
    assert found == ["run10/a1.tif", "run2/a2.tif", "run2/a10.tif"]


def test_a_file_named_like_a_glob_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cell[1].tif").touch()
    assert names(resolve(tmp_path / "cell[1].tif")) == ["cell[1].tif"]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("gone.tif", "gone.tif does not exist"),
        ("deepest", "deepest holds no images"),
        ("*.webp", r"\*.webp finds nothing"),
        ("*.txt", "only files that are no images"),
    ],
)
def test_nothing_found_is_said_with_the_remedy(folder: Path, path: str, sentence: str) -> None:
    (folder / "deepest").mkdir()
    with pytest.raises(FileNotFoundError, match=sentence):
        resolve(folder / path)


def test_no_path_at_all() -> None:
    with pytest.raises(ValueError, match="no file is given"):
        resolve([])
    for empty in ("", " ", [""], ["", "a.tif"]):
        with pytest.raises(ValueError, match="the path is empty"):
            resolve(empty)


def test_folders_with_brackets_in_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "run [1]"
    folder.mkdir()
    for name in ("a1.tif", "a2.tif", "b.tif"):
        (folder / name).touch()
    expected = [str(folder / name) for name in ("a1.tif", "a2.tif")]
    assert resolve(folder / "a*.tif") == expected
    assert resolve(str(folder / "a[12].tif")) == expected


def test_links_in_circles_give_every_file_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "again").symlink_to(tmp_path)
    for name in ("in/a.tif", "b.tif"):
        (tmp_path / name).touch()
    assert resolve(tmp_path / "**/*.tif") == [str(tmp_path / "b.tif"), str(tmp_path / "in/a.tif")]


@pytest.mark.parametrize("paths", [None, 5, b"/tmp"])
def test_what_is_no_path(paths: Any) -> None:
    with pytest.raises(TypeError, match="a path, or a list of paths, is needed"):
        resolve(paths)


@pytest.mark.parametrize("wrong", [{"every": 1.5}, {"start": 1.0}, {"stop": "2"}])
def test_frames_are_counted_in_whole_numbers(tmp_path: Path, wrong: Any) -> None:
    write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
    with pytest.raises(ValueError, match="must be a whole number, got"):
        read(tmp_path, **wrong)


def test_the_current_folder_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.tif", np.zeros((4, 5), "uint8"))
    monkeypatch.chdir(tmp_path)
    stack = read("a.tif")
    monkeypatch.chdir("/")
    assert stack[0].shape == (4, 5)  # type: ignore[index]


def test_a_name_that_begins_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("~a.tif", np.zeros((4, 5), "uint8"))
    assert resolve("~a.tif") == ["~a.tif"]
    assert read("~a.tif").shape == (1, 4, 5)
    with pytest.raises(FileNotFoundError, match=r"~b\.tif does not exist"):
        read("~b.tif")
    with pytest.raises(ValueError, match="is too long, 304 letters in one name"):
        read("b" * 300 + ".tif")
    with pytest.raises(ValueError, match="is too long, 304 letters in one name"):
        write("b" * 300 + ".tif", np.zeros((4, 5), "uint8"))


def test_a_folder_of_folders_means_the_images_in_them(tmp_path: Path) -> None:
    for name in ("Pos0", "Pos10", "Pos2", ".hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "img.tif").touch()
    with pytest.warns(UserWarning, match="holds no images itself: .* folders in it are read, 3 in"):
        found = resolve(tmp_path)
    assert [Path(name).parent.name for name in found] == ["Pos0", "Pos2", "Pos10"]
