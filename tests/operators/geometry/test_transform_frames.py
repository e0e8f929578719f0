"""`transform_frames`: exact turns, Pillow's results, pixel sizes, rows, validity."""

import numpy as np
import pytest
from PIL import Image

import napari_stack as ns
from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.options import options_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Box,
    ByFactor,
    ToFit,
    ToSize,
    Transforms,
    apply_transforms,
    combine,
    transform_frames,
)
from napari_stack.recipe import Step

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "linear": Image.Resampling.BILINEAR,
    "cubic": Image.Resampling.BICUBIC,
}


def frames(*shape, dtype="uint16", seed=1):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


@pytest.mark.parametrize("quarters", [-1, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_quarter_turns_move_pixels_as_they_are(quarters, dtype):
    pixels = frames(2, 20, 31, dtype=dtype)
    turned = transform_frames(Stack.wrap(pixels), rotate=90.0 * quarters, grow=True)
    np.testing.assert_array_equal(np.asarray(turned), np.rot90(pixels, quarters, axes=(1, 2)))


@pytest.mark.parametrize("degrees", [45, -30, 200.5])
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_rotation_is_that_of_pillow(degrees, interpolation):
    y, x = np.mgrid[:60, :81]
    pixels = (127 + 60 * np.sin(x / 9) + 60 * np.cos(y / 11)).astype(np.float32)
    expected = Image.fromarray(pixels).rotate(degrees, FILTERS[interpolation])
    stack = transform_frames(
        Stack.wrap(pixels[np.newaxis]), rotate=degrees, interpolation=interpolation
    )
    values, valid = stack.read(0)
    inner = np.hypot(x - 40, y - 29.5) < 26
    assert valid[inner].all()
    assert not valid[0, 0]
    error = np.abs(values - np.asarray(expected))[inner]
    # Pillow picks the other neighbour where two are as near, and its cubic has a = -1.
    assert np.quantile(error, 0.99) < {"nearest": 8, "linear": 0.1, "cubic": 1.2}[interpolation]


def test_a_grown_canvas_holds_the_whole_frame():
    pixels = np.ones((1, 40, 60), np.float32)
    grown = transform_frames(Stack.wrap(pixels), rotate=30, grow=True)
    assert grown.shape[1:] == (65, 72)  # 40 cos 30 + 60 sin 30, 60 cos 30 + 40 sin 30
    _, valid = grown.read(0)
    assert 0.93 < valid.sum() / 2400 < 1


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("size", [(20, 13), (97, 120), (60, 81), (7, 200)])
@pytest.mark.parametrize("colours", [(), (3,)])
def test_resizing_is_that_of_pillow(interpolation, size, colours):
    pixels = 80 + frames(1, 60, 81, *colours, dtype="uint8") // 3  # overshoots, without clipping
    method = ToSize(width=size[1], height=size[0])
    resized = transform_frames(Stack.wrap(pixels), resize=method, interpolation=interpolation)
    expected = np.asarray(Image.fromarray(pixels[0]).resize(size[::-1], FILTERS[interpolation]))
    difference = resized[0].astype(int) - expected
    assert np.abs(difference).max() <= 1  # Pillow rounds between the two directions


def test_shrinking_leaves_nothing_to_alias():
    stripes = np.tile(np.float32([0, 200]), (1, 64, 32))
    thumbnail = transform_frames(Stack.wrap(stripes), resize=ToFit(width=16, height=16))
    assert thumbnail.shape == (1, 16, 16)
    np.testing.assert_allclose(np.asarray(thumbnail)[:, 2:-2, 2:-2], 100, atol=1)


@pytest.mark.parametrize(
    ("method", "shape"),
    [
        (ByFactor(0.5), (30, 40)),
        (ByFactor(2.0), (120, 160)),
        ("by factor", (30, 40)),
        (ToFit(40, 40), (30, 40)),
        (ToFit(400, 400), (60, 80)),
        (ToSize(10, 50), (50, 10)),
        ("none", (60, 80)),
    ],
)
def test_sizes(method, shape):
    stack = Stack.wrap(frames(2, 60, 80), axes=(Axis("z"), Axis("y", 0.5, "um"), Axis("x")))
    resized = transform_frames(stack, resize=method)
    assert resized.shape[1:] == shape
    assert np.asarray(resized).shape == (2, *shape)
    assert resized.axes[1].step == 0.5 * 60 / shape[0]
    middle = (60 / shape[0] - 1) / 2  # of the first pixel, in pixels as they were
    assert resized.axes[1].start == pytest.approx(0.5 * middle)
    assert resized.axes[2].step == pytest.approx(80 / shape[1])


@pytest.mark.parametrize(
    ("interpolation", "channels"), [("nearest", ()), ("linear", ()), ("cubic", (3,))]
)
@pytest.mark.parametrize("factor", [0.23, 0.5, 1.7])
def test_rows_alone_are_those_of_the_whole(interpolation, channels, factor):
    stack = transform_frames(
        Stack.wrap(frames(1, 90, 50, *channels, dtype="float32")),
        rotate=10, crop=Box(2, 3, 45, 80), resize=ByFactor(factor), interpolation=interpolation,
    )  # fmt: skip
    values, valid = stack.read(0)
    for rows in (slice(0, 3), slice(5, 11), slice(stack.shape[1] - 1, stack.shape[1])):
        part, part_valid = stack.read(0, rows)
        np.testing.assert_allclose(part, values[rows], atol=1e-3)
        expected = np.ones(part.shape[:2], bool) if valid is None else valid[rows]
        found = np.ones(part.shape[:2], bool) if part_valid is None else part_valid
        np.testing.assert_array_equal(found, expected)


def test_a_crop_is_a_part_and_joins_with_a_registration():
    pixels = frames(3, 60, 80)
    cropped = transform_frames(Stack.wrap(pixels), crop=Box(10, 40, 75))
    np.testing.assert_array_equal(np.asarray(cropped), pixels[:, 40:, 10:75])
    assert cropped.corrections[-1].origin == (10, 40)  # by which a viewer moves the view
    shift = np.tile(np.eye(3), (3, 1, 1))
    shift[:, 0, 2] = 0.5
    registered = apply_transforms(Stack.wrap(pixels), Transforms(shift))
    joined = transform_frames(registered, rotate=5, crop=Box(10, 10, 50, 50))
    assert len(joined.corrections) == 1
    with pytest.raises(ValueError, match="columns 10 to 90 and rows 0 to 60 are no part"):
        transform_frames(Stack.wrap(pixels), crop=Box(right=90, left=10))


def test_a_rotated_and_cropped_view_knows_where_it_lies():
    """Its middle is where the middle of that part of the turned frame was."""
    stack = Stack.wrap(frames(2, 40, 60))
    assert transform_frames(stack, rotate=30, grow=True).corrections[0].origin == (-6, -12.5)
    both = transform_frames(stack, rotate=30, grow=True, crop=Box(10, 20, 30, 50)).corrections[0]
    assert (both.origin, both.size) == ((4, 7.5), (30, 20))
    # Cropping the grown view by itself gives the same pixels.
    grown = transform_frames(stack, rotate=30, grow=True)
    part = transform_frames(grown, crop=Box(10, 20, 30, 50))
    assert part.corrections[0].origin == (10, 20)
    again = transform_frames(stack, rotate=30, grow=True, crop=Box(10, 20, 30, 50))
    np.testing.assert_array_equal(np.asarray(part), np.asarray(again))


def test_a_quarter_turn_swaps_the_sides_of_a_pixel():
    axes = (Axis("t"), Axis("y", 2.0, "um"), Axis("x", 0.5, "um"))
    stack = Stack.wrap(frames(2, 20, 30), axes=axes)
    for degrees, steps in [(90, (0.5, 2.0)), (-90, (0.5, 2.0)), (180, (2.0, 0.5)), (5, (2.0, 0.5))]:
        turned = transform_frames(stack, rotate=degrees, grow=True)
        assert tuple(axis.step for axis in turned.axes[1:]) == steps


def test_a_single_frame_can_be_turned():
    pixels = frames(1, 20, 30)
    turned = Step("transform_frames", {"rotate": 180.0}).apply(Stack.wrap(pixels))
    np.testing.assert_array_equal(np.asarray(turned), pixels[:, ::-1, ::-1])


def test_what_does_not_count_stays_so():
    pixels = np.full((2, 40, 40), 100.0, np.float32)
    pixels[0, 20, 20] = np.nan
    stack = transform_frames(Stack.wrap(pixels), resize=ByFactor(0.5), interpolation="linear")
    _, valid = stack.read(0)
    assert not valid[10, 10]
    assert valid.sum() >= 400 - 16
    assert stack.read(1)[1] is None
    np.testing.assert_allclose(combine(stack), 100)


def test_nothing_to_do_hands_the_stack_through():
    stack = Stack.wrap(frames(2, 20, 30))
    assert transform_frames(stack, rotate=360).corrections == ()
    with pytest.raises(ValueError, match="rotate must be"):
        transform_frames(stack, rotate=400)
    with pytest.raises(ValueError, match="factor must be"):
        ByFactor(0.0)


def test_a_hyperstack_keeps_its_pixel_size():
    axes = (Axis("c"), Axis("z"), Axis("y", 0.5, "um"), Axis("x", 0.5, "um"))
    pixels = frames(2, 3, 20, 30)
    step = Step("transform_frames", {"resize": ByFactor(0.5)})
    result = step.apply(Hyperstack.wrap(pixels, axes=axes), run=Run())
    assert result.shape == (2, 3, 10, 15)
    # The first pixel is the mean of two: its middle lies between theirs.
    assert result.axes[2:] == (Axis("y", 1.0, "um", start=0.25), Axis("x", 1.0, "um", start=0.25))
    again = Step.from_json(step.to_json())
    assert again == step
    assert all(option.text.endswith(".") for option in options_of(transform_frames).values())


def test_lanczos_resizes_too():
    """A smooth wave keeps its values at any size: enlarged, and shrunk without aliasing."""
    x = np.linspace(0, 4 * np.pi, 120)
    wave = np.tile(100 + 50 * np.sin(x), (3, 40, 1)).astype(np.float32)
    for width in (240, 60):
        found = ns.transform_frames(
            ns.Stack.wrap(wave), resize=ns.ToSize(width, 40), interpolation="lanczos"
        )[1]
        places = (np.arange(width) + 0.5) * 120 / width - 0.5
        expected = np.interp(places, np.arange(120), wave[0, 0])
        np.testing.assert_allclose(found[20, 8:-8], expected[8:-8], atol=0.5)


REGISTERED = {"interpolation": "lanczos", "border": "replicate"}


def registered(stack, **how):
    """Frames moved by some pixels and a half, so that their borders are bare."""
    shifts = np.tile(np.eye(3), (len(stack), 1, 1))
    shifts[:, 0, 2] = 3.5 * np.arange(len(stack))
    return ns.apply_transforms(stack, ns.Transforms(shifts), **how)


def random_stack():
    pixels = np.random.default_rng(3).uniform(0, 200, (3, 30, 40)).astype(np.float32)
    return ns.Stack.wrap(pixels)


@pytest.mark.parametrize(
    "options",
    [{"crop": ns.Box(2, 3, 39, 28)}, {"rotate": 90.0, "grow": True}, {"rotate": 180.0}],
)
def test_a_crop_keeps_how_frames_were_registered(options):
    stack = random_stack()
    moved = registered(stack, **REGISTERED)
    found = ns.transform_frames(moved, **options)
    assert len(found.corrections) == 1  # pixels are interpolated once
    expected = ns.transform_frames(ns.Stack.wrap(np.asarray(moved)), **options)
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), atol=1e-3)
    assert found.read(2)[1] is None  # what was filled counts


