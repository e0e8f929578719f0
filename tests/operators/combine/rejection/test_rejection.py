"""Other methods of rejection than sigma clipping: published values, plain NumPy, bad input."""

import numpy as np
import pytest
from scipy import stats

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.operators import (
    GeneralisedESD,
    LinearFit,
    MinMax,
    PercentileClip,
    Transforms,
    apply_transforms,
    sigma_clip,
)
from napari_stack.operators.combine.rejection.methods import critical_values

# The worked example of Rosner (1983) in the NIST/SEMATECH e-Handbook, section 1.3.5.17.3.
ROSNER = np.fromstring("""
 -0.25 0.68 0.94 1.15 1.20 1.26 1.26 1.34 1.38 1.43 1.49 1.49 1.55 1.56 1.58 1.65 1.69 1.70 1.76
 1.77 1.81 1.91 1.94 1.96 1.99 2.06 2.09 2.10 2.14 2.15 2.23 2.24 2.26 2.35 2.37 2.40 2.47 2.54
 2.62 2.64 2.90 2.92 2.92 2.93 3.21 3.26 3.30 3.59 3.68 4.30 4.64 5.34 5.42 6.01
""", sep=" ")  # fmt: skip


def test_the_worked_example_of_the_handbook():
    method = GeneralisedESD(outliers=10 / 54, significance=0.05)
    np.testing.assert_allclose(
        critical_values(54, 10 / 54, 0.05).round(3),
        [3.159, 3.151, 3.144, 3.136, 3.128, 3.120, 3.112, 3.103, 3.094, 3.085],
    )
    values = np.random.default_rng(0).permutation(ROSNER)
    found = sigma_clip(Stack.wrap(values.reshape(54, 1, 1)), method=method, details=True)
    assert found.rejected.item() == 3
    assert set(values[found.rejected_fraction > 0]) == {6.01, 5.42, 5.34}
    assert (found.rejected_low.item(), found.rejected_high.item()) == (0, 3)
    np.testing.assert_allclose(found.image, ROSNER[:-3].mean())


def esd(values, outliers=0.3, significance=0.05):
    """Generalised ESD as the handbook words it."""
    count, left, removed, last = len(values), list(values), [], 0
    for i in range(1, min(int(outliers * count), count - 3) + 1):
        mean, deviation = np.mean(left), np.std(left, ddof=1)
        if deviation == 0:
            break
        far = max(left, key=lambda v: abs(v - mean))
        p = 1 - significance / (2 * (count - i + 1))
        t = stats.t.ppf(p, count - i - 1)
        limit = (count - i) * t / np.sqrt((count - i - 1 + t**2) * (count - i + 1))
        left.remove(far)
        removed.append(far)
        if abs(far - mean) / deviation > limit:
            last = i
    return removed[:last]


def line(values, low=2.5, high=2.5, iterations=5):
    """Linear-fit clipping as Siril's documentation words it."""
    kept = np.sort(values)
    for _ in range(iterations):
        if len(kept) < 4:
            break
        rank = np.arange(len(kept))
        residual = kept - np.polyval(np.polyfit(rank, kept, 1), rank)
        sigma = np.abs(residual).mean()
        good = (residual >= -low * sigma) & (residual <= high * sigma)
        if good.all() or not good.any():
            break
        kept = kept[good]
    left = list(kept)
    return [v for v in np.sort(values) if v not in left or left.remove(v)]


def percentile(values, below=0.2, above=0.1):
    """Percentile clipping as Siril's documentation words it."""
    m = np.median(values)
    return [v for v in values if (m - v) / m > below or (v - m) / m > above]


def ranks(values, least=1, greatest=1):
    """Rejection of extremes as IRAF's imcombine does it, all images being there."""
    order = np.sort(values)
    return [*order[:least], *order[len(order) - greatest :]]


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize(
    ("method", "plain"),
    [(LinearFit(), line), (GeneralisedESD(), esd), (PercentileClip(), percentile),
     (MinMax(), ranks)],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)  # fmt: skip
