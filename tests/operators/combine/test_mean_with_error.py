"""`mean_with_error` against NumPy; the noise of a mean against what is expected."""

import re
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from napari_stack.cli import main
from napari_stack.core.stack import Stack
from napari_stack.operators import mean_with_error, noise_summary
from napari_stack.operators.combine.mean_with_error import Moments
from napari_stack.recipe.said import said_of
from napari_stack.recipe.step import Step


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_means_and_errors_are_those_of_numpy(dtype, channels):
    data = np.random.default_rng(0).uniform(50, 200, (9, 12, 14, *channels)).astype(dtype)
    found = mean_with_error(Stack.wrap(data), dtype="float64")
    np.testing.assert_allclose(found.image, data.mean(axis=0, dtype=float), rtol=1e-6)
    error = data.std(axis=0, ddof=1, dtype=float) / 3
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-4)
    assert (found.effective_frames == 9).all()
    assert (found.coverage == 9).all()
    assert mean_with_error(Stack.wrap(data)).image.dtype == dtype


def test_holes_unused_frames_and_weights():
    rng = np.random.default_rng(0)
    noise = np.array([2, 2, 20, 2, 2.0])[:, None, None]
    data = (100 + rng.normal(0, 1, (5, 60, 70)) * noise).astype(np.float32)
    data[1:, :5] = np.nan
    data[:, 7, 8] = np.nan
    found = mean_with_error(replace(Stack.wrap(data), used=np.arange(5) != 4))
    assert np.isnan(found.standard_error[:5]).all()
    assert (found.coverage[:5] == 1).all()
    assert (found.coverage[10:] == 4).all()
    assert np.isnan(found.image[7, 8])
    assert found.coverage[7, 8] == 0
    weighted = mean_with_error(Stack.wrap(data), weights="noise")
    inner = np.s_[10:, 10:]
    assert weighted.effective_frames[inner].mean() == pytest.approx(4, abs=0.2)
    assert np.std(weighted.image[inner]) < 0.4 * np.std(found.image[inner])
    # the errors told are those made
    told = np.sqrt(np.mean(weighted.standard_error[inner] ** 2))
    assert 0.5 * np.std(weighted.image[inner]) < told < 4 * np.std(weighted.image[inner])


def test_parts_that_are_merged_are_as_one():
    data = 1e6 + np.random.default_rng(0).normal(0, 1, (8, 5, 6))
    stack = Stack.wrap(data)
    whole, first, second = (Moments(dict.fromkeys(range(8), 1.0)) for _ in range(3))
    for k in range(8):
        whole.add(k, whole.prepare(stack, k))
        (first if k < 3 else second).add(k, whole.prepare(stack, k))
    first.merge(second)
    for one, other in zip(whole.result(), first.result(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_the_noise_of_a_mean_beside_what_is_expected():
    data = np.random.default_rng(0).normal(100, 8, (16, 120, 140)).astype(np.float32)
    stack = Stack.wrap(data)
    told = noise_summary(stack, mean_with_error(stack).image)
    assert told == "noise 0.25 of a frame's, 0.25 expected of 16 frames"


@pytest.mark.parametrize("frames", [4, 16])
def test_its_result_tells_the_noise_and_what_was_expected(frames):
    data = np.random.default_rng(0).normal(1000, 20, (frames, 60, 70)).astype(np.float32)
    step = Step("mean_with_error")
    (said,) = said_of(step, step.apply(Stack.wrap(data)))
    share, expected = (float(number) for number in re.findall(r"\d\.\d\d", said.text))
    assert said.text.endswith(f"expected of {frames} frames")
    assert expected == pytest.approx(frames**-0.5, abs=0.006)
    assert share == pytest.approx(expected, rel=0.12)


def test_of_one_frame_nothing_is_expected():
    data = np.random.default_rng(0).normal(1000, 20, (2, 20, 20)).astype(np.float32)
    step, stack = Step("mean_with_error"), Stack.wrap(data)
    assert not said_of(step, step.apply(replace(stack, used=np.array([True, False]))))


@pytest.mark.parametrize(
    ("operator", "options", "expected"),
    [("combine", {}, 0.25), ("combine", {"method": "median"}, 0.31), ("sigma_clip", {}, 0.25)],
)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_averages_tell_their_noise_too(operator, options, expected, dtype):
    data = np.random.default_rng(0).normal(1000, 40, (16, 90, 100)).astype(dtype)
    step, stack = Step(operator, options), Stack.wrap(data)
    last = said_of(step, step.apply(stack), stack)[-1].text
    share, told = (float(number) for number in re.findall(r"\d\.\d\d", last))
    assert "of a frame's (measured on 3), " in last
    assert told == pytest.approx(expected, abs=0.006)
    assert share == pytest.approx(expected, rel=0.12)


def test_averages_whose_noise_tells_nothing_are_silent():
    data = np.random.default_rng(0).normal(1000, 40, (4, 40, 50))
    stack = Stack.wrap(data)
    for method in ("sum", "maximum", "weighted mean"):
        step = Step("combine", {"method": method})
        assert not said_of(step, step.apply(stack), stack)
    still, step = Stack.wrap(np.zeros((4, 40, 50))), Step("combine")
    assert not said_of(step, step.apply(still), still)
    one = replace(stack, used=np.array([True, False, False, False]))
    assert not said_of(step, step.apply(one), one)
    assert not said_of(step, step.apply(stack))  # the frames are not at hand


def test_the_command_line_tells_the_noise(tmp_path, capsys):
    frames = np.random.default_rng(0).normal(1000, 40, (9, 60, 70)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "frames.tif", frames)
    for command in ("combine", "sigma-clip"):
        target = tmp_path / f"{command}.tif"
        assert main([command, str(tmp_path / "frames.tif"), "-o", str(target)]) == 0
        assert re.search(
            r"Noise 0\.3\d of a frame's .*, 0\.3[34] expected", capsys.readouterr().out
        )
