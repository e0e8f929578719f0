"""`drizzle` against overlaps worked out pixel by pixel, known scenes, and bad input."""

import numpy as np
import pytest

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import Transforms, apply_transforms, combine, drizzle, sharpen

quiet = pytest.mark.filterwarnings("ignore:the finer grid gains nothing")


def moved(data, shifts, turn=0.0):
    """Frames with known motion: a point p of the view lies at p + shift in the frame."""
    matrices = np.tile(np.eye(3), (len(data), 1, 1))
    matrices[:, :2, 2] = shifts
    c, s = np.cos(turn), np.sin(turn)
    matrices[1::2, :2, :2] = [[c, -s], [s, c]]
    return apply_transforms(Stack.wrap(data), Transforms(matrices))


def shares(length, size, shift, scale, pixfrac):
    """How much of each drop, along one axis, lies in each pixel of the grid: (grid, length)."""
    begin = (np.arange(length) - shift + 0.5 - pixfrac / 2) * scale
    cells = np.arange(size)[:, None]
    inside = np.minimum(begin + pixfrac * scale, cells + 1) - np.maximum(begin, cells)
    return np.maximum(inside, 0) / (pixfrac * scale)


def worked_out(data, shifts, scale, pixfrac):
    height, width = data.shape[1:3]
    grid = round(height * scale), round(width * scale)
    total, weights = np.zeros(grid), np.zeros(grid)
    for frame, (dx, dy) in zip(data, shifts, strict=True):
        rows = shares(height, grid[0], dy, scale, pixfrac)
        columns = shares(width, grid[1], dx, scale, pixfrac)
        total += rows @ frame @ columns.T
        weights += rows @ np.ones(frame.shape) @ columns.T
    return total, weights


@quiet
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("scale", "pixfrac"), [(2, 0.7), (3, 1.0), (1.5, 0.5)])
def test_drops_of_shifted_frames_are_those_worked_out(dtype, scale, pixfrac):
    rng = np.random.default_rng(0)
    data = rng.uniform(10, 250, (16, 30, 40)).astype(dtype)
    shifts = rng.uniform(-2, 2, (16, 2))
    found = drizzle(moved(data, shifts), scale=scale, pixfrac=pixfrac)
    total, weights = worked_out(data.astype(float), shifts, scale, pixfrac)
    np.testing.assert_allclose(found.weights, weights * scale**2, rtol=1e-4, atol=1e-4)
    there = weights > 1e-3
    np.testing.assert_allclose(found.image[there], (total / weights)[there], rtol=1e-4)
    assert found.image.shape == (30 * scale, 40 * scale)
    assert np.median(found.weights) == pytest.approx(16, rel=0.2)


@quiet
def test_drops_of_turned_frames_cover_exact_areas():
    from napari_stack.operators.combine.drizzle.drizzle import drop

    rng = np.random.default_rng(1)
    values = rng.uniform(1, 9, (12, 14, 1))
    everywhere = np.empty((0, 0), bool)
    c, s = np.cos(0.3), np.sin(0.3)
    matrix = np.array([[c, -s, 3.2], [s, c, -2.4], [1e-3, 2e-3, 1]])
    total, weights = np.zeros((2, 60, 70, 1))
    drop(values, everywhere, matrix, 2.0, 0.8, "none", 1.0, total, weights)
    # Each drop as 60 x 60 points that are counted where they fall.
    fine = (np.arange(60) + 0.5) / 60 - 0.5
    counted, sums = np.zeros((2, 60, 70))
    inverse = np.linalg.inv(matrix)
    for y, x in np.ndindex(12, 14):
        v, u = np.meshgrid(y + 0.8 * fine, x + 0.8 * fine, indexing="ij")
        p = inverse @ np.stack([u.ravel(), v.ravel(), np.ones(3600)])
        i, j = np.floor((p[:2] / p[2] + 0.5) * 2).astype(int)
        inside = (i >= 0) & (i < 70) & (j >= 0) & (j < 60)
        np.add.at(counted, (j[inside], i[inside]), 1 / 3600)
        np.add.at(sums, (j[inside], i[inside]), values[y, x, 0] / 3600)
    np.testing.assert_allclose(weights[..., 0], counted, atol=0.02)
    np.testing.assert_allclose(total[..., 0], sums, atol=0.12)


