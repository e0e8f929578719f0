"""Rows of a warped frame, beside the same sums written in NumPy."""

import numpy as np
import pytest

from napari_stack.operators.geometry.warp_rows import Deformed, resample, warp_parts, warp_rows

TAPS = {"nearest": 1, "linear": 2, "cubic": 4, "lanczos": 6}


def similarity(x, y, degrees, scale=1.0):
    c, s = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


#: None of their positions lies in the middle between two pixels.
MATRICES = {
    "shift": similarity(3.37, -2.2, 0),
    "small turn": similarity(4, -3, 2, 1.02),
    "steep turn": similarity(70, 5, 80),
    "perspective": np.array([[1, 0.021, 1.013], [0.011, 1, -2.017], [1.0371e-3, 2.0113e-4, 1]]),
    "horizon": np.array([[1, 0.021, 1.013], [0.011, 1, -2.017], [-1.0371e-2, 2.0113e-3, 1]]),
}


def kernel(distance, taps):
    d = np.abs(distance)
    if taps == 1:
        return np.where(d <= 0.5, 1.0, 0.0)
    if taps == 2:
        return np.maximum(1 - d, 0)
    if taps == 4:
        near, far = 1 + d**2 * (1.5 * d - 2.5), 2 - d * (4 - d * (2.5 - 0.5 * d))
        return np.where(d < 1, near, np.where(d < 2, far, 0))
    return np.where(d < 3, np.sinc(d) * np.sinc(d / 3), 0)


def folded(numbers, last):
    """Whole numbers or positions mirrored at the outermost pixel centres."""
    rest = np.abs(numbers) % (2 * last)
    return np.minimum(rest, 2 * last - rest)


def along(places, side, taps, reflect):
    """Pixels that the taps at places read, and their weights, (places, taps)."""
    low = np.floor(places + 0.5 if taps == 1 else places).astype(int) - (taps - 1) // 2
    taken = low[:, None] + np.arange(taps)
    weights = np.ones(taken.shape) if taps == 1 else kernel(taken - places[:, None], taps)
    weights /= weights.sum(axis=1, keepdims=True)
    inner = folded(taken, side - 1) if reflect else np.clip(taken, 0, side - 1)
    return inner, weights


def reference(frame, matrix, taps, reflect):
    """The whole warped frame, and where it lies inside."""
    height, width = frame.shape[:2]
    y, x = np.mgrid[:height, :width]
    px, py, w = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    seen = w > 0
    px, py = (np.where(seen, p / np.where(seen, w, 1), -1e9) for p in (px, py))
    inside = (px >= 0) & (px <= width - 1) & (py >= 0) & (py <= height - 1)
    bring = folded if reflect else lambda p, last: np.clip(p, 0, last)
    columns, wx = along(bring(px, width - 1), width, taps, reflect)
    rows, wy = along(bring(py, height - 1), height, taps, reflect)
    pixels = frame.astype(np.float64)[rows[:, :, None], columns[:, None, :]]
    weights = (wy[:, :, None] * wx[:, None, :]).reshape(len(px), taps, taps)
    values = np.einsum("nij,nij...->n...", weights, pixels)
    return values.reshape(frame.shape), inside.reshape(height, width)


# Each of them is compiled: those of `test_warp`, and one of five channels.
@pytest.mark.parametrize("reflect", [False, True])
@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize(
    ("dtype", "channels", "interpolation"),
    [
        (np.uint16, (), "cubic"),
        (np.uint8, (3,), "cubic"),
        (np.float32, (), "lanczos"),
        (np.float32, (), "linear"),
        (np.float32, (), "nearest"),
        (np.float64, (), "cubic"),
    ],
)
def test_pixels_are_the_sums_that_numpy_makes(dtype, channels, interpolation, name, reflect):
    frame = np.random.default_rng(0).uniform(0, 250, (60, 200, *channels)).astype(dtype)
    expected, within = reference(frame, MATRICES[name], TAPS[interpolation], reflect)
    values, inside = warp_rows(
        frame, None, 0, 60, MATRICES[name], slice(0, 60), 200, interpolation, reflect
    )
    np.testing.assert_array_equal(inside, within)
    np.testing.assert_allclose(values, expected, atol=1e-2 if values.itemsize == 4 else 2e-4)


