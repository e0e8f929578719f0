"""Deformations applied to other layers: labels, points, shapes and tracks, and taken back."""

import numpy as np
import pytest
from napari.layers import Labels, Points, Shapes, Tracks

import napari_stack as ns
from napari_stack import layers
from support.motion import SIZE, turning

OBJECTS = np.array([[20.0, 30.0], [70.5, 41.25], [90.0, 80.0]])


@pytest.fixture(scope="module")
def deforming():
    """Transforms of three frames that are bent smoothly; a second set is also bent row by row."""
    rng = np.random.default_rng(1)
    matrices = np.stack([turning(), np.eye(3), turning((-4.0, 6.0), -3.0, 0.97)])
    place = np.array([[1 / 20, 0, 1], [0, 1 / 20, 1], [0, 0, 1.0]])
    grids, places = rng.uniform(-2, 2, (3, 9, 9, 2)), np.tile(place, (3, 1, 1))
    rows = np.cumsum(rng.normal(0, 0.1, (3, SIZE[0], 2)), axis=1)
    smooth, scan = ns.Deformation(grids, places), ns.Deformation(grids, places, rows)
    return {
        name: ns.Transforms(matrices, size=SIZE, deformation=deformation)
        for name, deformation in (("smooth", smooth), ("scan", scan))
    }


@pytest.mark.parametrize("kind", ["smooth", "scan"])
def test_points_shapes_and_tracks_follow_a_deformation_both_ways(deforming, kind):
    moves = deforming[kind]
    at = [moves.points_in_frame(i, OBJECTS) for i in range(3)]
    seen = np.array([(i, y, x) for i in range(3) for x, y in at[i]])
    object_places = np.array([(i, y, x) for i in range(3) for x, y in OBJECTS])
    dots = layers.apply_transforms(Points(seen), moves)
    np.testing.assert_allclose(dots.data, object_places, atol=1e-5)
    back = layers.apply_transforms(dots, moves, inverse=True)
    np.testing.assert_allclose(back.data, seen, atol=1e-5)
    tracks = Tracks([(k % 3, *seen[k]) for k in (0, 3, 6, 1, 4, 7, 2, 5, 8)])
    moved = layers.apply_transforms(tracks, moves)
    for identity, _, y, x in moved.data:
        np.testing.assert_allclose((x, y), OBJECTS[int(identity)], atol=1e-5)
    box = Shapes([seen[:1] + np.array([[0, 0, 0], [0, 0, 9], [0, 9, 9], [0, 9, 0]])])
    bent = layers.apply_transforms(box, moves)
    assert bent.shape_type == ["polygon"]  # its angles are right ones no more
    corner = layers.apply_transforms(bent, moves, inverse=True).data[0][0]
    np.testing.assert_allclose(corner, seen[0], atol=1e-5)


def test_labels_follow_a_deformation_both_ways(deforming):
    moves = deforming["smooth"]
    labels = np.zeros((3, *SIZE), np.int32)
    labels[:, 20:75, 30:85] = 1 + np.arange(55 * 55).reshape(55, 55) // 300
    moved = layers.apply_transforms(Labels(labels), moves)
    again = layers.apply_transforms(Labels(np.asarray(moved.data)), moves, inverse=True)
    same = np.asarray(again.data) == labels
    assert same.mean() > 0.9  # the nearest ones twice: borders of labels may move by a pixel
    with pytest.raises(ValueError, match="rows has no inverse of its own kind"):
        layers.apply_transforms(Labels(labels), deforming["scan"], inverse=True)
