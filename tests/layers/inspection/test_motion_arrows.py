import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.layers.inspection.motion_arrows import motion_arrows

SIZE = (96, 120)


def moved(deformation=None):
    frames = np.random.default_rng(0).random((2, *SIZE)).astype(np.float32)
    matrices = np.tile(np.eye(3), (2, 1, 1))
    matrices[1, :2, 2] = 3.0, -1.5  # x, y
    moves = ns.Transforms(matrices, size=SIZE, deformation=deformation)
    source = Image(frames, name="cells", scale=(1, 0.5, 0.25), axis_labels=("t", "y", "x"))
    return layers.apply_transforms(source, moves)


def test_arrows_of_a_shift():
    made = motion_arrows(moved(), "t", 1, {})
    np.testing.assert_allclose(made.data[:, 1], np.tile((-1.5, 3.0), (len(made.data), 1)))
    assert tuple(made.scale) == (0.5, 0.25)
    assert made.length == 1  # as long as they are: five pixels lie between two
    assert made.name.endswith("motion of frame 1 (1x)")


def test_arrows_of_a_deformation_leave_the_shift_out():
    grids = np.zeros((2, 9, 9, 2))
    grids[1, ..., 0] = 0.2
    place = np.array([[1 / 20, 0, 1], [0, 1 / 20, 1], [0, 0, 1.0]])
    layer = moved(ns.Deformation(grids, np.tile(place, (2, 1, 1))))
    made = motion_arrows(layer, "t", 1, {})
    np.testing.assert_allclose(made.data[:, 1], np.tile((0, 0.2), (len(made.data), 1)), atol=1e-5)
    assert made.name.endswith("deformation of frame 1 (20x)")
    assert made.length == 20
    assert not motion_arrows(layer, "t", 0, {}).data[:, 1].any()


def test_frames_that_were_not_registered():
    with pytest.raises(ValueError, match="not registered in this session"):
        motion_arrows(Image(np.zeros((3, 8, 9)), name="raw"), "t", 0, {})