def test_random_data_as_published(method, plain, holes):
    rng = np.random.default_rng(5)
    data = rng.normal(100, 8, (14, 6, 30)) + rng.exponential(60, (14, 6, 30)) * (
        rng.random((14, 6, 30)) < 0.12
    )
    if holes:
        data[:, 2:4][rng.random((14, 2, 30)) < 0.3] = np.nan
        data[:, 5, 5] = np.nan
    found = sigma_clip(Stack.wrap(data), method=method, details=True)
    for y, x in np.ndindex(6, 30):
        values = data[:, y, x][np.isfinite(data[:, y, x])]
        if isinstance(method, MinMax) and len(values) < 14:
            continue  # as great a share of fewer: less than one
        gone = plain(values) if len(values) > 2 else []
        assert found.rejected[y, x] == len(gone)
        assert found.used[y, x] == len(values) - len(gone)
        if not len(values):
            assert np.isnan(found.image[y, x])
            continue
        rest = list(values)
        for value in gone:
            rest.remove(value)
        np.testing.assert_allclose(found.image[y, x], np.mean(rest), rtol=1e-9)
        error = np.std(rest, ddof=1) / np.sqrt(len(rest))
        np.testing.assert_allclose(found.standard_error[y, x], error, rtol=1e-4)
    np.testing.assert_array_equal(found.rejected, found.rejected_low + found.rejected_high)
    there = np.isfinite(data).sum(axis=(1, 2))
    assert np.nansum(found.rejected_fraction * there) == pytest.approx(found.rejected.sum())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("method", ["linear fit", "generalised ESD", "percentile clip", "min max"])
def test_types_and_colours(dtype, method):
    data = np.full((9, 8, 10, 3), 100, dtype)
    data += (np.arange(9) % 3).astype(dtype)[:, None, None, None]
    data[4, 2:4, 3] = 250
    found = sigma_clip(Stack.wrap(data), method=method, sigma=2.0)
    assert found.image.dtype == dtype
    assert found.image.max() < 105
    assert (found.rejected[2:4, 3] >= 1).all()
    np.testing.assert_allclose(
        found.rejected_fraction[4] if method != "min max" else 0.0,
        6 / 240 if method != "min max" else 0.0, atol=0.02,
    )  # fmt: skip


def test_methods_that_leave_nothing():
    data = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5)
    with pytest.raises(UserError, match="of 4 frames the 2 least and the 3 greatest values"):
        sigma_clip(Stack.wrap(data), method=MinMax(least=2, greatest=3))
    two_kinds = Stack.wrap(np.repeat(np.array([10.0, 10, 90, 90]), 30).reshape(4, 6, 5))
    assert (sigma_clip(two_kinds, method="percentile clip").image == 50).all()
    for frames in (1, 2):
        with pytest.warns(UserWarning, match="can be rejected: they are averaged; use 3 frames"):
            image = sigma_clip(Stack.wrap(data[:frames]), method="linear fit").image
        np.testing.assert_allclose(image, data[:frames].mean(axis=0))


@pytest.mark.parametrize(
    ("frames", "drift", "what"),
    [(5, 0, "5 frames of equal level the percentile clip at 1[5-9]% of the median, 3.5 times"),
     (5, 30, "5 frames sigma clipping about the median by the MAD"),
     (30, 0, "30 frames the generalised ESD test")],
)  # fmt: skip
def test_what_auto_takes_is_told_and_leaves_passers_by_out(frames, drift, what):
    rng = np.random.default_rng(0)
    data = rng.normal(100, 5, (frames, 40, 60)).astype(np.float32)
    for k in range(frames):
        data[k, 10:20, k : k + 2] += 220
        data[k] += drift * k / frames
    with pytest.warns(UserWarning, match=f"method='auto': for {what}"):
        found = sigma_clip(Stack.wrap(data), method="auto")
    level = found.image[25:].mean()
    assert abs(found.image[10:20, 2 : frames - 1].mean() - level) < (6 if drift else 2)
    assert found.rejected_fraction.mean() < 0.12


def test_auto_takes_no_notice_of_frames_that_show_nothing():
    data = np.random.default_rng(0).normal(100, 5, (5, 40, 60)).astype(np.float32)
    with pytest.warns(UserWarning, match="for 5 frames of equal level"):
        expected = sigma_clip(Stack.wrap(data), method="auto").image
    data = np.insert(data, 2, np.nan, axis=0)
    with pytest.warns(UserWarning, match="for 5 frames of equal level"):
        found = sigma_clip(Stack.wrap(data), method="auto")
    np.testing.assert_array_equal(found.image, expected)
    assert np.isnan(found.rejected_fraction[2])
    with pytest.warns(UserWarning, match="for 0 frames"):
        nothing = sigma_clip(Stack.wrap(np.full((3, 8, 9), np.nan)), method="auto")
    assert np.isnan(nothing.image).all()


