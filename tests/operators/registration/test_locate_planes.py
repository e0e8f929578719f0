"""Frames are found in a z-stack, to a fraction of a plane."""

from dataclasses import replace

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.notices import FailedFrames

#: Volumes that wander; of each one plane is taken, the middle volume is the z-stack.
SHOWN = 5


@pytest.fixture(scope="module")
def volumes():
    data, truth = ns.samples.sinking_volume(5, 11, (72, 80), 3, walk=0.8, photons=400.0)
    return np.asarray(data.frames).reshape(5, 11, 72, 80), truth["shifts"]


def located(volumes, shown, light=1.0):
    data, _ = volumes
    frames = (np.stack([volume[shown] for volume in data]) * light).astype(np.uint16)
    return ns.Stack.wrap(frames), ns.Stack.wrap(data[2])


@pytest.mark.parametrize("light", [1.0, 0.4])
def test_planes_and_shifts_are_found(volumes, light):
    stack, reference = located(volumes, SHOWN, light)
    found = ns.locate_planes(stack, reference)
    shifts = volumes[1]
    assert np.abs(shifts[:, 2]).max() > 0.5
    assert np.abs(found.z - (SHOWN - shifts[:, 2])).max() < 0.12
    assert np.abs(found.shifts - shifts[:, :2]).max() < 0.12
    assert not found.outside.any()
    assert not found.failed.any()
    assert found.correlation.min() > 0.9


def test_planes_of_the_stack_itself_are_where_they_are(volumes):
    data, _ = volumes
    found = ns.locate_planes(ns.Stack.wrap(data[2][1:10:4]), ns.Stack.wrap(data[2]))
    np.testing.assert_allclose(found.z, [1, 5, 9], atol=0.01)
    np.testing.assert_allclose(found.shifts, 0, atol=0.01)


def test_what_lies_outside_is_told(volumes):
    data, _ = volumes
    stack, reference = ns.Stack.wrap(data[2][[1, 5, 9]]), ns.Stack.wrap(data[2][3:8])
    with pytest.warns(UserWarning, match=r"2 of 3 frames lie before the first or after the last"):
        found = ns.locate_planes(stack, reference)
    assert found.outside.tolist() == [True, False, True]
    np.testing.assert_allclose(found.z, [0, 2, 4], atol=0.05)


def test_what_shows_no_plane_is_told(volumes):
    stack, reference = located(volumes, SHOWN)
    data = np.asarray(stack).copy()
    data[1] = np.random.default_rng(0).poisson(300, data[1].shape)
    stack = replace(ns.Stack.wrap(data), used=np.arange(5) != 3)
    with pytest.warns(FailedFrames, match="show no plane of the z-stack"):
        found = ns.locate_planes(stack, reference)
    assert found.failed.tolist() == [False, True, False, True, False]
    assert np.isnan(found.columns["z (planes)"][1])


def test_too_few_planes_and_other_sizes_are_refused(volumes):
    stack, reference = located(volumes, SHOWN)
    with pytest.raises(ValueError, match="2 planes was given; 3 are needed"):
        ns.locate_planes(stack, ns.Stack.wrap(np.asarray(reference)[:2]))
    with pytest.raises(ValueError, match="80 x 72 and a z-stack of 60 x 72 px"):
        ns.locate_planes(stack, ns.Stack.wrap(np.asarray(reference)[:, :, :60]))
