"""Frames that have nothing in common with a recording are told on a coarse level, others not."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search.align import align
from napari_stack.operators.registration.search.fourier_mellin import shifted, turned_about_centre
from napari_stack.operators.registration.sequence.track import placed
from napari_stack.operators.registration.sequence.unlike import coarse_only, nothing_in_common

SHAPE = (224, 224)


@pytest.fixture(scope="module")
def recording():
    """Prepare a frame of a matrix and a scene, and a place beside the reference."""
    rng = np.random.default_rng(4)
    scenes = [
        40 * ndimage.gaussian_filter(rng.normal(size=(360, 360)), 3) / 0.094 for _ in range(2)
    ]
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)

    def frame(matrix, scene=0):
        back = np.linalg.inv(matrix)
        at = [back[i, 0] * x + back[i, 1] * y + back[i, 2] + 68 for i in (1, 0)]
        seen = ndimage.map_coordinates(scenes[scene], at, order=1, mode="nearest")
        return prepare((seen + rng.normal(0, 8, SHAPE)).astype(np.float32))

    fixed, beside = frame(np.eye(3)), frame(shifted(1.5, -0.5))
    known = align(fixed, beside, transform="rigid")
    return fixed, frame, placed(fixed, beside, known, "rigid")


@pytest.mark.parametrize("what", ["another scene", "blank"])
def test_what_has_nothing_in_common_is_told(recording, what):
    fixed, frame, place = recording
    noise = np.random.default_rng(2).normal(100, 8, SHAPE).astype(np.float32)
    moving = prepare(noise) if what == "blank" else frame(np.eye(3), 1)
    assert nothing_in_common(coarse_only(fixed), moving, place, np.eye(3), "rigid")


@pytest.mark.parametrize("matrix", [shifted(60, -50), turned_about_centre(2.0, 1.0, SHAPE)])
def test_what_jumped_or_turned_is_left_to_a_search(recording, matrix):
    fixed, frame, place = recording
    assert not nothing_in_common(coarse_only(fixed), frame(matrix), place, np.eye(3), "rigid")
