"""Arrows of a frame are its displacements, in the order of napari's axes."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.quiver import quiver

SIZE = (60, 96)


@pytest.fixture
def transforms():
    matrices = np.tile(np.eye(3), (2, 1, 1))
    matrices[1, :2, 2] = 5.0, -3.0
    rows = np.zeros((2, SIZE[0], 2))
    rows[1, :, 0] = 0.5
    return ns.Transforms(matrices, deformation=Deformation(None, None, rows))


def test_with_the_matrix_they_are_all_the_motion(transforms):
    arrows = quiver(transforms, 1, SIZE, along=12, matrix=True)
    assert arrows.shape == (7 * 12, 2, 2)
    points = arrows[:, 0, ::-1]
    np.testing.assert_allclose(arrows[:, 1, ::-1], transforms.displacements(points)[1])
    assert points.min() >= 0
    assert (points <= np.array(SIZE[::-1]) - 1).all()


def test_without_they_are_what_moves_beyond(transforms):
    inner = quiver(transforms, 1, SIZE)
    np.testing.assert_allclose(inner[:, 1], np.broadcast_to([0.0, 0.5], (len(inner), 2)))
    assert not quiver(transforms, 0, SIZE)[:, 1].any()


def test_a_frame_that_is_not_there_is_refused(transforms):
    with pytest.raises(ValueError, match="frame 2 was asked for; there are 2"):
        quiver(transforms, 2, SIZE)
