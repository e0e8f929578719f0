"""Focus stacking by a depth map: energies, choices, smoothing, seams, validity."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.operators import DepthMap, Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus.depth import nearest_frame
from napari_stack.operators.focus.depth_map import Energy, PickedWeights, smooth_labels
from napari_stack.operators.focus.frame_statistics import SeriesStatistics
from napari_stack.operators.focus.pyramid_blend import BlendingFold

ENERGIES = ("modified laplacian", "laplacian", "sobel", "variance")


def psnr(image, truth, border=12):
    inner = np.s_[border:-border, border:-border]
    error = image.astype(float)[inner] - truth[inner]
    return 10 * np.log10(255**2 / np.mean(error**2))


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
    energy = Energy(kind, size, 5)
    rows, columns = np.indices((40, 50), np.float32)
    plane = 1000 + 0 * rows
    assert energy(plane)[10:-10, 10:-10].max() < 1e-2
    texture = np.random.default_rng(0).normal(0, 10, rows.shape).astype(np.float32)
    if (kind, size) != ("variance", 1):
        assert energy(plane + texture).mean() > 1
    if "laplacian" in kind:  # second differences do not see slopes
        assert energy(5 * rows + 3 * columns)[10:-10, 10:-10].max() < 1e-2


NO_GAINS = SeriesStatistics({}, noise=0, top=255)


def test_flat_frames_of_different_brightness_show_no_seam():
    light = np.full((2, 128, 128), 100, np.float32)
    light[1] += 20
    label = np.zeros((128, 128), np.uint16)
    label[:, 64:] = 1
    stack = Stack.wrap(light)
    fold = BlendingFold(stack, ChannelWeights(), NO_GAINS, PickedWeights(label))
    for index in range(2):
        fold.add(index, fold.prepare(stack, index))
    image = fold.result()[0][..., 0]
    assert image[:, 0].max() < 103
    assert image[:, -1].min() > 117
    assert np.abs(np.diff(image, axis=1)).max() < 4  # a step of 20 would be the seam


def test_parts_of_a_blend_merge():
    frames = np.random.default_rng(1).uniform(0, 255, (4, 64, 70)).astype(np.float32)
    label = np.random.default_rng(2).integers(0, 4, (64, 70)).astype(np.uint16)
    stack = Stack.wrap(frames)

    def folded(numbers):
        fold = BlendingFold(stack, ChannelWeights(), NO_GAINS, PickedWeights(label))
        for i in numbers:
            fold.add(i, fold.prepare(stack, i))
        return fold

    parts, whole = folded([0, 1]), folded(range(4))
    parts.merge(folded([2, 3]))
    np.testing.assert_allclose(parts.result()[0], whole.result()[0], atol=1e-3)


def test_labels_are_smoothed_within_an_object_only():
    guide = np.zeros((60, 60), np.float32)
    guide[:, 30:] = 200
    label = np.where(guide > 0, 6, 2).astype(np.uint16)
    noisy, trust = label.copy(), np.ones(label.shape, np.float32)
    wrong = np.random.default_rng(0).random(label.shape) < 0.2
    noisy[wrong], trust[wrong] = 0, 0.05
    smooth = smooth_labels(noisy, trust, guide, 15, 5.0)
    assert np.abs(smooth - label).max() < 0.7
    np.testing.assert_array_equal(nearest_frame(smooth, np.arange(8)), label)
    np.testing.assert_array_equal(
        nearest_frame(np.array([0.0, 2.6, 9.0]), np.array([0, 4, 5])), [0, 4, 5]
    )


def test_moved_frames_keep_to_their_valid_pixels():
    stack, _ = samples.focus_series(frames=4, size=(100, 110))
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, 0, 2] = [-6, 3, 0, 9]
    moved = apply_transforms(stack, Transforms(matrices))
    image = focus_stack(moved, method="depth map").image
    read = [moved.read(i) for i in range(4)]
    seen = np.stack([v if m is None else np.where(m, v, np.nan) for v, m in read])
    assert (image <= np.nanmax(seen, axis=0) + 0.5).all()
    assert (image >= np.nanmin(seen, axis=0) - 0.5).all()


def test_even_sizes_are_refused():
    with pytest.raises(ValueError, match="blur_size must be odd, got 4"):
        DepthMap(blur_size=4)
