"""`Transforms`: values, files, composition."""

import json

import numpy as np
import pytest

from napari_stack.operators import Transforms


def some():
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, 0, 2] = [0.1, -1 / 3, 1e-17, 123456.789]
    return Transforms(matrices, np.array([1, 0.25, 0.5, 0]), np.array([False, False, False, True]))


def test_a_file_gives_back_the_same_values(tmp_path):
    some().save(tmp_path / "t.json")
    assert Transforms.load(tmp_path / "t.json") == some()
    assert "reference" in json.loads((tmp_path / "t.json").read_text())["convention"]


def test_a_file_is_not_overwritten_unless_told_to(tmp_path):
    path = tmp_path / "t.json"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"t\.json"):
        some().save(path)
    assert path.read_text() == "mine"
    some().save(path, overwrite=True)
    assert Transforms.load(path) == some()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a JSON file"),
        ("[]", "holds no transforms"),
        ('{"format": "napari-stack transforms", "version": 9}', "has the version 9"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        Transforms.load(path)
    with pytest.raises(ValueError, match=r"transforms are written as \.json, "):
        some().save(tmp_path / "t.png")


def test_selecting_and_joining():
    chosen = some().select(np.array([3, 1]))
    assert chosen.failed.tolist() == [True, False]
    assert chosen.join([some()]).quality.tolist() == [0, 0.25, 1, 0.25, 0.5, 0]
    assert some() != chosen


def test_values_of_a_wrong_shape_are_refused():
    with pytest.raises(ValueError, match=r"shape \(n, 3, 3\)"):
        Transforms(np.eye(3))
    with pytest.raises(ValueError, match="all finite"):
        Transforms(np.full((1, 3, 3), np.nan))
    with pytest.raises(ValueError, match="one entry for each of the 2 frames"):
        Transforms(np.stack([np.eye(3)] * 2), np.ones(3))
