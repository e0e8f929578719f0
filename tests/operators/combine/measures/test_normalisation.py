"""Levels of frames and their noise, against known ones."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import combine, sigma_clip
from napari_stack.operators.combine.measures.normalisation import measure_level, measure_noise


def noisy(sigmas, dtype=np.float32, size=120):
    rng = np.random.default_rng(7)
    scene = np.add.outer(np.sin(np.arange(size) / 9), np.cos(np.arange(size) / 7)) * 300 + 2000
    return np.array([scene + rng.normal(0, s, scene.shape) for s in sigmas]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_noise_is_measured(dtype):
    stack = Stack.wrap(noisy([5, 20, 60], dtype))
    found = np.sqrt([measure_noise(stack, i) for i in range(3)])
    np.testing.assert_allclose(found, [5, 20, 60], rtol=0.05)


def test_noise_is_measured_in_colour_and_beside_holes():
    grey = noisy([5, 20])
    grey[:, 40:60] = np.nan
    colour = np.stack([grey, grey, grey], axis=-1)
    for data in (grey, colour):
        found = np.sqrt([measure_noise(Stack.wrap(data), i) for i in range(2)])
        np.testing.assert_allclose(found, [5, 20], rtol=0.06)
    assert measure_noise(Stack.wrap(np.full((2, 9, 9), np.nan)), 0) == np.inf
    assert measure_noise(Stack.wrap(np.zeros((2, 2, 9))), 0) == 1.0


def test_a_weighted_mean_has_less_noise():
    sigmas = [4, 40, 40, 40]
    data = noisy(sigmas)
    scene = noisy([0])[0]
    weighted = combine(Stack.wrap(data), method="weighted mean") - scene
    plain = combine(Stack.wrap(data)) - scene
    best = 1 / np.sqrt(sum(1 / s**2 for s in sigmas))
    assert weighted.std() < 1.05 * best < plain.std() / 2


def test_frames_without_noise_count_alike():
    data = np.arange(3.0).reshape(3, 1, 1) * np.ones((1, 8, 8))
    assert (combine(Stack.wrap(data), method="weighted mean") == 1).all()


def levelled(how):
    scene = np.random.default_rng(1).normal(1000, 50, (80, 90))
    return {
        "additive": [scene, scene + 300, scene - 200],
        "multiplicative": [scene, scene * 3, scene * 0.25],
        "both": [scene, scene * 3 + 500, scene * 0.25 - 40],
    }[how]


@pytest.mark.parametrize("how", ["additive", "multiplicative", "both"])
@pytest.mark.parametrize("colours", [False, True])
@pytest.mark.parametrize("operator", [combine, sigma_clip])
def test_frames_are_brought_to_the_level_of_the_first(how, colours, operator):
    data = np.array(levelled(how))
    if colours:
        data = np.stack([data, data[::-1], 2 * data], axis=-1)
    options = {"iterations": 0} if operator is sigma_clip else {}
    found = operator(Stack.wrap(data), normalisation=how, **options)
    image = found if operator is combine else found.image
    np.testing.assert_allclose(image, data[0], rtol=1e-9)


def test_levels_are_those_of_the_first_used_frame_and_leave_alpha():
    data = np.stack([*levelled("additive")], axis=0)[..., np.newaxis].repeat(4, axis=3)
    data[..., 3] = 1.0
    stack = replace(Stack.wrap(data, rgb=True), used=np.array([False, True, True]))
    image = combine(stack, normalisation="additive", method="median")
    np.testing.assert_allclose(image[..., :3], data[1, ..., :3])
    assert (image[..., 3] == 1).all()


def test_levels_of_which_no_ratio_can_be_made_are_refused():
    data = np.zeros((3, 8, 8), np.float32) + 1
    with pytest.raises(
        ValueError, match=r"the spread .* of frame 0 is 0.*normalisation='additive'"
    ):
        combine(Stack.wrap(data), normalisation="both")
    data[2] = -1
    with pytest.raises(ValueError, match="the median of frame 2 is -1, of which no ratio"):
        combine(Stack.wrap(data), normalisation="multiplicative")
    data[1] = np.nan
    with pytest.raises(ValueError, match="frame 1 has no valid pixel"):
        combine(Stack.wrap(data), normalisation="additive")


def test_progress_goes_from_start_to_end():
    ticks = []
    run = Run(tick=lambda done, total, what: ticks.append(done / total))
    stack = Stack.wrap(noisy([3, 4, 5]))
    combine(stack, method="weighted mean", normalisation="additive", run=run)
    assert ticks == sorted(ticks)
    assert (ticks[0], ticks[-1]) == (0, 1)


@pytest.mark.parametrize("how", ["additive", "multiplicative", "both"])
@pytest.mark.parametrize("dtype", [np.float32, np.uint16])
def test_levels_of_frames_that_are_padded_with_zeros(how, dtype):
    data = (1000 + np.random.default_rng(0).normal(0, 5, (10, 100, 100))).astype(dtype)
    data[1:, :, :60] = 0
    with pytest.warns(UserWarning, match=r"9 of 10 frames are padded with zeros \(up to 60%\)"):
        found = sigma_clip(
            Stack.wrap(data), normalisation=how, centre="median", spread="MAD", sigma=3
        )
    assert abs(found.image[:, 70:].mean() - 1000) < 3


def test_a_background_of_zeros_is_no_padding():
    rng = np.random.default_rng(0)
    data = np.maximum(rng.normal(0, 5, (4, 60, 70)), 0).astype(np.float32)
    data[:, 20:30, 20:40] += 200
    levels = measure_level(Stack.wrap(data), 0)
    assert levels[0, 0] == pytest.approx(np.median(data[0]))