BORDERS = ["invalid", "replicate", "reflect", ns.Constant(7)]


@pytest.mark.parametrize("first", BORDERS, ids=str)
@pytest.mark.parametrize("second", BORDERS, ids=str)
def test_borders_of_two_warps_are_those_of_one_after_the_other(first, second):
    """What the first leaves invalid stays so, and what it fills stays, whatever the second does."""
    stack = random_stack()
    shifts = np.tile(np.eye(3), (len(stack), 1, 1))
    shifts[:, :2, 2] = (3, 2)
    one = ns.apply_transforms(stack, ns.Transforms(shifts), border=first)
    two = ns.apply_transforms(one, ns.Transforms(shifts), border=second)
    apart = ns.apply_transforms(
        ns.Stack.wrap(np.asarray(one)), ns.Transforms(shifts), border=second
    )
    counts = np.full(stack.shape[1:], second != "invalid")  # beyond the frames of the second
    counts[:-2, :-3] = first != "invalid"  # beyond those of the first
    counts[:-4, :-6] = True
    values, valid = two.read(1)
    np.testing.assert_array_equal(np.ones_like(counts) if valid is None else valid, counts)
    if first in ("invalid", second):  # then a border is made of the frames as recorded
        counts[-4:] = counts[:, -6:] = False
    np.testing.assert_allclose(values[counts], apart[1][counts], atol=1e-3)


def test_of_two_kernels_the_wider_is_taken():
    moved = registered(random_stack(), interpolation="lanczos")
    (warp,) = ns.transform_frames(moved, rotate=10.0).corrections
    assert warp.interpolation == "lanczos"
    moved = registered(random_stack(), interpolation="nearest")
    (warp,) = ns.transform_frames(moved, rotate=10.0, interpolation="linear").corrections
    assert warp.interpolation == "linear"


def test_corners_laid_bare_do_not_count_beside_a_border_that_was_filled():
    moved = registered(random_stack(), **REGISTERED)
    found = ns.transform_frames(moved, rotate=45.0, grow=True)
    values, valid = found.read(0)
    assert not valid[0, 0]
    assert not valid[-1, -1]
    assert valid[values.shape[0] // 2, values.shape[1] // 2]
