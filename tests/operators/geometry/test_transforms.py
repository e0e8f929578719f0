"""`Transforms`: values, files, composition."""

import json
from dataclasses import replace

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
        ('{"format": "napari-stack transforms", "version": 1}', "is damaged: it lacks matrix"),
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
    with pytest.raises(ValueError, match="matrix 1 maps the image onto a line"):
        Transforms(np.stack([np.eye(3), np.diag([1.0, 0, 1])]))
    with pytest.raises(ValueError, match="one entry for each of the 2 frames"):
        Transforms(np.stack([np.eye(3)] * 2), np.ones(3))


def similar():
    matrices = np.tile(np.eye(3), (4, 1, 1))
    for i, degrees in enumerate((0, 3, -170, 40)):
        angle, scale = np.deg2rad(degrees), 1 + 0.01 * i
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        matrices[i, :2] = [[c, -s, 5.5 * i], [s, c, -2.25 * i]]
    failed = np.array([False, False, True, False])
    return Transforms(matrices, np.array([1, 0.5, 0, 0.75]), failed, (480, 640), (0.5, 0.5, "um"))


@pytest.mark.parametrize("ending", ["json", "csv", "txt", "npy"])
def test_every_form_gives_the_matrices_back(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    similar().save(path)
    found = Transforms.load(path)
    np.testing.assert_allclose(found.matrices, similar().matrices, atol=1e-8)
    if ending != "npy":
        assert found.failed.tolist() == similar().failed.tolist()
    if ending == "json":
        assert found == similar()
    if ending == "csv":  # which holds the motion alone
        assert found == Transforms(found.matrices, similar().quality, similar().failed)
    if ending in ("json", "txt"):
        assert found.size == (480, 640)
    with pytest.raises(FileExistsError):
        similar().save(path)


def test_json_keeps_sizes_and_units(tmp_path):
    similar().save(tmp_path / "t.json")
    assert Transforms.load(tmp_path / "t.json").pixel == (0.5, 0.5, "um")


def test_json_keeps_the_reference(tmp_path):
    replace(similar(), reference=1).save(tmp_path / "t.json")
    assert Transforms.load(tmp_path / "t.json").reference == 1


def test_the_text_form_tells_what_brings_a_frame_back(tmp_path):
    matrices = np.tile(np.eye(3), (2, 1, 1))
    matrices[1, :2, 2] = 5, -2
    Transforms(matrices, size=(10, 20)).save(tmp_path / "t.txt")
    lines = (tmp_path / "t.txt").read_text().splitlines()
    assert lines[0] == "# frame scale angle shift_y shift_x success"
    assert [float(word) for word in lines[3].split()] == [1, 1, 0, 2, -5, 1]


def test_the_text_form_holds_similarities_of_known_size(tmp_path):
    with pytest.raises(ValueError, match="give the size of frames"):
        Transforms(np.eye(3)[np.newaxis]).save(tmp_path / "t.txt")
    shear = np.array([[[1, 0.1, 0], [0, 1, 0], [0, 0, 1.0]]])
    with pytest.raises(ValueError, match="shift, rotation and scale only"):
        Transforms(shear, size=(9, 9)).save(tmp_path / "t.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "a,b\n1,2\n", "needs the columns m00 to m22"),
        ("t.csv", "m00,m01,m02,m10,m11,m12,m20,m21,m22\n1,0\n", "a line of it holds no"),
        ("t.txt", "1 2 3\n", "it lacks the line"),
        ("t.npy", "no array", "holds no array of numbers"),
    ],
)
def test_files_without_transforms_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        Transforms.load(tmp_path / name)


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "t.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="holds no array of numbers"):
        Transforms.load(tmp_path / "t.npy")


def test_matrices_are_those_of_pystackreg(tmp_path):
    pystackreg = pytest.importorskip("pystackreg")
    rng = np.random.default_rng(0)
    import cv2

    wide = cv2.GaussianBlur(rng.normal(size=(160, 170)), (0, 0), 3)
    first, second = wide[10:140, 10:150], wide[12:142, 5:145]
    matrix = pystackreg.StackReg(pystackreg.StackReg.TRANSLATION).register(first, second)
    np.save(tmp_path / "t.npy", np.stack([np.eye(3), matrix]))
    shift = Transforms.load(tmp_path / "t.npy").decomposed().shift[1]
    np.testing.assert_allclose(shift, [5, -2], atol=0.1)


def test_decomposing():
    found = similar().decomposed()
    np.testing.assert_allclose(found.rotation, [0, 3, -170, 40])
    np.testing.assert_allclose(found.scale[:, 0], [1, 1.01, 1.02, 1.03])
    np.testing.assert_allclose(found.scale[:, 1], [1, 1.01, 1.02, 1.03])
    np.testing.assert_allclose(found.shear, 0, atol=1e-12)
    centre = np.array([319.5, 239.5])
    moved = similar().matrices[:, :2, :2] @ centre + similar().matrices[:, :2, 2] - centre
    np.testing.assert_allclose(found.shift, moved / 2)  # half a micrometre a pixel
    sheared = Transforms(np.array([[[2, 0.5, 0], [0, 1, 0], [0, 0, 1.0]]])).decomposed()
    np.testing.assert_allclose([*sheared.scale[0], sheared.shear[0]], [2, 1, 0.5])


def test_inverses_and_gaps():
    there = similar()
    back = there.inverse()
    np.testing.assert_allclose(there.matrices @ back.matrices, [np.eye(3)] * 4, atol=1e-12)
    filled = there.interpolated()
    assert not filled.failed.any()
    between = (there.matrices[1] + there.matrices[3]) / 2
    np.testing.assert_allclose(filled.matrices[2], between)
    assert (filled.size, filled.pixel) == (there.size, there.pixel)


@pytest.mark.parametrize(
    "other", [{"size": (5, 6)}, {"pixel": (0.5, 0.5, "micrometer")}, {"reference": 1}]
)
def test_transforms_differ_in_all_that_they_hold(other):
    matrices = np.tile(np.eye(3), (2, 1, 1))
    one = Transforms(matrices, size=(4, 5), reference=0)
    assert one == Transforms(matrices, size=(4, 5), reference=0)
    assert one != Transforms(matrices, **{"size": (4, 5), "reference": 0, **other})
