"""Transforms as OME-Zarr 0.6: read back, and as the specification has them."""

import json
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.operators.geometry.deformation import Deformation

zarr = pytest.importorskip("zarr")

SIZE = (90, 110)
POINTS = np.random.default_rng(0).uniform(0, 1, (200, 2)) * (SIZE[1] - 1, SIZE[0] - 1)


@pytest.fixture(scope="module")
def bent():
    """Two frames of tissue that bends by a px or so, one of which failed."""
    turn = np.array([[0.99, -0.05, 3.0], [0.05, 1.01, -2.0], [0, 0, 1]])
    columns, rows = (int(np.ceil(side / 24)) + 3 for side in SIZE[::-1])
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    wave = np.stack([np.sin(x / 1.5 + y), np.cos(y / 1.3)], axis=-1)
    place = np.array([[1 / 24, 0, 1], [0, 1 / 24, 1], [0, 0, 1.0]])
    deformation = Deformation(np.stack([wave, 0 * wave]), np.stack([place] * 2))
    return ns.Transforms(
        np.stack([turn, np.eye(3)]), failed=[False, True], size=SIZE, deformation=deformation
    )


@pytest.fixture(scope="module")
def saved(bent, tmp_path_factory):
    path = tmp_path_factory.mktemp("moves") / "moves.ome.zarr"
    bent.save(path)
    return path


def test_what_is_read_back_is_what_was_saved(bent, saved):
    again = ns.Transforms.load(saved)
    np.testing.assert_allclose(again.matrices, bent.matrices, atol=1e-12)
    assert again.failed.tolist() == [False, True]
    assert (again.size, again.reference) == (SIZE, None)
    apart = again.displacements(POINTS) - bent.displacements(POINTS)
    assert np.abs(bent.displacements(POINTS)).max() > 1
    assert np.abs(apart).max() < 0.02
    assert not apart[1].any()


def test_another_program_finds_the_same_places(bent, saved):
    """Read by the text of RFC-5 alone: first the field, linear between samples, then the affine."""
    from scipy.ndimage import map_coordinates

    root = json.loads((Path(saved) / "zarr.json").read_text())
    ome = root["attributes"]["ome"]
    assert ome["version"] == "0.6"
    first = ome["scene"]["coordinateTransformations"][0]
    assert first["input"] == {"name": "reference"}
    names = [system["name"] for system in ome["scene"]["coordinateSystems"]]
    assert names == ["reference", "frame 0", "frame 1"]
    field, affine = first["transformations"]
    images = zarr.open_group(saved, mode="r")[field["path"]]
    said = images.attrs["ome"]["multiscales"][0]
    assert [a["type"] for a in said["coordinateSystems"][0]["axes"]] == [
        "displacement", "space", "space",
    ]  # fmt: skip
    scale = said["datasets"][0]["coordinateTransformations"][0]["scale"]
    vectors = images["s0"][:]
    assert scale == [1.0, 3.0, 3.0]
    points = POINTS[:, ::-1].T  # y, x
    moved = [map_coordinates(v, points / scale[1], order=1, mode="nearest") for v in vectors]
    places = np.array(affine["affine"]) @ np.vstack([points + moved, np.ones(points.shape[1])])
    assert np.abs(places[::-1].T - bent.points_in_frame(0, POINTS)).max() < 0.05


def test_matrices_alone_have_no_field(tmp_path):
    moves = ns.Transforms(np.tile(np.eye(3), (3, 1, 1)), size=SIZE)
    moves.save(tmp_path / "moves.zarr")
    assert not (tmp_path / "moves.zarr" / "coordinateTransformations").exists()
    assert ns.Transforms.load(tmp_path / "moves.zarr") == moves
    with pytest.raises(FileExistsError):
        moves.save(tmp_path / "moves.zarr")
    moves.select(np.arange(2)).save(tmp_path / "moves.zarr", overwrite=True)
    assert len(ns.Transforms.load(tmp_path / "moves.zarr")) == 2


def _said(path, change):
    """Save two shifts, and change what the file says of them."""
    eye = np.tile(np.eye(3), (2, 1, 1))
    eye[:, 0, 2] = 3, 5
    ns.Transforms(eye, size=SIZE).save(path)
    group = zarr.open_group(path, mode="a")
    ome = json.loads(json.dumps(group.attrs["ome"]))
    change(ome["scene"])
    group.attrs["ome"] = ome
    return path


def test_frames_come_in_the_order_of_their_systems(tmp_path):
    path = _said(tmp_path / "a.zarr", lambda scene: scene["coordinateTransformations"].reverse())
    assert ns.Transforms.load(path).matrices[:, 0, 2].tolist() == [3, 5]


def _turned_round(scene):
    first = scene["coordinateTransformations"][0]
    first["input"], first["output"] = first["output"], first["input"]


def _across_first(scene):
    for system in scene["coordinateSystems"]:
        system["axes"] = system["axes"][::-1]


def _in_micrometers(scene):
    for system in scene["coordinateSystems"]:
        system["axes"] = [{**axis, "unit": "micrometer"} for axis in system["axes"]]


@pytest.mark.parametrize("change", [_turned_round, _across_first, _in_micrometers])
def test_scenes_that_mean_something_else_are_refused(tmp_path, change):
    with pytest.raises(ValueError, match=r"holds no transforms of OME-Zarr 0\.6"):
        ns.Transforms.load(_said(tmp_path / "a.zarr", change))


def test_what_it_cannot_hold_is_refused(bent, tmp_path):
    eye = np.tile(np.eye(3), (1, 1, 1))
    rows = Deformation(None, None, np.zeros((1, 90, 2)))
    tilted = eye.copy()
    tilted[0, 2, 0] = 1e-4
    for moves, text in (
        (ns.Transforms(eye, deformation=rows), "no rows of a scan"),
        (ns.Transforms(eye, z_shifts=[0.5]), "no z shifts"),
        (ns.Transforms(tilted), "perspective"),
        (ns.Transforms(bent.matrices, deformation=bent.deformation), "give the size"),
    ):
        with pytest.raises(ValueError, match=text):
            moves.save(tmp_path / "moves.zarr")
    assert not list(tmp_path.iterdir())
    zarr.open_group(tmp_path / "other.zarr", mode="w")
    with pytest.raises(ValueError, match=r"holds no transforms of OME-Zarr 0\.6"):
        ns.Transforms.load(tmp_path / "other.zarr")
