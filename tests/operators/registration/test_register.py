"""`register` on stacks: truth, failures, options, bad input."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Features,
    Intensity,
    measure_transforms,
    register,
    sigma_clip,
)

DATA = Path(__file__).parents[4] / "shared" / "data"


def corner_errors(transforms, truth, size):
    height, width = size
    corners = np.array(
        [[0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1], [0, height - 1, 1.0]]
    ).T
    rest = (transforms.matrices @ corners - truth @ corners)[:, :2]
    return np.hypot(rest[:, 0], rest[:, 1]).mean(axis=1)


@pytest.fixture(scope="module")
def drift():
    return samples.drifting_cells(frames=7, size=(216, 256))


@pytest.mark.parametrize("method", ["auto", "intensity", "features", Intensity(8), Features("ORB")])
def test_known_drift_is_found(drift, method):
    stack, truth = drift
    transforms = measure_transforms(stack, method=method)
    assert not transforms.failed.any()
    errors = corner_errors(transforms, truth["matrices"], stack.shape[1:])
    limit = 1.5 if method == "features" or isinstance(method, Features) else 0.12
    assert errors.max() < limit, errors


def test_the_reference_may_be_any_frame(drift):
    stack, truth = drift
    for reference, index in (("first", 0), ("last", 6), ("middle", 3), (2, 2)):
        transforms = measure_transforms(stack, reference=reference)
        np.testing.assert_array_equal(transforms.matrices[index], np.eye(3))
        relative = truth["matrices"] @ np.linalg.inv(truth["matrices"][index])
        assert corner_errors(transforms, relative, stack.shape[1:]).max() < 0.2


def test_a_translation_is_only_a_translation():
    stack, truth = samples.drifting_cells(frames=5, size=(300, 360), rotation=0, scale=0)
    transforms = measure_transforms(stack, transform="translation")
    np.testing.assert_array_equal(transforms.matrices[:, :2, :2], np.tile(np.eye(2), (5, 1, 1)))
    assert corner_errors(transforms, truth["matrices"], stack.shape[1:]).max() < 0.05


def test_the_result_is_lazy_and_tells_its_transforms(drift):
    stack, _ = drift
    moved = register(stack, framing="common")
    assert moved.transforms is not None
    assert moved.dtype == stack.dtype
    assert len(moved.corrections) == 1


def test_bad_frames_are_flagged_and_left_out(drift):
    stack, truth = drift
    data = np.asarray(stack)[1:6, :170, :200].copy()  # what is looked for in vain takes long
    rng = np.random.default_rng(0)
    data[0] = rng.integers(0, 4000, data[0].shape)  # noise
    data[4] = 700  # flat
    moved = register(Stack.wrap(data))
    transforms = moved.transforms
    assert transforms.failed.tolist() == [True, False, False, False, True]
    good = ~transforms.failed
    errors = corner_errors(transforms, truth["matrices"][1:6], data.shape[1:])
    assert errors[good].max() < 0.12
    assert moved.used.tolist() == good.tolist()
    np.testing.assert_array_equal(moved[0], data[0])


def test_frames_lost_directly_are_found_over_their_neighbours():
    """A view that wanders so far that its ends share nothing with the reference."""
    rng = np.random.default_rng(1)
    import cv2

    wide = cv2.GaussianBlur(rng.normal(size=(160, 740)).astype(np.float32), (0, 0), 2)
    starts = [0, 130, 260, 390, 520]
    data = np.stack([wide[:, s : s + 220] for s in starts])
    transforms = measure_transforms(Stack.wrap(data), transform="translation")
    assert not transforms.failed.any()
    np.testing.assert_allclose(transforms.matrices[:, 0, 2], 260 - np.array(starts), atol=0.05)


def test_one_channel_or_all(drift):
    grey, truth = drift
    data = np.asarray(grey)
    noise = np.random.default_rng(0).integers(0, 4000, data.shape, np.uint16)
    for rgb, channels in ((True, [noise, data, noise]), (False, [data, noise])):
        stack = Stack.wrap(np.stack(channels, axis=3), rgb=rgb)
        transforms = measure_transforms(stack, channel=1 if rgb else 0)
        assert not transforms.failed.any()
        assert corner_errors(transforms, truth["matrices"], grey.shape[1:]).max() < 0.12
    colour = Stack.wrap(np.stack([data] * 3, axis=3))
    assert not measure_transforms(colour).failed.any()
    with pytest.raises(ValueError, match="channel 3 was asked for; the frames have 3, from 0"):
        measure_transforms(colour, channel=3)


def test_a_region_leaves_out_what_moves_otherwise(drift, tmp_path):
    stack, truth = drift
    data = np.asarray(stack).copy()
    data[:, :, 240:] = data[0, :, 240:]  # stands still, and would be taken for the scene
    region = np.zeros(stack.shape[1:], bool)
    region[:, :236] = True
    transforms = measure_transforms(Stack.wrap(data), region=region)
    assert not transforms.failed.any()
    assert corner_errors(transforms, truth["matrices"], stack.shape[1:]).max() < 0.4
    from napari_stack import write

    write(tmp_path / "region.png", region)
    from_file = measure_transforms(Stack.wrap(data), region=tmp_path / "region.png")
    assert from_file == transforms
    with pytest.raises(ValueError, match="the region has the size"):
        measure_transforms(stack, region=region[:10])
    with pytest.raises(ValueError, match="zero everywhere"):
        measure_transforms(stack, region=region & False)


def test_the_order_of_frames_permutes_the_result(drift):
    stack, _ = drift
    order = np.array([6, 2, 3, 0, 5, 1, 4])
    straight = measure_transforms(stack, reference=3)
    permuted = measure_transforms(stack.select(order), reference=2)
    np.testing.assert_array_equal(permuted.matrices, straight.matrices[order])


def test_workers_do_not_change_the_result(drift):
    stack, _ = drift
    one = measure_transforms(stack, run=Run(workers=1))
    three = measure_transforms(stack, run=Run(workers=3))
    np.testing.assert_allclose(one.matrices, three.matrices, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_types(drift, dtype):
    stack, truth = drift
    data = (np.asarray(stack) / 4095 * 255).astype(dtype)
    if dtype == np.float32:
        data = data / 1000 - 7  # negative, small
    transforms = measure_transforms(Stack.wrap(data))
    assert corner_errors(transforms, truth["matrices"], stack.shape[1:]).max() < 0.12


def test_one_frame_is_its_own_reference():
    stack = Stack.wrap(np.random.default_rng(0).random((1, 64, 64)))
    np.testing.assert_array_equal(measure_transforms(stack).matrices, [np.eye(3)])


def test_a_reference_without_structure_is_refused(drift):
    flat = Stack.wrap(np.full((3, 64, 64), 9, np.uint8))
    with pytest.raises(ValueError, match="the reference frame 1 holds no structure"):
        measure_transforms(flat)
    with pytest.raises(ValueError, match="reference 7 was asked for; the stack has 7 frames"):
        measure_transforms(drift[0], reference=7)


def test_frames_that_were_ticked_off_stay_off(drift):
    stack = replace(drift[0], used=np.arange(7) != 2)
    assert register(stack).used.tolist() == [True, True, False, True, True, True, True]


def test_one_thousand_pixels_with_noise_to_two_hundredths_of_a_pixel():
    """The bound of the project: similarity, 12 px, 2 degrees, 1 %, noise 5/255."""
    stack, truth = samples.drifting_cells(frames=4, size=(1024, 1024))
    errors = corner_errors(measure_transforms(stack), truth["matrices"], (1024, 1024))
    assert errors.sum() / 3 <= 0.02, errors  # the reference itself has none


def test_rays_are_clipped_from_drifting_frames():
    stack, truth = samples.cosmic_rays(frames=12, size=(176, 176))
    result = sigma_clip(register(stack), sigma=3)
    plain = np.asarray(stack).astype(float).mean(axis=0)
    inner = (slice(20, -20),) * 2
    error = np.abs(result.image - truth["clean"])[inner].mean()
    assert error < 0.8 * np.abs(plain - truth["clean"])[inner].mean()


def test_a_frame_that_is_not_used_is_no_reference(drift):
    data = np.asarray(drift[0])[1:6, :160, :190].copy()
    data[2] = np.random.default_rng(0).integers(0, 4000, data[2].shape)
    stack = replace(Stack.wrap(data), used=np.arange(5) != 2)
    transforms = measure_transforms(stack)
    assert transforms.failed.tolist() == [i == 2 for i in range(5)]


@pytest.mark.skipif(not DATA.exists(), reason="the sample files are not here")
@pytest.mark.parametrize("folder", ["focus_pcb", "handheld_burst", "sem_slices"])
def test_real_series_are_registered(folder):
    from napari_stack import read

    stack = read(DATA / folder)
    transforms = measure_transforms(stack, method="intensity", working_size=640)
    assert not transforms.failed.any()
    assert transforms.quality.min() > 0.3


def test_alpha_is_no_channel_to_measure_on():
    colours = ns.Stack.wrap(np.zeros((3, 64, 64, 4), np.uint8), rgb=True)
    for operator in (ns.register, ns.focus_stack):
        with pytest.raises(ns.UserError, match="channel 3 was asked for; the frames have 3"):
            operator(colours, channel=3)


def test_a_fourth_band_counts_unless_alpha_is_declared():
    weights = ChannelWeights(rgb=True, alpha=False)
    assert not weights.has_alpha((4, 5, 4))
    pixels = np.zeros((4, 5, 4), np.float32)
    pixels[..., 3] = 8
    colours, opacity, _ = weights.split(pixels, None)
    assert opacity is None
    np.testing.assert_array_equal(weights.grey(colours), 2)
    assert ChannelWeights(rgb=True, alpha=True).has_alpha((4, 5, 4))
