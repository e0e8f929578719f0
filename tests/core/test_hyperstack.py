"""`Hyperstack`: axes, positions, mapping, shared and separate corrections."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Transforms,
    apply_transforms,
    combine,
    focus_stack,
    register,
    sigma_clip,
)
from napari_stack.operators.corrections.sensor import sensor_view
from napari_stack.recipe import Step, images_of

DATA = np.random.default_rng(0).integers(0, 255, (3, 2, 4, 9, 8), np.uint8)
AXES = (
    Axis("t", 5.0, "s"),
    Axis("c"),
    Axis("z", 0.5, "um"),
    Axis("y", 0.1, "um"),
    Axis("x", 0.1, "um"),
)


def shifted(stack: Stack, *, pixels: int = 1, run: Run = Run()) -> Stack:
    matrices = np.tile(np.eye(3), (len(stack), 1, 1))
    matrices[:, 0, 2] = pixels * np.arange(len(stack)) + stack.read(0)[0][0, 0] * 0
    return apply_transforms(stack, Transforms(matrices), border="replicate")


def half_shifted(stack: Stack, *, run: Run = Run()) -> Stack:
    matrices = np.tile(np.eye(3), (len(stack), 1, 1))
    matrices[:, 0, 2] = [0.5, -0.5, 1.25, 0.0]
    return apply_transforms(stack, Transforms(matrices))


def first_pixel(stack: Stack, *, run: Run = Run()) -> Stack:
    """Make corrections that tell at which position they were measured."""
    matrices = np.tile(np.eye(3), (len(stack), 1, 1))
    matrices[:, 0, 2] = [stack[i][0, 0] % 3 for i in range(len(stack))]
    return apply_transforms(stack, Transforms(matrices), border="replicate")


def test_stacks_lie_along_the_chosen_axis():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="z")
    assert hyper.loops == {"t": 3, "c": 2}
    stack = hyper.stack({"t": 2, "c": 1})
    np.testing.assert_array_equal(np.asarray(stack), DATA[2, 1])
    assert [axis.name for axis in stack.axes] == ["z", "y", "x"]
    assert stack.axes[0].step == 0.5
    along_time = hyper.along("t")
    np.testing.assert_array_equal(np.asarray(along_time.stack({"z": 3, "c": 0})), DATA[:, 0, 3])
    assert [axis.name for axis in along_time.loop_axes] == ["c", "z", "y", "x"]
    assert hyper.along(1).axis == "c"
    np.testing.assert_array_equal(np.asarray(hyper), DATA)
    np.testing.assert_array_equal(hyper.to_dask().compute(scheduler="synchronous"), DATA)


def test_a_stack_answers_as_a_hyperstack_of_one_axis():
    stack = Stack.wrap(DATA[:, 0, 0])
    data = Hyperstack.wrap(DATA[:, 0, 0], axes=("frame", "y", "x"))
    assert isinstance(data, Hyperstack)
    for name in ("sizes", "axis", "number", "loops"):
        assert getattr(stack, name) == getattr(data, name), name
    assert [axis.name for axis in stack.leading] == [axis.name for axis in data.leading]
    assert stack.frames is stack
    half = stack.select([0, 2])
    assert stack.with_frames(half) is half
    other = Stack.wrap(255 - DATA[:, 0, 0])
    np.testing.assert_array_equal(np.asarray(data.with_frames(other)), 255 - DATA[:, 0, 0])


def test_a_position_not_named_is_the_centre():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="t")
    assert hyper.centre() == {"c": 0, "z": 2}
    np.testing.assert_array_equal(np.asarray(hyper.stack()), DATA[:, 0, 2])


def test_a_wrong_place_is_refused_by_name():
    hyper = Hyperstack.wrap(DATA, axes="tczyx", axis="z")
    with pytest.raises(ValueError, match="there is no axis 'q'; the axes are t, c, z"):
        hyper.along("q")
    with pytest.raises(ValueError, match="there is no loop 'z'; the loops are t, c"):
        hyper.stack({"z": 1})
    with pytest.raises(ValueError, match="t=3 is outside its 3 positions"):
        hyper.stack({"t": 3})
    with pytest.raises(ValueError, match="axes need different names"):
        Hyperstack.wrap(DATA, axes="ttzyx")


def test_images_are_made_at_every_position():
    seen = []
    run = Run(tick=lambda done, total, what: seen.append((done, total)))
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="z")
    means = hyper.map(combine, run=run)
    np.testing.assert_array_equal(means, np.rint(DATA.mean(axis=2)).astype(np.uint8))
    assert seen[-1] == (24, 24)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    focused = hyper.map(focus_stack)
    assert focused.image.shape == focused.depth.shape == (3, 2, 9, 8)


def test_corrections_measured_once_are_applied_to_all():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="t")
    moved = hyper.map(first_pixel, measure_at={"c": 1, "z": 3})
    shifts = DATA[:, 1, 3, 0, 0] % 3
    for t, shift in enumerate(shifts):
        expected = DATA[t][..., np.minimum(np.arange(8) + shift, 7)]
        np.testing.assert_array_equal(np.asarray(moved)[t], expected)
    # Another axis may be stacked now: the corrections stay with their frames.
    again = moved.along("z").map(combine)
    np.testing.assert_array_equal(again, np.rint(np.asarray(moved).mean(axis=2)).astype(np.uint8))


@pytest.mark.parametrize("operator", [combine, sigma_clip, focus_stack])
def test_reducers_get_working_values_and_what_is_valid(operator):
    """As for a plain stack: uncovered pixels do not count, and nothing is rounded before."""
    hyper = Hyperstack.wrap(DATA.astype(np.uint16) + 1000, axes=AXES, axis="z").map(half_shifted)
    found = hyper.map(operator, **({"sigma": 1.0} if operator is sigma_clip else {}))
    plain = half_shifted(Stack.wrap(DATA[2, 1].astype(np.uint16) + 1000))
    expected = operator(plain, **({"sigma": 1.0} if operator is sigma_clip else {}))
    for name, image in images_of(expected).items():
        np.testing.assert_array_equal(images_of(found)[name][2, 1], image)
    image = getattr(found, "image", found)
    assert image[2, 1].min() >= 1000


def test_an_operator_takes_the_axis_that_it_prefers_unless_one_was_chosen():
    hyper = Hyperstack.wrap(DATA, axes=AXES)
    assert hyper.map(focus_stack).image.shape == (3, 2, 9, 8)
    assert hyper.along("t").map(focus_stack).image.shape == (2, 4, 9, 8)
    assert hyper.map(combine).shape == (2, 4, 9, 8)
    with pytest.raises(ValueError, match="measure_at is for operators that correct frames"):
        hyper.map(combine, measure_at={"c": 1})


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="there is no axis 9; there are 3, from 0"):
        Hyperstack.wrap(DATA, axes="tczyx", axis=9)
    with pytest.raises(ValueError, match=r"do not fit the shape \(4, 9, 8\)"):
        Hyperstack.wrap(DATA[0, 0], axes="tczyx")
    with pytest.raises(TypeError, match=r"takes a Stack, got Hyperstack: use \.map\(combine"):
        combine(Hyperstack.wrap(DATA, axes=AXES))
    with pytest.raises(TypeError, match=r"combine takes a Stack, got ndarray: wrap an array first"):
        combine(DATA[0, 0])


def test_each_position_may_be_measured_for_itself():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="c")
    moved = np.asarray(hyper.map(first_pixel, measure_each=True))
    for place in np.ndindex(3, 2, 4):
        shift = DATA[place][0, 0] % 3
        expected = DATA[place][:, np.minimum(np.arange(8) + shift, 7)]
        np.testing.assert_array_equal(moved[place], expected)


def test_corrections_add_up_over_two_axes():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="t").map(shifted).along("z").map(shifted)
    assert len(hyper.frames.corrections) == 1
    moved = np.asarray(hyper)
    expected = DATA[2, 1, 3][:, np.minimum(np.arange(8) + 5, 7)]
    np.testing.assert_array_equal(moved[2, 1, 3], expected)


def test_colour_frames():
    data = np.zeros((2, 3, 5, 6, 3), np.uint8)
    hyper = Hyperstack.wrap(data, axes="tzyx", axis="z", rgb=True)
    assert hyper.shape == data.shape
    assert hyper.rgb
    assert hyper.map(combine).shape == (2, 5, 6, 3)


def test_axes_are_known_by_other_names_and_by_the_numbers_of_napari():
    hyper = Hyperstack.wrap(DATA, axes=("Time", "Channel", "Depth", "y", "x"))
    assert hyper.map(focus_stack).image.shape == (3, 2, 9, 8)
    assert hyper.centre() == {"Channel": 0, "Depth": 2}
    assert hyper.along("-3").axis == "Depth"
    assert hyper.along("-5").axis == "Time"
    np.testing.assert_array_equal(np.asarray(hyper.stack({"-4": 1, "-3": 0})), DATA[:, 1, 0])
    with pytest.raises(ValueError, match="there is no axis '-2'"):
        hyper.along("-2")


def test_depth_of_one_channel_for_all():
    data, _ = samples.hyperstack(times=2, slices=4, size=(64, 72))
    found = data.map(focus_stack, measure_at={"c": 1}, method="pyramid")
    alone = data.map(focus_stack, method="pyramid")
    assert found.image.shape == alone.image.shape == (2, 2, 64, 72)
    assert found.depth.shape == alone.depth.shape
    np.testing.assert_allclose(found.depth[:, 0], found.depth[:, 1])
    np.testing.assert_allclose(found.depth[:, 1], alone.depth[:, 1], atol=1e-4)
    np.testing.assert_array_equal(found.image[:, 1], alone.image[:, 1])
    assert (found.image[:, 0] != alone.image[:, 0]).any()
    step = Step("focus_stack", {"method": "pyramid"}, measure_at={"c": 1})
    np.testing.assert_array_equal(step.apply(data).image, found.image)
    assert Step.from_json(step.to_json()) == step
    with pytest.raises(ValueError, match="name that axis alone"):
        data.map(focus_stack, measure_at={"c": 1, "t": 0})
    with pytest.raises(ValueError, match="outside its 2 positions"):
        data.map(focus_stack, measure_at={"c": 2})
    with pytest.raises(ValueError, match="measure_at is for operators"):
        data.map(combine, measure_at={"c": 1})


def glimpses() -> np.ndarray:
    """(t, z, y, x) of cells that drift over t; each plane shows some of them, in other noise."""
    stack, _ = samples.drifting_cells(4, (96, 128), shift=6.0, rotation=0, scale=0)
    frames = np.asarray(stack).astype(float)
    y, x = np.mgrid[:96, :128]
    quarter = (y // 16 + 2 * (x // 16)) % 4
    planes = [np.where(quarter == z, frames, 300.0) for z in range(4)]
    noise = np.random.default_rng(0).normal(0, 60, (4, 4, 96, 128))
    return np.clip(np.stack(planes, axis=1) + noise, 0, 4095).astype(np.uint16)


@pytest.mark.parametrize("way", ["mean", "maximum"])
def test_drift_is_measured_on_a_projection(way: str):
    data = glimpses()
    hyper = Hyperstack.wrap(data, axes="tzyx")
    seen = hyper.stack({"z": way})
    projection = {"mean": np.mean, "maximum": np.max}[way](data, axis=1)
    for rows in (None, slice(3, 20)):
        values, valid = seen.read(1, rows)
        assert valid is None
        np.testing.assert_allclose(values, projection[1][rows or slice(None)], rtol=1e-6)
    moved = hyper.map(register, measure_at={"z": way}, transform="translation")
    alone = register(Stack.wrap(projection.astype(np.float32)), transform="translation")
    found = moved.stack({"z": 0}).transforms
    np.testing.assert_allclose(found.matrices, alone.transforms.matrices, atol=1e-6)
    np.testing.assert_array_equal(found.matrices, moved.stack({"z": 3}).transforms.matrices)
    assert np.asarray(moved).shape == data.shape
    again = Step("register", {"transform": "translation"}, measure_at={"z": way})
    assert Step.from_json(again.to_json()) == again
    np.testing.assert_array_equal(np.asarray(again.apply(hyper)), np.asarray(moved))


def test_projections_leave_out_what_is_not_valid():
    data = DATA.astype(np.float32)
    data[1, 0, :2, 3] = np.nan
    data[1, 0, :, 5, 5] = np.nan
    hyper = Hyperstack.wrap(data, axes=AXES, axis="t")
    kept = np.delete(data[1, 0].reshape(4, -1), 5 * 8 + 5, axis=1)
    for way, by_numpy in (("mean", np.nanmean), ("maximum", np.nanmax)):
        values, valid = hyper.stack({"z": way, "c": 0}).read(1)
        assert (~valid).sum() == 1
        assert not valid[5, 5]
        found = np.delete(values.ravel(), 5 * 8 + 5)
        np.testing.assert_allclose(found, by_numpy(kept, axis=0), rtol=1e-6)
    both = hyper.stack({"z": "maximum", "c": "mean"}).read(2)[0]
    np.testing.assert_allclose(both, data[2].mean(axis=0).max(axis=0), rtol=1e-6)
    used = replace(hyper.frames, used=np.arange(24) % 4 != 0)  # the first plane is ticked off
    left = replace(hyper, frames=used).stack({"z": "mean", "c": 1}).read(0)[0]
    np.testing.assert_allclose(left, data[0, 1, 1:].mean(axis=0), rtol=1e-6)


def test_corrections_of_the_sensor_look_below_a_warp_on_a_projection_too():
    hyper = Hyperstack.wrap(DATA, axes=AXES, axis="t").map(shifted)
    below = sensor_view(hyper.stack({"z": "maximum", "c": 1}))
    np.testing.assert_allclose(below.read(2)[0], DATA[2, 1].max(axis=0))


def test_a_projection_that_is_none_is_refused():
    hyper = Hyperstack.wrap(DATA, axes="tczyx", axis="t")
    with pytest.raises(ValueError, match="z='least' must be a number, or mean or maximum"):
        hyper.stack({"z": "least"})
    with pytest.raises(ValueError, match="there is no loop 'q'"):
        hyper.stack({"q": "mean"})
    along_z = hyper.along("z")
    with pytest.raises(ValueError, match=r"measures at one place of 'c'.*give its number"):
        along_z.map(focus_stack, measure_at={"c": "mean"})
    with pytest.raises(ValueError, match=r"measures at one place of .*give its number"):
        Step("focus_stack", measure_at={"c": "mean"})