def overlaps(size, shift, scale=2, pixfrac=0.7):
    """Lengths of each finer pixel (columns) that the drop of each pixel of a line covers."""
    centre, half = (np.arange(size) - shift + 0.5)[:, None] * scale, pixfrac * scale / 2
    edge = np.arange(size * scale)
    covered = np.minimum(centre + half, edge + 1) - np.maximum(centre - half, edge)
    return np.clip(covered, 0, None)


@quiet
def test_shifted_drops_cover_exact_areas_up_to_the_border():
    rng = np.random.default_rng(0)
    data, shifts = (
        rng.uniform(100, 1000, (8, 30, 40)).astype(np.float32),
        rng.uniform(-2, 2, (8, 2)),
    )
    weights, total = np.zeros((2, 60, 80))
    for frame, (dx, dy) in zip(data, shifts, strict=True):
        down, across = overlaps(30, dy), overlaps(40, dx)
        weights += down.sum(axis=0)[:, None] * across.sum(axis=0)
        total += down.T @ frame @ across
    found = drizzle(moved(data, shifts))
    covered = weights > 1e-6
    np.testing.assert_allclose(found.weights, weights / 0.7**2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.image[covered], (total / weights)[covered], rtol=1e-5)


@quiet
def test_a_slight_turn_is_nearly_a_shift_and_colours_go_together():
    rng = np.random.default_rng(0)
    data = rng.uniform(10, 250, (8, 30, 40, 3)).astype(np.float32)
    shifts = rng.uniform(-1, 1, (8, 2))
    one, other = (drizzle(moved(data, shifts, turn)) for turn in (0, 1e-7))
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-3)
    np.testing.assert_allclose(one.image[4:-4, 4:-4], other.image[4:-4, 4:-4], rtol=1e-2)
    for k in range(3):
        alone = drizzle(moved(data[..., k], shifts))
        np.testing.assert_allclose(one.image[..., k], alone.image, rtol=1e-5)


