"""The method "depth map": energies, choices, smoothing, validity."""

from functools import partial

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.operators import DepthMap, Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus import depth_map
from napari_stack.operators.focus.depth import nearest_frame
from napari_stack.operators.focus.depth_map import energy_of, smooth_along_edges
from support.focus_scenes import psnr
from support.pixels import validity

ENERGIES = ("modified laplacian", "laplacian", "sobel", "variance")


@pytest.mark.parametrize("energy", ENERGIES)
@pytest.mark.parametrize("choice", ["maximum", "weighted average"])
def test_every_energy_and_choice_comes_out_sharp(energy, choice):
    stack, truth = samples.focus_series(frames=5, size=(150, 160))
    single = max(psnr(frame, truth["image"]) for frame in stack)
    image = focus_stack(stack, method=DepthMap(choice, energy)).image
    assert psnr(image, truth["image"]) > single + 3


@pytest.mark.parametrize("kind", ENERGIES)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_energies_see_texture_and_not_planes(kind, size):
    energy = partial(energy_of, method=DepthMap(energy=kind, kernel_size=size, blur_size=5))
    rows, columns = np.indices((40, 50), np.float32)
    plane = 1000 + 0 * rows
    assert energy(plane)[10:-10, 10:-10].max() < 1e-2
    texture = np.random.default_rng(0).normal(0, 10, rows.shape).astype(np.float32)
    if (kind, size) != ("variance", 1):
        assert energy(plane + texture).mean() > 1
    if "laplacian" in kind:  # second differences do not see slopes
        assert energy(5 * rows + 3 * columns)[10:-10, 10:-10].max() < 1e-2


def test_labels_are_smoothed_within_an_object_only():
    guide = np.zeros((60, 60), np.float32)
    guide[:, 30:] = 200
    label = np.where(guide > 0, 6, 2).astype(np.uint16)
    noisy, trust = label.copy(), np.ones(label.shape, np.float32)
    wrong = np.random.default_rng(0).random(label.shape) < 0.2
    noisy[wrong], trust[wrong] = 0, 0.05
    smooth = smooth_along_edges(noisy, trust, guide, 15, 5.0)
    assert np.abs(smooth - label).max() < 0.7
    np.testing.assert_array_equal(nearest_frame(smooth, np.arange(8)), label)


def test_moved_frames_keep_to_their_valid_pixels():
    stack, _ = samples.focus_series(frames=4, size=(100, 110))
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, 0, 2] = [-6, 3, 0, 9]
    moved = apply_transforms(stack, Transforms(matrices))
    image = focus_stack(moved, method="depth map").image
    read = [moved.read(i) for i in range(4)]
    valid = np.stack([validity(m, v) for v, m in read])
    assert not valid.all()
    seen = np.where(valid, [v for v, _ in read], np.nan)
    assert (image <= np.nanmax(seen, axis=0) + 0.5).all()
    assert (image >= np.nanmin(seen, axis=0) - 0.5).all()


def test_smoothing_in_bands_of_rows_leaves_no_seams(monkeypatch):
    rng = np.random.default_rng(0)
    plane, weight, guide = rng.uniform(0, 1, (3, 90, 40)).astype(np.float32)
    whole = smooth_along_edges(plane, weight, guide, 8, 0.1)
    monkeypatch.setattr(depth_map, "TALL", 20)
    np.testing.assert_allclose(smooth_along_edges(plane, weight, guide, 8, 0.1), whole, atol=1e-5)
