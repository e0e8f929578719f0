"""Which files are meant."""

from pathlib import Path

import pytest

from napari_stack.files._paths import resolve


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
