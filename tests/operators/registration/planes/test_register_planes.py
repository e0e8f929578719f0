"""Planes that jitter are steadied, and what slants stays slanted."""

from dataclasses import replace

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.notices import FailedFrames
from napari_stack.core.operator import Operator
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import CATALOGUE

SLOW = "ignore:planes also move slowly"
pytestmark = pytest.mark.filterwarnings(SLOW)


@pytest.fixture(scope="module")
def shaken():
    return samples.wobbling(14, (96, 104), 3)


@pytest.fixture(scope="module")
def steady(shaken):
    return ns.register_planes(shaken[0])


def found_jitter(transforms):
    return transforms.matrices[:, :2, 2]


def rms(values):
    return float(np.sqrt((values**2).mean()))


def rod_slopes(stack, rods):
    """Slope of each rod over the planes, from the centre of its light about where it should be."""
    places = np.empty(rods.shape)
    y, x = np.mgrid[: stack.shape[1], : stack.shape[2]]
    for number in range(len(stack)):
        values, valid = stack.read(number)
        counts = values if valid is None else np.where(valid, values, 0)
        for rod, at in enumerate(rods[:, number]):
            for _ in range(4):
                near = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 4.0**2))
                weight = near * np.maximum(counts - np.median(counts), 0)
                # Of a Gaussian seen through one of another width: its middle lies further out.
                seen = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
                at = at + (seen - at) * (1 + 3.0**2 / 4.0**2)
            places[rod, number] = at
    depth = np.arange(len(stack))
    return np.stack([np.polyfit(depth, rod, 1)[0] for rod in places])


def test_jitter_is_found_and_mean_and_slope_are_left(shaken, steady):
    truth = shaken[1]["jitter"]
    found = found_jitter(steady.transforms)
    assert rms(truth) > 0.8
    assert rms(np.diff(found - truth, 2, axis=0)) / np.sqrt(6) < 0.05
    assert rms(found - truth) < 0.25
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=0.02)
    assert np.abs(np.polyfit(np.arange(len(found)), found, 1)[0]).max() < 0.002
    assert not steady.transforms.failed.any()


def test_defects_of_the_sensor_and_rays_hide_no_jitter(shaken, steady):
    frames = np.asarray(shaken[0]).copy()
    frames[:, 40, 50] = frames.max() * 4
    frames[:, 70:72, 20:22] = frames.max()
    frames[np.arange(14), 20, np.arange(14) * 5 + 9] = frames.max()
    found = found_jitter(ns.measure_wobble(ns.Stack.wrap(frames)))
    assert rms(found - found_jitter(steady.transforms)) < 0.05


def test_a_small_region_is_enough(shaken, steady):
    region = np.zeros((96, 104), bool)
    region[20:66, 30:76] = True
    found = found_jitter(ns.measure_wobble(shaken[0], region=region))
    apart = found - found_jitter(steady.transforms)  # slow parts may differ
    assert rms(np.diff(apart, 2, axis=0)) / np.sqrt(6) < 0.3 * rms(found)


def test_planes_that_are_all_the_same_are_not_moved(shaken):
    same = np.repeat(np.asarray(shaken[0])[:1], 8, axis=0)
    with pytest.warns(UserWarning, match="none is moved") as told:
        found = ns.register_planes(ns.Stack.wrap(same)).transforms
    assert not found_jitter(found).any()
    assert told[0].filename == __file__


def test_a_tilted_rod_stays_tilted():
    _, truth = samples.wobbling(14, (96, 96), 5, rods=1, slope=(1.5, 0.6))
    bare = _without_spots(truth, 14, (96, 96))
    with pytest.warns(UserWarning, match="slanted structures look like it"):
        steady = ns.register_planes(bare)
    before, after = rod_slopes(bare, truth["rods"]), rod_slopes(steady, truth["rods"])
    np.testing.assert_allclose(before, [[1.5, 0.6]], rtol=0.01)
    np.testing.assert_allclose(after, [[1.5, 0.6]], rtol=0.01)
    assert rms(found_jitter(steady.transforms) - truth["jitter"]) < 0.1


def _without_spots(truth, planes, size):
    y, x = np.mgrid[: size[0], : size[1]]
    places = truth["rods"][0] + truth["jitter"]
    seen = 0.04 + 0.5 * np.stack(
        [np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 3.0**2)) for px, py in places]
    )
    noisy = np.random.default_rng(planes).poisson(seen * 400)
    return ns.Stack.wrap(noisy.astype(np.uint16))


@pytest.mark.parametrize("seed", [1, 2])
def test_planes_that_do_not_jitter_are_not_moved(seed):
    stack, _ = samples.wobbling(12, (64, 64), seed, jitter=0.0)
    with pytest.warns(UserWarning, match="none is moved"):
        moves = ns.measure_wobble(stack)
    assert not found_jitter(moves).any()


