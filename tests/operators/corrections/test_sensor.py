"""Corrections in a row: the sensor first, one pass over the pixels, and more axes than one."""

import pickle

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.options import options_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Bleaching,
    FlatField,
    Gains,
    HotPixels,
    Sigmoid,
    Transforms,
    Vignetting,
    apply_flat_field,
    apply_gains,
    apply_hot_pixels,
    apply_transforms,
    balance,
    combine,
    correct_bleaching,
    correct_vignetting,
    register,
    repair_hot_pixels,
)
from napari_stack.operators.corrections.pixelwise import FusedCorrections, parts_of
from napari_stack.operators.corrections.sensor import sensor_view
from napari_stack.operators.geometry.warp import Warp


def all_of_them(shape=(4, 50, 60), dtype=np.uint16):
    rng = np.random.default_rng(0)
    stack = Stack.wrap(rng.integers(500, 3000, shape).astype(dtype))
    size = shape[1:3]
    values = [
        HotPixels(rng.random(size) < 0.01),
        FlatField(False, rng.uniform(0.9, 1.1, size), np.full(size, 20)),
        Vignetting(False, size, "polynomial", [[[29.5, 24.5]]], [[[-0.5, -0.1, 0]]]),
        Bleaching(False, "ratio", *[rng.uniform(1, 2, (4, 1)) for _ in range(3)]),
        Gains(False, rng.uniform(0.5, 1.5, (4, 1))),
    ]
    return stack, values


def types(stack):
    return [[type(part) for part in parts_of(c)] for c in stack.corrections]


def test_pixelwise_corrections_are_one_pass_and_the_same_as_one_by_one():
    stack, values = all_of_them()
    chain = stack
    for value in values:
        chain = chain.corrected(value)
    assert types(chain) == [[HotPixels], [FlatField, Vignetting], [Bleaching, Gains]]
    pixels = stack.read(2)[0]
    for value in values:
        pixels, _ = value.apply(pixels, None, 2, slice(0, 50))
    np.testing.assert_array_equal(chain.read(2)[0], pixels)
    for rows in (slice(0, 5), slice(17, 44)):
        np.testing.assert_array_equal(chain.read(2, rows)[0], pixels[rows])
    assert chain.read(0)[0].dtype == np.float32
    assert chain[0].dtype == np.uint16


def test_the_order_of_asking_does_not_matter_to_the_sensor():
    stack, values = all_of_them()
    hot, flat, vignetting, bleaching, gains = values
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, :2, 2] = [[0, 0], [1.5, 2], [-3, 0.25], [0, 7]]
    early = stack
    for value in values:
        early = early.corrected(value)
    early = apply_transforms(early, Transforms(matrices))
    late = apply_transforms(stack.corrected(bleaching).corrected(gains), Transforms(matrices))
    for value in (hot, flat, vignetting):
        late = late.corrected(value)
    assert types(late) == types(early)
    np.testing.assert_array_equal(late[3], early[3])
    assert types(sensor_view(late)) == [[HotPixels], [FlatField, Vignetting]]


def test_chains_are_selected_pickled_and_left_intact():
    stack, values = all_of_them()
    for value in values:
        stack = stack.corrected(value)
    source = stack.source.data.copy()
    chosen = stack.select([3, 0])
    np.testing.assert_array_equal(chosen[0], stack[3])
    again = pickle.loads(pickle.dumps(stack))
    np.testing.assert_array_equal(again[1], stack[1])
    np.testing.assert_array_equal(stack.source.data, source)
    both = stack.corrections[2].join([stack.corrections[2]])
    assert isinstance(both, FusedCorrections)
    assert len(both.parts[0].gains) == 8
    np.testing.assert_array_equal(combine(again), combine(stack, run=Run(workers=1)))


def test_invalid_pixels_stay_invalid():
    data = np.full((2, 20, 30), 7.0, np.float32)
    data[:, 4, 5] = np.nan
    stack = repair_hot_pixels(Stack.wrap(data), mask=np.eye(20, 30) > 0)
    stack = balance(stack)
    assert np.isnan(stack[0][4, 5])
    assert np.isfinite(stack[0]).sum() == 599


@pytest.mark.parametrize("measure_each", [False, True])
def test_registered_hyperstacks_are_corrected_before_the_warp(measure_each):
    hyper, _ = samples.hyperstack(times=3, slices=2, size=(60, 80))
    moved = hyper.along("t").map(register)
    how = {"measure_each": measure_each}
    seen = moved.map(repair_hot_pixels, mask=np.eye(60, 80) > 0, **how)
    seen = seen.map(correct_vignetting, **how).map(correct_bleaching, method="ratio", **how)
    kinds = [[type(part) for part in parts_of(c)] for c in seen.frames.corrections]
    assert kinds == [[HotPixels], [Vignetting], [Warp], [Bleaching]]
    assert isinstance(seen, Hyperstack)
    assert np.asarray(seen).shape == hyper.shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_frames_seen_block_by_block_are_those_computed_as_a_whole(dtype, channels, monkeypatch):
    from napari_stack.core import stack as module
    from napari_stack.core.pixels.casting import cast

    rng = np.random.default_rng(0)
    shape = (40, 50)
    stack = Stack.wrap((rng.random((2, *shape, *channels)) * 200).astype(dtype))
    mask = rng.random(shape) < 0.1
    mask[8:12] = True  # across the border of two blocks
    stack = apply_hot_pixels(stack, HotPixels(mask))
    stack = apply_flat_field(stack, FlatField(False, rng.uniform(0.5, 1.5, shape)))
    stack = apply_gains(stack, Gains(False, [[1.2], [0.9]], mapping="gamma", top=200.0))
    monkeypatch.setattr(module, "_BLOCK", 10 * 50 * 4 * (3 if channels else 1))
    for index in range(2):
        values, valid = stack.read(index)
        np.testing.assert_array_equal(stack[index], cast(values, stack.dtype, valid))


@pytest.mark.parametrize(
    ("owner", "defaults"),
    [
        (balance, {"channels": "luminosity", "mapping": "linear", "mask_size": 0.0,
                   "intensity_min": 0.0, "intensity_max": -1.0, "subsample": 8}),
        (correct_vignetting, {"black_threshold": 1.0, "max_correction": 1.0, "each_frame": False}),
        (Sigmoid, {"r_steps": 100}),
        (repair_hot_pixels, {"method": "mean", "kernel_size": 3}),
    ],
)  # fmt: skip
def test_defaults_are_those_of_focusstack(owner, defaults):
    options = options_of(owner)
    assert {name: options[name].default for name in defaults} == defaults