def render(shifts, size, width, seed=0):
    """Points blurred by a narrow spread, seen by the pixels of frames; the truth twice as fine."""
    rng = np.random.default_rng(seed)
    places, light = rng.uniform(4, size - 4, (size * size // 40, 2)), rng.uniform(50, 400, size**2)

    def seen(shift, scale):
        from scipy.special import erf

        edges = (np.arange(round(size * scale) + 1)) / scale - 0.5
        x = erf((edges - (places[:, :1] + shift[0])) / np.sqrt(2) / width)
        y = erf((edges - (places[:, 1:] + shift[1])) / np.sqrt(2) / width)
        return scale**2 * (np.diff(y) * light[: len(places), None]).T @ np.diff(x) / 4

    return np.array([seen(shift, 1) for shift in shifts]), seen((0, 0), 2)


def decibels(image, truth):
    inside = slice(12, -12)
    error = (image - truth)[inside, inside]
    return 10 * np.log10(np.ptp(truth) ** 2 / np.mean(error**2))


def test_undersampled_points_are_resolved():
    from scipy import ndimage

    rng = np.random.default_rng(3)
    shifts = rng.uniform(-3, 3, (48, 2))
    frames, truth = render(shifts, 64, 0.5)
    data = (frames + rng.normal(0, 1, frames.shape)).astype(np.float32)
    stack = moved(data, shifts)
    found = drizzle(stack)
    drizzled = decibels(found.image, truth)
    mean = combine(stack)
    wanted = (np.arange(128) + 0.5) / 2 - 0.5
    places = np.meshgrid(wanted, wanted, indexing="ij")
    upsampled = decibels(ndimage.map_coordinates(mean, places, order=3), truth)
    warped = np.mean(
        [
            ndimage.map_coordinates(frame, [places[0] + dy, places[1] + dx], order=3)
            for frame, (dx, dy) in zip(data, shifts, strict=True)
        ],
        axis=0,
    )
    assert drizzled > upsampled + 2
    assert drizzled > decibels(warped, truth) - 0.1  # by a spline, sharper than cubic convolution
    assert decibels(drizzle(stack, pixfrac=0.5).image, truth) > decibels(warped, truth) + 0.3


def test_a_smooth_scene_gains_nothing_and_is_told():
    rng = np.random.default_rng(3)
    shifts = rng.uniform(-3, 3, (16, 2))
    frames, _ = render(shifts, 64, 2.5)
    data = (frames + rng.normal(0, 1, frames.shape)).astype(np.float32)
    with pytest.warns(UserWarning, match="the finer grid gains nothing: beyond their own sampling"):
        drizzle(moved(data, shifts))


def test_shifts_that_do_not_sample_parts_of_a_pixel_are_refused():
    data = np.random.default_rng(0).normal(100, 5, (6, 20, 30))
    whole = np.random.default_rng(1).integers(-3, 3, (6, 2)).astype(float)
    with pytest.raises(UserError, match=r"6 frames do not sample .*: between them 1.00 px"):
        drizzle(moved(data, whole))
    assert np.isfinite(drizzle(moved(data, whole), scale=1).image[5:-5, 5:-5]).all()
    with pytest.raises(UserError, match="the frames are not registered: register them first"):
        drizzle(Stack.wrap(data))
    halves = moved(data, np.array([[0, 0], [0.5, 0.5]] * 3))
    with pytest.raises(UserError, match="the frames were changed after they were moved"):
        drizzle(sharpen(halves))
    with pytest.raises(UserError, match="scale must be a number in the range 1 to 8"):
        drizzle(halves, scale=0.5)


@quiet
def test_drops_so_small_that_pixels_stay_empty_are_told():
    data = np.random.default_rng(0).normal(100, 5, (4, 20, 30))
    shifts = np.array([[0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]])
    with pytest.warns(UserWarning, match=r"no drop fell on .*% of the pixels \(NaN\)"):
        found = drizzle(moved(data, shifts), scale=2.5, pixfrac=0.1)
    np.testing.assert_array_equal(np.isnan(found.image), found.weights == 0)


@quiet
def test_mosaics_go_to_their_colours_without_demosaicing():
    rng = np.random.default_rng(0)
    shifts = rng.uniform(-2, 2, (40, 2))
    colours = np.array([300, 200, 100], np.uint16)
    data = np.empty((40, 24, 32), np.uint16)
    for y, x, k in ((0, 0, 1), (0, 1, 0), (1, 0, 2), (1, 1, 1)):  # GRBG
        data[:, y::2, x::2] = colours[k]
    found = drizzle(moved(data, shifts), bayer="GRBG", pixfrac=1.0)
    assert found.image.shape == (48, 64, 3)
    inside = found.image[8:-8, 8:-8]
    for k in range(3):
        there = np.isfinite(inside[..., k])
        assert there.mean() > 0.99
        np.testing.assert_allclose(inside[..., k][there], colours[k], rtol=1e-5)
    green, red = found.weights[8:-8, 8:-8, 1].mean(), found.weights[8:-8, 8:-8, 0].mean()
    assert green == pytest.approx(2 * red, rel=0.05)
    with pytest.raises(UserError, match="frames of 3 channels are no mosaic"):
        drizzle(moved(np.repeat(data[..., None], 3, 3), shifts), bayer="RGGB")


@quiet
def test_holes_unused_frames_weights_and_cancelling():
    from dataclasses import replace

    rng = np.random.default_rng(0)
    data = rng.uniform(10, 250, (12, 24, 30)).astype(np.float32)
    shifts = rng.uniform(-1, 1, (12, 2))
    data[3, 5:9, 6:11] = np.nan
    data[7] = 1e6
    stack = moved(data, shifts)
    stack = replace(stack, used=np.arange(12) != 7)
    found = drizzle(stack)
    assert np.nanmax(found.image) < 251
    kept = np.arange(12) != 7
    again = drizzle(moved(data[kept], shifts[kept]))
    np.testing.assert_allclose(found.image, again.image, rtol=1e-5)
    noisy = data.copy()
    noisy[5] += rng.normal(0, 500, noisy[5].shape)
    plain, weighted = (
        drizzle(replace(moved(noisy, shifts), used=kept), weights=w) for w in ("equal", "noise")
    )
    error = [np.nanstd(one.image - found.image) for one in (plain, weighted)]
    assert error[1] < 0.7 * error[0]

    def tick(done, total, what):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        drizzle(stack, run=Run(tick=tick))