def test_a_short_period_leaves_slower_motion():
    stack, truth = samples.wobbling(16, (64, 64), 4)
    wanted = truth["jitter"]
    few = found_jitter(ns.measure_wobble(stack, period=3.0))
    many = found_jitter(ns.measure_wobble(stack, period=40.0))
    slow = np.stack([np.convolve(axis, np.ones(5) / 5, "valid") for axis in (few - many).T])
    assert rms(few) < rms(many)
    assert rms(many - wanted) < rms(few - wanted)
    assert np.abs(slow).max() > 0.1  # what the short period left is slow


def test_each_time_has_its_own_jitter_and_channels_share_it():
    made = [samples.wobbling(9, (64, 64), seed, jitter=2.0) for seed in (6, 7)]
    one = np.stack([np.asarray(stack) for stack, _ in made])
    data = ns.Hyperstack.wrap(np.stack([one, one[..., ::-1, :] // 2], axis=1), axes="tczyx")
    steady = data.map(ns.register_planes)
    moves = steady.frames.transforms.matrices[:, :2, 2].reshape(2, 2, 9, 2)
    np.testing.assert_array_equal(moves[:, 0], moves[:, 1])
    for time, (stack, truth) in enumerate(made):
        alone = found_jitter(ns.measure_wobble(stack))
        np.testing.assert_allclose(moves[time, 0], alone, atol=1e-9)
        assert rms(np.diff(alone - truth["jitter"], 2, axis=0)) / np.sqrt(6) < 0.1
    shared = data.map(ns.register_planes, measure_at={"t": 1})
    same = shared.frames.transforms.matrices[:, :2, 2].reshape(2, 2, 9, 2)
    np.testing.assert_allclose(same[0, 0], moves[1, 0], atol=1e-9)
    assert CATALOGUE["register_planes"].measures_apart
    assert not Operator(ns.register).measures_apart


def test_planes_without_structure_fail_and_are_told(shaken):
    data = np.asarray(shaken[0]).copy()
    rng = np.random.default_rng(0)
    data[12:] = rng.poisson(40, data[12:].shape)
    with pytest.warns(FailedFrames, match="like no plane near them: 12, 13"):
        moves = ns.measure_wobble(ns.Stack.wrap(data))
    assert moves.failed.tolist() == [False] * 12 + [True] * 2
    assert not found_jitter(moves)[12:].any()
    assert rms(np.diff((found_jitter(moves) - shaken[1]["jitter"])[:12], 2, axis=0)) < 0.2


def test_colours_regions_and_unused_planes(shaken):
    data = np.asarray(shaken[0])[:8, :64, :64]
    colour = ns.Stack.wrap(np.stack([data, data[..., ::-1], data], axis=-1).astype(np.float32))
    whole = ns.measure_wobble(ns.Stack.wrap(data.astype(np.float32)))
    np.testing.assert_allclose(
        ns.measure_wobble(colour, channel=2).matrices, whole.matrices, atol=1e-6
    )
    half = np.zeros(data.shape[1:], bool)
    half[:, :48] = True
    spoilt = data.copy()
    spoilt[:, :, 52:] = spoilt[:, ::-1, 52:].max()
    masked = ns.measure_wobble(ns.Stack.wrap(spoilt), region=half)
    assert rms(np.diff(found_jitter(masked) - found_jitter(whole), 2, axis=0)) < 0.5
    used = np.ones(8, bool)
    used[3] = False
    some = ns.measure_wobble(replace(ns.Stack.wrap(data), used=used))
    assert not found_jitter(some)[3].any()
    assert not some.failed.any()


def test_what_cannot_be_told_is_refused(shaken):
    few = ns.Stack.wrap(np.asarray(shaken[0])[:4])
    with pytest.raises(ValueError, match="5 are needed to tell jitter from slant"):
        ns.measure_wobble(few)
    noise = np.random.default_rng(0).poisson(50, (6, 48, 48)).astype(np.uint16)
    with pytest.raises(ValueError, match="which axis is that of the planes"):
        ns.measure_wobble(ns.Stack.wrap(noise))
    with pytest.raises(ValueError, match="period"):
        ns.measure_wobble(shaken[0], period=1.0)


def test_it_stops_when_asked(shaken):
    def tick(done, *_):
        if done > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        ns.measure_wobble(shaken[0], run=Run(tick=tick))


def test_recipes_save_what_was_measured_at_one_time(tmp_path):
    data = np.stack([np.asarray(samples.wobbling(9, (64, 64), s, jitter=2.0)[0]) for s in (6, 7)])
    hyper = ns.Hyperstack.wrap(data, axes="tzyx")
    with pytest.raises(ValueError, match="measures at each t for itself"):
        ns.Recipe([ns.Step("register_planes", transforms="moves.zarr")]).run(hyper, folder=tmp_path)
    step = ns.Step("register_planes", measure_at={"t": 1}, transforms="moves.zarr")
    ns.Recipe([step]).run(hyper, folder=tmp_path)
    alone = ns.measure_wobble(ns.Stack.wrap(data[1]))
    saved = ns.Transforms.load(tmp_path / "moves.zarr")
    np.testing.assert_allclose(saved.matrices, alone.matrices, atol=1e-9)
