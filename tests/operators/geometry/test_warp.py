"""`Warp` and `apply_transforms`: exact positions, validity, framing, one interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_stack.core.pixels.casting import cast
from napari_stack.core.stack import Stack
from napari_stack.operators import (
    Constant,
    ReplicateBlurred,
    Transforms,
    apply_transforms,
    combine,
    sigma_clip,
)
from support.pixels import validity

Y, X = np.mgrid[:60, :80].astype(np.float64)


def shift(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def similarity(x, y, degrees, scale):
    angle = np.deg2rad(degrees)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


def parabola(x, y):
    """A surface of the second degree: cubic interpolation is exact on it."""
    return 3 + 0.5 * x - 0.2 * y + 0.01 * x * y + 0.004 * x**2 - 0.003 * y**2


def moved(matrix):
    points = np.stack([X.ravel(), Y.ravel(), np.ones(X.size)])
    x, y, w = matrix @ points
    return (x / w).reshape(X.shape), (y / w).reshape(X.shape)


@given(
    x=st.floats(-9, 9),
    y=st.floats(-9, 9),
    degrees=st.floats(-180, 180),
    scale=st.floats(0.7, 1.4),
)
@settings(max_examples=30, deadline=None)
def test_a_surface_of_the_second_degree_is_warped_exactly(x, y, degrees, scale):
    matrix = similarity(x, y, degrees, scale)
    stack = Stack.wrap(parabola(X, Y)[np.newaxis])
    warped = apply_transforms(stack, Transforms(matrix[np.newaxis]))
    px, py = moved(matrix)
    inner = (px >= 2) & (px <= 76) & (py >= 2) & (py <= 56)
    np.testing.assert_allclose(warped.read(0)[0][inner], parabola(px, py)[inner], atol=1e-9)
    values, valid = warped.read(0)
    inside = (px >= -1e-6) & (px <= 79 + 1e-6) & (py >= -1e-6) & (py <= 59 + 1e-6)
    found = validity(valid, values)
    assert (found == inside).mean() > 0.9999
    for rows in (slice(0, 7), slice(20, 41), slice(59, 60)):
        band, band_valid = warped.read(0, rows)
        np.testing.assert_array_equal(band, values[rows])
        np.testing.assert_array_equal(validity(band_valid, band), found[rows])


# Each of them is compiled: so every kernel, type and number of channels stands here once or twice.
KINDS = [
    ("nearest", np.float32, ()),
    ("linear", np.float32, ()),
    ("cubic", np.float32, ()),
    ("lanczos", np.float32, ()),
    ("cubic", np.uint8, ()),
    ("cubic", np.uint16, ()),
    ("cubic", np.uint8, (3,)),
    ("lanczos", np.uint16, (6,)),
]


@pytest.mark.parametrize(("interpolation", "dtype", "channels"), KINDS)
def test_a_whole_shift_moves_pixels_untouched(interpolation, dtype, channels):
    data = np.random.default_rng(0).integers(0, 255, (2, 20, 30, *channels)).astype(dtype)
    transforms = Transforms(np.stack([np.eye(3), shift(3, -4)]))
    warped = apply_transforms(Stack.wrap(data), transforms, interpolation=interpolation)
    np.testing.assert_array_equal(warped[0], data[0])
    np.testing.assert_array_equal(warped[1][4:, :27], data[1][:16, 3:])
    outside = warped[1][:4]
    assert np.isnan(outside).all() if dtype == np.float32 else (outside == 0).all()


def test_overshoot_is_clipped_to_the_type():
    data = np.zeros((1, 20, 20), np.uint8)
    data[:, :, 10:] = 255
    warped = apply_transforms(Stack.wrap(data), Transforms(shift(0.5, 0)[np.newaxis]))
    assert warped.read(0)[0].min() < -1
    assert set(np.unique(warped[0])) == {0, 128, 255}


def test_warps_in_a_row_are_one_interpolation():
    rng = np.random.default_rng(1)
    stack = Stack.wrap(rng.random((1, 60, 80)))
    there = Transforms(similarity(3.3, -2.1, 5, 1.02)[np.newaxis])
    back = Transforms(np.linalg.inv(there.matrices))
    both = apply_transforms(apply_transforms(stack, there), back)
    assert len(both.corrections) == 1
    np.testing.assert_allclose(both.read(0)[0], stack[0], atol=1e-9)


def test_merging_keeps_framing():
    data = np.random.default_rng(2).random((2, 60, 80))
    transforms = Transforms(np.stack([np.eye(3), shift(5, 3)]))
    framed = apply_transforms(Stack.wrap(data), transforms, framing="all")
    again = apply_transforms(framed, Transforms(np.stack([shift(1, 0)] * 2)))
    np.testing.assert_array_equal(again[0][:, :-1], framed[0][:, 1:])


def test_framings():
    data = np.ones((3, 60, 80), np.uint8)
    transforms = Transforms(np.stack([np.eye(3), shift(5, 3), shift(-2.5, 0)]))
    stack = Stack.wrap(data)
    assert apply_transforms(stack, transforms).shape == (3, 60, 80)
    common = apply_transforms(stack, transforms, framing="common")
    assert common.shape == (3, 57, 72)
    assert all(frame.min() == 1 for frame in common)
    everything = apply_transforms(stack, transforms, framing="all")
    assert everything.shape == (3, 63, 88)
    assert [int(frame.sum()) for frame in everything][:2] == [4800, 4800]
    far = Transforms(np.stack([np.eye(3), shift(500, 0), np.eye(3)]))
    with pytest.raises(ValueError, match="no part of the view is covered by all used frames"):
        apply_transforms(stack, far, framing="common")
    wrong = Transforms(np.stack([np.eye(3), shift(5e6, 0), np.eye(3)]))
    with pytest.raises(ValueError, match="the transforms look wrong"):
        apply_transforms(stack, wrong, framing="all")


def test_failed_frames_are_not_used_and_do_not_frame():
    failed = np.array([False, True, False])
    transforms = Transforms(np.stack([np.eye(3), shift(50, 0), shift(2, 0)]), failed=failed)
    stack = apply_transforms(Stack.wrap(np.ones((3, 60, 80))), transforms, framing="common")
    assert stack.used.tolist() == [True, False, True]
    assert stack.shape == (3, 60, 78)


def test_borders_do_not_leak_into_the_average():
    data = np.full((3, 20, 20), 100, np.uint8)
    transforms = Transforms(np.stack([shift(6, 0), shift(-6, 0), shift(30, 0)]))
    stack = apply_transforms(Stack.wrap(data), transforms)
    assert (combine(stack) == 100).all()
    assert (sigma_clip(stack, sigma=1.0).image == 100).all()
    only_one = apply_transforms(Stack.wrap(data[:1]), Transforms(shift(6, 0)[np.newaxis]))
    assert combine(only_one)[:, 14:].max() == 0
    held = apply_transforms(
        Stack.wrap(data[:1]), Transforms(shift(6, 0)[np.newaxis]), border="replicate"
    )
    assert (combine(held) == 100).all()


def test_nan_does_not_spread():
    data = np.ones((2, 20, 20), np.float32)
    data[0, 10, 10] = np.nan
    stack = apply_transforms(Stack.wrap(data), Transforms(np.stack([shift(0.5, 0.5)] * 2)))
    values, valid = stack.read(0)
    assert np.isfinite(values).all()
    assert (~valid[:-1, :-1]).sum() == 16  # all that cubic interpolation makes of that pixel
    assert (combine(stack)[:-1, :-1] == 1).all()


def test_a_perspective_is_warped_too():
    matrix = np.array([[1, 0.02, 1], [0.01, 1, -2], [1e-4, 2e-4, 1]])
    stack = Stack.wrap(parabola(X, Y)[np.newaxis])
    warped = apply_transforms(stack, Transforms(matrix[np.newaxis]))
    px, py = moved(matrix)
    inner = (px >= 2) & (px <= 76) & (py >= 2) & (py <= 56)
    np.testing.assert_allclose(warped.read(0)[0][inner], parabola(px, py)[inner], atol=1e-9)
    np.testing.assert_array_equal(warped.read(0, slice(9, 20))[0], warped.read(0)[0][9:20])


def test_wrong_numbers_are_refused():
    stack = Stack.wrap(np.ones((3, 6, 8)))
    with pytest.raises(ValueError, match="2 transforms do not fit a stack of 3 frames"):
        apply_transforms(stack, Transforms(np.stack([np.eye(3)] * 2)))
    with pytest.raises(ValueError, match="framing must be 'reference' or 'common' or 'all'"):
        apply_transforms(stack, Transforms(np.stack([np.eye(3)] * 3)), framing="none")


def _bands_are_the_whole(stack):
    values, valid = stack.read(0)
    for rows in (slice(0, 5), slice(11, 30), slice(59, 60)):
        band, band_valid = stack.read(0, rows)
        np.testing.assert_array_equal(band, values[rows])
        np.testing.assert_array_equal(validity(band_valid, band), validity(valid, values)[rows])
    return values, valid


@pytest.mark.parametrize(
    ("interpolation", "channels"),
    [
        ("nearest", ()),
        ("linear", ()),
        ("cubic", ()),
        ("lanczos", ()),
        ("cubic", (3,)),
    ],
)
@pytest.mark.parametrize(
    "border", ["invalid", "replicate", "reflect", Constant(7), ReplicateBlurred(4)]
)
def test_bands_are_the_same_as_the_whole(border, interpolation, channels):
    data = np.random.default_rng(3).random((1, 60, 80, *channels)).astype(np.float32)
    transforms = Transforms(similarity(12.3, -7.4, 8, 1.05)[np.newaxis])
    warped = apply_transforms(
        Stack.wrap(data), transforms, border=border, interpolation=interpolation
    )
    if isinstance(border, ReplicateBlurred):  # a blur sums in another order
        values, _ = warped.read(0)
        np.testing.assert_allclose(warped.read(0, slice(11, 30))[0], values[11:30], atol=1e-6)
    else:
        _bands_are_the_whole(warped)


def test_borders_are_filled_as_asked():
    data = np.tile(np.arange(80, dtype=np.float32), (1, 60, 1))
    stack, transforms = Stack.wrap(data), Transforms(shift(10, 0)[np.newaxis])
    expected = {
        "replicate": np.full(9, 79.0),
        "reflect": 79 - np.arange(1, 10),
        "constant": np.zeros(9),
        Constant(-3.5): np.full(9, -3.5),
    }
    for border, columns in expected.items():
        warped = apply_transforms(stack, transforms, border=border)
        values, valid = warped.read(0)
        assert valid is None
        np.testing.assert_allclose(values[:, 70:79], np.tile(columns[:9], (60, 1)), atol=1e-4)
        np.testing.assert_array_equal(values[:, :70], data[0, :, 10:])


def test_a_blurred_border_is_smooth_and_the_inside_is_untouched():
    data = np.random.default_rng(4).random((1, 60, 80)).astype(np.float32)
    stack, transforms = Stack.wrap(data), Transforms(shift(30, 0)[np.newaxis])
    plain = apply_transforms(stack, transforms, border="replicate").read(0)[0]
    blurred = apply_transforms(stack, transforms, border=ReplicateBlurred(5)).read(0)[0]
    np.testing.assert_array_equal(blurred[:, :50], plain[:, :50])
    assert blurred[:, 60:].std() < 0.5 * plain[:, 60:].std()


def test_a_filled_border_counts_where_pixels_of_the_frame_do_not():
    data = np.ones((1, 60, 80), np.float32)
    data[0, 30, 40] = np.nan
    transforms = Transforms(shift(10, 0)[np.newaxis])
    _, valid = apply_transforms(Stack.wrap(data), transforms, border=Constant(2)).read(0)
    assert (~valid).sum() == 1
    assert not valid[30, 30]


def test_lanczos_keeps_what_is_smooth():
    image = np.cos(2 * np.pi * (X + Y) / 6).astype(np.float32)
    matrix = similarity(3.3, 2.2, 4, 1.01)
    px, py = moved(matrix)
    inner = (px >= 4) & (px <= 74) & (py >= 4) & (py <= 54)
    truth = np.cos(2 * np.pi * (px + py) / 6)
    worst = {}
    for interpolation in ("linear", "cubic", "lanczos"):
        stack = apply_transforms(
            Stack.wrap(image[np.newaxis]),
            Transforms(matrix[np.newaxis]),
            interpolation=interpolation,
        )
        worst[interpolation] = np.abs(stack.read(0)[0] - truth)[inner].max()
    assert worst["lanczos"] < worst["cubic"] < worst["linear"]
    assert worst["lanczos"] < 0.05


@pytest.mark.parametrize(
    ("dtype", "channels", "interpolation", "border"),
    [
        ("uint16", (), "cubic", "invalid"),
        ("uint8", (3,), "cubic", "invalid"),
        ("uint8", (3,), "cubic", "replicate"),
        ("uint8", (3,), "cubic", "reflect"),
        ("uint8", (3,), "cubic", Constant(7.0)),
        ("uint16", (), "cubic", "replicate"),
    ],
)
def test_pixels_as_stored_give_what_floats_do(dtype, channels, interpolation, border):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(3)
    data = rng.integers(limits.min // 2, limits.max // 2, (1, 50, 140, *channels)).astype(dtype)
    transforms = Transforms(similarity(3.3, -2.1, 7, 1.02)[np.newaxis])
    how = {"interpolation": interpolation, "border": border}
    whole = apply_transforms(Stack.wrap(data, rgb=False), transforms, **how)
    floats = apply_transforms(Stack.wrap(data.astype(np.float32), rgb=False), transforms, **how)
    values, valid = whole.read(0)
    expected, also = floats.read(0)
    where = validity(valid, values)
    np.testing.assert_array_equal(where, validity(also, expected))
    np.testing.assert_array_equal(values[where], expected[where])
    np.testing.assert_array_equal(whole[0], cast(values, dtype, valid))
    rows = np.concatenate([whole.read(0, slice(a, a + 7))[0] for a in range(0, 49, 7)])
    np.testing.assert_array_equal(rows, whole.read(0)[0][:49])