def test_eight_frames_that_can_hardly_be_clipped_are_told():
    data = np.random.default_rng(0).normal(100, 5, (8, 20, 20)).astype(np.float32)
    with pytest.warns(UserWarning, match="8 frames can hardly be clipped at 2.5 sigma"):
        sigma_clip(Stack.wrap(data))


def test_low_and_high_are_counted_apart():
    data = np.random.default_rng(0).normal(100, 5, (20, 30, 40)).astype(np.float32)
    data[3, 5:10] += 200
    data[7, 15:20] -= 90
    for method in ("sigma", "linear fit", "generalised ESD"):
        found = sigma_clip(Stack.wrap(data), method=method, sigma=4, details=True)
        assert (found.rejected_high[5:10] >= 1).all()
        assert (found.rejected_low[15:20] >= 1).all()
        assert found.rejected_low[5:10].mean() < 0.2
        np.testing.assert_array_equal(found.rejected_low + found.rejected_high, found.rejected)


def test_few_frames_of_grey_levels_keep_no_trail_once_they_are_registered():
    data = np.zeros((5, 64, 64), np.uint8)
    data[:, 20:24, 20:24] = 180
    data[2, 40, 5:60] = 255
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[:, 0, 2] = range(5)
    moved = Stack.wrap(np.stack([np.roll(frame, i, 1) for i, frame in enumerate(data)]))
    registered = apply_transforms(moved, Transforms(matrices))
    for stack in (Stack.wrap(data), registered, Stack.wrap(data.astype(np.float32))):
        for spread in ("MAD", "winsorised"):
            found = sigma_clip(stack, centre="median", spread=spread)
            assert found.image[40, 10:50].max() == 0
            assert found.image[22, 22] == 180


def test_the_wings_of_a_trail_are_left_out_with_it():
    rng = np.random.default_rng(0)
    y = np.arange(80)[:, None]
    data = rng.normal(200, 5, (16, 80, 100))
    for k in (3, 9):
        data[k] += 80 * np.exp(-((y - 20 - 5 * k) ** 2) / 2 / 3.0**2)
    stack = Stack.wrap(data.astype(np.float32))
    plain, wide = (sigma_clip(stack, sigma=3, grow=grow, details=True) for grow in (0, 2))
    for k in (3, 9):
        rows = slice(20 + 5 * k - 8, 20 + 5 * k + 9)
        assert abs(wide.image[rows].mean() - 200) < 0.2
        assert abs(plain.image[rows].mean() - 200) > 1.5 * abs(wide.image[rows].mean() - 200)
        assert (wide.rejected_high[20 + 5 * k] >= 1).all()
    elsewhere = slice(0, 15)
    assert wide.rejected[elsewhere].mean() < plain.rejected[elsewhere].mean() + 0.01
    np.testing.assert_array_equal(wide.used + wide.rejected, 16)
    np.testing.assert_array_equal(wide.rejected_low + wide.rejected_high, wide.rejected)


@pytest.mark.parametrize("frames", [3, 12, 21])
@pytest.mark.parametrize("method", ["linear fit", "generalised ESD", "percentile clip", "min max"])
def test_whole_numbers_are_rejected_as_the_same_floats_are(method, frames):
    rng = np.random.default_rng(frames)
    spread = np.repeat([1.2, 3.0, 60.0], 40)  # ties, values on a line, and wide ones
    data = rng.normal(1000, spread, (frames, 40, 120))
    data += (rng.random(data.shape) < 0.02) * rng.choice([200, 60_000], data.shape)
    data = np.clip(np.rint(data), 0, 65_535).astype(np.uint16)
    exact = sigma_clip(Stack.wrap(data.astype(np.float64)), method=method, details=True)
    found = sigma_clip(Stack.wrap(data), method=method, details=True, dtype="float64")
    for one, two in zip(found, exact, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_values_on_a_line_are_kept():
    values = np.array([996, 996, 997, 998, 999, 1000, 1001, 1002, 1003, 1004, 1006, 1200])
    for dtype in (np.uint16, np.float32, np.float64):
        found = sigma_clip(Stack.wrap(values.astype(dtype).reshape(-1, 1, 1)), method="linear fit")
        assert found.rejected.item() == 3  # one of 996, 1006 and 1200: the others lie on it