def test_only_what_counts_has_to_be_exact():
    frame = np.random.default_rng(1).uniform(0, 250, (60, 200, 3)).astype(np.uint8)
    place = (frame, None, 0, 60, similarity(-30, 12, 5), slice(0, 60), 200, "cubic", False)
    exact, inside, _ = warp_parts(*place)
    rough, also, _ = warp_parts(*place, rough=True)
    np.testing.assert_array_equal(also, inside)
    assert 0.2 < inside.mean() < 0.9
    np.testing.assert_array_equal(rough[inside], exact[inside])
    assert np.isin(rough[~inside], frame).all()


def test_a_pixel_that_does_not_count_takes_all_with_it_that_are_made_of_it():
    frame, valid = np.ones((40, 50, 3), np.uint8), np.ones((40, 50), bool)
    valid[20, 30] = False
    place = (0, 40, similarity(0.5, 0.25, 0), slice(0, 40), 50)
    *_, whole = warp_parts(frame, valid, *place, "cubic", False)
    assert {*map(tuple, np.argwhere(~whole))} == {
        (y, x) for y in range(18, 22) for x in range(28, 32)
    }


def test_lines_of_an_image_are_nan_within_the_margin_and_near_nan():
    image = np.random.default_rng(2).normal(size=(90, 260)).astype(np.float32)
    image[40, 100] = np.nan
    matrix, margin, lines = similarity(2.5, -1.25, 1), 6, np.r_[3:30, 38:90]
    found = resample(image, matrix, margin, lines)[lines]
    expected, _ = reference(image, matrix, 4, False)
    y, x = np.mgrid[:90, :260]
    px, py, _ = (matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])).reshape(3, 90, 260)
    inner = (px >= margin) & (px < 259 - margin) & (py >= margin) & (py < 89 - margin)
    expected[~inner] = np.nan
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected[lines]))
    np.testing.assert_allclose(found, expected[lines], atol=1e-5)


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_no_pixel_beyond_the_frame_is_read_where_a_row_meets_the_horizon(interpolation):
    memory = np.full((180, 200), np.nan, np.float32)
    frame = memory[60:120]
    frame[:] = np.random.default_rng(0).uniform(0, 250, frame.shape)
    for turned in (0, 1, 2):  # which side of the frame the horizon lies on
        matrix = MATRICES["horizon"] @ similarity(199, 59, 180) if turned else MATRICES["horizon"]
        matrix = similarity(199, 59, 180) @ matrix if turned == 2 else matrix
        values, _ = warp_rows(frame, None, 0, 60, matrix, slice(0, 60), 200, interpolation)
        assert np.isfinite(values).all()


# Each of them is compiled, which takes seconds: those of `test_deformation`, and the nearest pixel.
@pytest.mark.parametrize(
    ("interpolation", "channels"),
    [("nearest", ()), ("cubic", ()), ("lanczos", ()), ("cubic", (3,))],
)
def test_runs_of_a_scan_are_read_as_single_pixels_are(interpolation, channels):
    # Frames of which some pixels may not count are read pixel by pixel; the others in runs, which
    # take frames that are wider than a block of pixels.
    rng = np.random.default_rng(0)
    frame = rng.random((24, 400, *channels)).astype(np.float32)
    offsets = np.cumsum(rng.normal(0, 0.2, (24, 2)), axis=0)
    offsets[1::2, 0] += 3
    moved = Deformed(np.empty((0, 0, 2)), np.eye(3), offsets)
    common = (0, 24, similarity(1.37, -0.6, 0), slice(0, 24), 400, interpolation, False, False)
    values, inside, _ = warp_parts(frame, None, *common, moved)
    single, within, _ = warp_parts(frame, np.ones(frame.shape[:2], bool), *common, moved)
    np.testing.assert_allclose(values, single, atol=1e-6)
    np.testing.assert_array_equal(inside, within)
    assert inside.any()
    assert not inside.all()
