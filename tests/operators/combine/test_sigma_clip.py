"""`sigma_clip` against NumPy, astropy, known values, and bad input."""

import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import combine, sigma_clip
from napari_stack.operators.combine.clip_band import clip_band
from napari_stack.operators.combine.clip_pixel import DEVIATION, MEAN, Rules
from napari_stack.recipe import Step, images_of

CASES = Path(__file__).parents[4] / "shared" / "data" / "sigma_clip_cases"
DTYPES = [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]

ROBUST = {"centre": "median", "spread": "MAD"}

few = pytest.mark.filterwarnings("ignore:.*cannot be clipped:UserWarning")


def clipped_by_numpy(data, low, high, iterations, centre="mean", spread="standard deviation"):
    """Clip as the operator says, plainly; returns the mean, what was rejected, what was kept."""
    values = np.ma.masked_invalid(data.astype(np.float64))
    invalid = np.ma.getmaskarray(values).copy()
    for _ in range(iterations):
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        median = np.ma.median(values, axis=0)
        if spread == "MAD":
            mad = 1.482602218505602 * np.ma.median(np.abs(values - median), axis=0)
            distance = np.ma.masked_equal(np.ma.filled(np.abs(values - median), 0), 0)
            least = np.ma.filled(1.482602218505602 * distance.min(axis=0), np.inf)
            unit = 1.0 if data.dtype.kind in "ui" else np.inf
            least = np.minimum(np.minimum(least, unit), np.ma.filled(deviation, 0))
            deviation = np.ma.where(mad > 0, mad, least)
        middle = mean if centre == "mean" else median
        small = values.count(axis=0) < 3
        stray = (values < middle - low * deviation) | (values > middle + high * deviation)
        stray = np.ma.filled(stray, False) & ~small
        stray &= ~(stray | np.ma.getmaskarray(values)).all(axis=0)
        if not stray.any():
            break
        values = np.ma.masked_where(stray, values)
    rejected = np.ma.getmaskarray(values) & ~invalid
    return values.mean(axis=0).filled(0), rejected, values


def scene(seed, frames, dtype, shape=(6, 5), strays=0.05):
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 10, (frames, *shape))
    data[rng.random(data.shape) < strays] += 60
    return data.astype(dtype), rng


@few
@given(
    seed=st.integers(0, 2**16),
    frames=st.one_of(st.integers(1, 60), st.just(300)),
    low=st.floats(0.5, 4),
    high=st.floats(0.5, 4),
    iterations=st.integers(0, 8),
    dtype=st.sampled_from(DTYPES),
    centre=st.sampled_from(["mean", "median"]),
    spread=st.sampled_from(["standard deviation", "MAD"]),
    holes=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_clipping_is_what_numpy_makes(
    seed, frames, low, high, iterations, dtype, centre, spread, holes
):
    data, rng = scene(seed, frames, dtype)
    if data.dtype.kind == "f" and holes:
        data[rng.random(data.shape) < 0.1] = np.nan
    found = sigma_clip(
        Stack.wrap(data), sigma_low=low, sigma_high=high, iterations=iterations, centre=centre,
        spread=spread, details=True, dtype="float64",
    )  # fmt: skip
    mean, rejected, kept = clipped_by_numpy(data, low, high, iterations, centre, spread)
    covered = np.isfinite(data.astype(float)).any(axis=0)
    np.testing.assert_array_equal(found.rejected, rejected.sum(axis=0))
    np.testing.assert_allclose(found.image[covered], mean[covered], rtol=1e-6)
    assert np.isnan(found.image[~covered]).all()
    count = kept.count(axis=0)
    np.testing.assert_array_equal(found.used, count)
    several = count > 1
    error = kept.std(axis=0, ddof=1).filled(0) / np.sqrt(np.maximum(count, 1)) if frames > 1 else 0
    error = np.broadcast_to(error, several.shape)
    np.testing.assert_allclose(found.standard_error[several], error[several], rtol=1e-4, atol=1e-5)
    assert np.isnan(found.standard_error[~several]).all()
    there = np.isfinite(data.astype(float)).sum(axis=(1, 2))
    share = rejected.sum(axis=(1, 2))[there > 0] / there[there > 0]
    np.testing.assert_allclose(found.rejected_fraction[there > 0], share)


def masked_in_some_way(seed, frames, dtype, how):
    """Make a stack with holes: (stack, values as a masked array)."""
    data, rng = scene(seed, frames, dtype)
    hidden = rng.random(data.shape) < 0.15
    if how == "nan" and data.dtype.kind == "f":
        data[hidden] = np.nan
        return Stack.wrap(data), np.ma.masked_invalid(data.astype(np.float64))
    if how == "alpha" and data.dtype.kind == "u":
        top = np.iinfo(dtype).max
        alpha = np.where(hidden, rng.integers(0, top, data.shape), top).astype(dtype)
        colours = np.stack([data, data[::-1], data[:, ::-1], alpha], axis=-1)
        over = np.repeat(hidden[..., None], 4, axis=-1)
        return Stack.wrap(colours, rgb=True), np.ma.masked_array(colours.astype(float), over)
    return Stack.wrap(data), np.ma.masked_array(data.astype(np.float64))


HOLES = {
    "seed": st.integers(0, 2**16),
    "frames": st.one_of(st.integers(1, 40), st.integers(41, 300)),
    "dtype": st.sampled_from(DTYPES),
    "how": st.sampled_from(["whole", "nan", "alpha"]),
}


@few
@given(sigma=st.floats(1.0, 4), iterations=st.integers(1, 6), **HOLES)
@example(sigma=1.0, iterations=2, seed=2, frames=12, dtype=np.uint8, how="alpha")  # one comes back
@settings(max_examples=50, deadline=None)
def test_clipping_is_what_astropy_makes(sigma, iterations, seed, frames, dtype, how):
    stats = pytest.importorskip("astropy.stats")
    stack, values = masked_in_some_way(seed, frames, dtype, how)
    rounds = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for count in range(1, iterations + 1):
            how_often = {"maxiters": count, "cenfunc": "mean", "stdfunc": "std"}
            rounds.append(stats.sigma_clip(values, sigma=sigma, axis=0, **how_often))
    theirs, left = rounds[-1], rounds[-1].count(axis=0)
    # Astropy goes on with fewer than three values: there is nothing to compare there. Nor is there
    # where it takes back what it rejected: it keeps all that lies within the last limits.
    gone = [np.ma.getmaskarray(found) for found in rounds]
    back = [(before & ~after).any(axis=0) for before, after in pairwise(gone)]
    here = (left >= 3) & ~np.any(back, axis=0)
    found = sigma_clip(stack, sigma=sigma, iterations=iterations, dtype="float64", details=True)
    np.testing.assert_array_equal(found.used[here], left[here])
    np.testing.assert_allclose(found.image[here], theirs.mean(axis=0)[here], rtol=1e-9)


@given(method=st.sampled_from(["mean", "median"]), **HOLES)
@settings(max_examples=50, deadline=None)
def test_combining_is_what_numpy_makes_of_holes(method, seed, frames, dtype, how):
    stack, values = masked_in_some_way(seed, frames, dtype, how)
    found = combine(stack, method=method, dtype="float64")
    plain = np.ma.filled(values.astype(np.float64), np.nan)
    covered = np.isfinite(plain).any(axis=0)
    expected = {"mean": np.nanmean, "median": np.nanmedian}[method](plain[:, covered], axis=0)
    np.testing.assert_allclose(found[covered], expected, rtol=1e-12)
    assert np.isnan(found[~covered]).all()


@pytest.mark.skipif(not CASES.exists(), reason="the sample files are not here")
@pytest.mark.parametrize(
    ("sigma", "iterations", "expected", "count"),
    [
        (1.0, 0, [19, 4700, 1171, 9073], 0),
        (1.0, 1, [10, 99, 1015, 10144], 4),
        (1.0, 2, [10, 99, 1005, 9982], 12),
        (1.0, 3, [10, 99, 998, 9991], 22),
        (1.0, 6, [10, 100, 997, 10002], 28),
        (1.0, 9, [10, 100, 997, 10002], 28),
        (2.5, 1, [10, 99, 1015, 10144], 4),
        (2.5, 2, [10, 99, 1015, 9982], 5),
        (2.5, 9, [10, 99, 1015, 9982], 5),
    ],
)
def test_the_values_that_imgstack_gives(sigma, iterations, expected, count):
    import tifffile

    files = [CASES / f"1d_{i}.tif" for i in range(1, 10)]
    data = np.stack([np.atleast_2d(tifffile.imread(file)) for file in files])
    exact = sigma_clip(Stack.wrap(data.astype(np.float64)), sigma=sigma, iterations=iterations)
    np.testing.assert_array_equal(np.floor(exact.image.ravel() + 1e-9), expected)
    assert exact.rejected.sum() == count
    rounded = sigma_clip(Stack.wrap(data), sigma=sigma, iterations=iterations)
    assert rounded.image.dtype == data.dtype
    np.testing.assert_array_equal(rounded.image, np.rint(exact.image))


@pytest.mark.parametrize("shape", [(1, 1), (3, 511), (2, 512), (3, 513), (2, 1030), (5, 7, 3)])
@pytest.mark.parametrize("masked", [False, True])
def test_any_width_gives_each_pixel_its_own_result(shape, masked):
    data, rng = scene(11, 15, np.float32, shape, strays=0.1)
    valid = np.ones(data.shape[:3], bool)
    if masked:
        valid = rng.random(valid.shape) < 0.98
        valid[:, 0, 0] = False
    over = valid.reshape(*valid.shape, *[1] * (data.ndim - 3))
    holes = np.where(over, data, np.nan)
    mean, rejected, _ = clipped_by_numpy(holes, 2, 2, 5)
    image, count, tally, present = clip_band(
        np.where(over, data, 0), valid if masked else None,
        rules=Rules(2, 2, MEAN, DEVIATION, 5), dtype=np.dtype(np.float64),
    )  # fmt: skip
    np.testing.assert_allclose(np.nan_to_num(image), mean, rtol=1e-6)
    np.testing.assert_array_equal(count, rejected.sum(axis=0))
    axes = tuple(range(2, data.ndim))
    np.testing.assert_array_equal(tally, rejected.sum(axis=axes).T)
    np.testing.assert_array_equal(present, np.isfinite(holes).sum(axis=axes).T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e6, 1e18, 3e38])
@pytest.mark.parametrize("frame", [0, 7])
@pytest.mark.parametrize(
    "options", [{}, {"centre": "median"}, {"centre": "median", "spread": "MAD"}]
)
def test_a_value_far_away_costs_the_others_no_digit(dtype, far, frame, options):
    data = np.random.default_rng(0).normal(1, 1e-3, (20, 3, 4)).astype(dtype)
    data[frame, 1, 2] = far
    found = sigma_clip(Stack.wrap(data), sigma=3, details=True, **options)
    mean, rejected, kept = clipped_by_numpy(data, 3, 3, 5, **options)
    np.testing.assert_array_equal(found.rejected, rejected.sum(axis=0))
    np.testing.assert_allclose(found.image, mean, rtol=1e-7)
    error = kept.std(axis=0, ddof=1) / np.sqrt(kept.count(axis=0))
    np.testing.assert_allclose(found.standard_error, error, rtol=1e-4)
    assert found.rejected_fraction[frame] > 0


def test_a_tight_cluster_far_from_the_median_keeps_its_digits():
    # What is kept lies 30 from the median and 1e-5 from each other: sums of squares of distances
    # from the median would lose all that the standard error is made of.
    rng = np.random.default_rng(0)
    data = rng.normal(100, 10, (33, 20, 30))
    data[:3] = 130 + rng.normal(0, 1e-5, (3, 20, 30))
    found = sigma_clip(
        Stack.wrap(data), centre="mean", spread="winsorised", sigma_low=0.7, sigma_high=4,
        iterations=10, details=True,
    )  # fmt: skip
    cluster = (found.used == 3) & (abs(found.image - 130) < 1e-3)
    assert cluster.sum() > 5
    error = data[:3].std(axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(found.standard_error[cluster], error[cluster], rtol=1e-6)


@few
@pytest.mark.parametrize("values", [[0.1] * 5 + [0.3], [1e-3] * 7 + [7e5], [0, 0, 0, 3]])
def test_a_value_at_the_limit_is_kept(values):
    data = np.array(values).reshape(-1, 1, 1)
    mean, spread = data.mean(), data.std()
    sigma = float(np.abs(data - mean).max() / spread)
    for options in ({}, {"centre": "mean", "spread": "standard deviation", "details": True}):
        assert sigma_clip(Stack.wrap(data), sigma=sigma, **options).rejected.item() == 0
        less = sigma * (1 - 1e-9)
        assert sigma_clip(Stack.wrap(data), sigma=less, iterations=1).rejected.item() == 1


def test_the_order_of_frames_does_not_matter():
    data = np.random.default_rng(3).integers(0, 4000, (12, 9, 8), np.uint16)
    order = np.random.default_rng(4).permutation(12)
    one, other = (sigma_clip(Stack.wrap(d), sigma=1.5, details=True) for d in (data, data[order]))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.rejected, other.rejected)
    np.testing.assert_array_equal(one.used, other.used)
    np.testing.assert_allclose(one.standard_error, other.standard_error, rtol=1e-6)
    np.testing.assert_array_equal(one.rejected_fraction[order], other.rejected_fraction)


def test_transparent_pixels_do_not_count():
    data = np.full((3, 1, 2, 4), 255, np.uint8)
    data[:, 0, 0, 0] = [10, 20, 90]
    data[2, 0, 0, 3] = 0
    data[:, 0, 1, 3] = 0
    found = sigma_clip(Stack.wrap(data, rgb=True), sigma=1)
    assert found.image[0, 0].tolist() == [15, 255, 255, 255]
    assert found.image[0, 1].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_no_frame_covers_is_nan_in_floats(dtype):
    data = np.full((5, 2, 2, 4), 255, np.uint8)
    data[:, 0, 0, 3] = 0
    found = sigma_clip(Stack.wrap(data, rgb=True), sigma=1.5, dtype=dtype, details=True)
    assert found.image.dtype == dtype
    assert np.isnan(found.image[0, 0]).all()
    assert (found.image[1] == 255).all()
    assert (found.used[0, 0] == 0).all()
    assert found.used[1, 1].tolist() == [5] * 4


def test_frames_without_overlap_are_laid_side_by_side():
    data = np.full((2, 4, 6), np.nan, np.float32)
    data[0, :, :3], data[1, :, 3:] = 5, 7
    with pytest.warns(UserWarning, match="2 frames cannot be clipped"):
        found = sigma_clip(Stack.wrap(data))
    np.testing.assert_array_equal(found.image, np.repeat([[5, 5, 5, 7, 7, 7]], 4, axis=0))
    np.testing.assert_array_equal(found.rejected_fraction, [0, 0])


def test_too_few_frames_to_clip_are_said():
    data = np.zeros((7, 4, 4), np.uint8)
    remedy = "7 frames cannot be clipped at 2.5 sigma.*use 8 frames or more, a sigma below 2.44, or"
    with pytest.warns(UserWarning, match=remedy):
        sigma_clip(Stack.wrap(data))
    sigma_clip(Stack.wrap(data), sigma=2.4)
    sigma_clip(Stack.wrap(data), sigma=2.4, sigma_low=90)
    sigma_clip(Stack.wrap(data), iterations=0)
    sigma_clip(Stack.wrap(data), spread="MAD")
    sigma_clip(Stack.wrap(data), spread="winsorised", centre="median")
    sigma_clip(Stack.wrap(data), centre="median")
    with pytest.warns(UserWarning, match=r"10 frames cannot be clipped at 3 sigma.*use 11"):
        sigma_clip(Stack.wrap(np.zeros((10, 4, 4))), sigma=3)
    with pytest.warns(UserWarning, match="one frame cannot be clipped.*use 8 frames or more$"):
        assert sigma_clip(Stack.wrap(data[:1] + 3)).image.tolist() == [[3] * 4] * 4
    with pytest.warns(UserWarning, match="2 frames cannot be clipped.*use 3 frames or more$"):
        sigma_clip(Stack.wrap(data[:2]), spread="MAD")


@pytest.mark.parametrize("frames", range(3, 13))
@pytest.mark.parametrize("centre", ["mean", "median"])
def test_the_warning_tells_the_truth(frames, centre):
    # One value far from all others strays as much as any can.
    data = np.zeros((frames, 1, 1))
    data[0] = 1e6
    for sigma in np.arange(1.0, 4.5, 0.25):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = sigma_clip(Stack.wrap(data), sigma=sigma, centre=centre)
        assert (found.rejected.item() > 0) == (not caught)


@pytest.mark.parametrize("spread", ["MAD", "winsorised"])
def test_robust_clipping_works_on_few_frames(spread):
    data, rng = scene(1, 5, np.uint16, (30, 40), strays=0)
    clean = data.mean(axis=0)
    data[rng.integers(0, 5, (30, 40)), *np.indices((30, 40))] += 5000
    found = sigma_clip(Stack.wrap(data), spread=spread, centre="median", sigma=3)
    assert (found.rejected >= 1).all()
    assert np.abs(found.image - clean).mean() < 10
    with pytest.warns(UserWarning, match="cannot be clipped"):
        assert sigma_clip(Stack.wrap(data), sigma=3).rejected.sum() == 0


def winsorised_by_numpy(values):
    spread = values.std()
    for _ in range(100):
        median = np.median(values)
        before = spread
        spread = 1.134 * np.clip(values, median - 1.5 * spread, median + 1.5 * spread).std()
        if abs(spread - before) <= 5e-4 * before:
            break
    return spread


@pytest.mark.parametrize("frames", [5, 20, 61])
def test_winsorised_clipping_is_the_published_one(frames):
    data, _ = scene(frames, frames, np.float64, (1, 40))
    found = sigma_clip(
        Stack.wrap(data), spread="winsorised", centre="median", sigma=3, iterations=1
    )
    for i, values in enumerate(data[:, 0].T):
        stray = np.abs(values - np.median(values)) > 3 * winsorised_by_numpy(values)
        assert found.rejected[0, i] == stray.sum()
        np.testing.assert_allclose(found.image[0, i], values[~stray].mean())


@pytest.mark.parametrize("spread", ["MAD", "winsorised"])
def test_values_that_are_mostly_the_same_are_not_all_that_is_kept(spread):
    values = np.array([10] * 12 + [11] * 7 + [200], np.uint8).reshape(20, 1, 1)
    for dtype in (np.uint8, np.float32):
        found = sigma_clip(Stack.wrap(values.astype(dtype)), spread=spread, centre="median")
        assert found.rejected.item() == 1
    values[12:19] = 10
    assert sigma_clip(Stack.wrap(values), spread=spread, centre="median").rejected.item() == 1
    assert sigma_clip(Stack.wrap(values[15:]), spread=spread, centre="median").rejected.item() == 1
    assert sigma_clip(Stack.wrap(values[:9]), spread=spread).rejected.item() == 0


def test_constant_pixels_and_small_sigmas_keep_a_value():
    found = sigma_clip(Stack.wrap(np.full((9, 2, 2), 0.1)), sigma=0.1)
    np.testing.assert_allclose(found.image, 0.1)
    two = np.array([0.0, 0, 0, 1, 1, 1]).reshape(6, 1, 1)
    for centre in ("mean", "median"):
        assert sigma_clip(Stack.wrap(two), sigma=0.5, centre=centre).image.item() == 0.5


def test_low_and_high_are_told_apart():
    values = np.array([0.0] + [100 + i % 3 for i in range(18)] + [200]).reshape(20, 1, 1)
    none_low = sigma_clip(Stack.wrap(values), sigma_low=100)
    none_high = sigma_clip(Stack.wrap(values), sigma_high=100)
    assert none_low.rejected_fraction.tolist() == [0.0] * 19 + [1.0]
    assert none_high.rejected_fraction.tolist() == [1.0] + [0.0] * 19


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sigma": 0}, "sigma must be a number in the range 0.1 to 100 sigma, got 0"),
        ({"sigma": -1}, "sigma must be"),
        ({"sigma_low": -1}, "sigma_low must be"),
        ({"iterations": -1}, "iterations must be a whole number in the range 0 to 1000"),
        ({"centre": "mode"}, "centre must be 'mean' or 'median'"),
        ({"spread": "range"}, "spread must be 'standard deviation' or 'MAD' or 'winsorised'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        sigma_clip(Stack.wrap(np.zeros((9, 4, 4))), **options)


def test_no_used_frame_is_refused():
    stack = replace(Stack.wrap(np.zeros((3, 4, 4))), used=np.zeros(3, bool))
    with pytest.raises(ValueError, match="none of the 3 frames is used"):
        sigma_clip(stack)


def test_frames_that_are_not_used_have_no_fraction():
    data, _ = scene(0, 12, np.uint16)
    used = np.arange(12) != 4
    found = sigma_clip(replace(Stack.wrap(data), used=used), sigma=2)
    assert np.flatnonzero(np.isnan(found.rejected_fraction)).tolist() == [4]
    np.testing.assert_array_equal(found.image, sigma_clip(Stack.wrap(data[used]), sigma=2).image)


@pytest.mark.parametrize(
    "options",
    [{}, {"centre": "median", "spread": "MAD"}, {"centre": "median", "spread": "winsorised"}],
)
@pytest.mark.parametrize("holes", [False, True])
def test_workers_and_memory_change_no_bit(options, holes):
    data, rng = scene(5, 23, np.float32, (211, 157))
    if holes:
        data[rng.random(data.shape) < 0.01] = np.nan
    runs = [Run(workers=n, memory=m) for n in (1, 2, 5) for m in (2**20, 2**30)]
    first, *rest = (sigma_clip(Stack.wrap(data), details=True, run=run, **options) for run in runs)
    for other in rest:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_colours_in_bands():
    data = np.random.default_rng(8).integers(0, 255, (30, 300, 200, 3), np.uint8)
    expected = sigma_clip(Stack.wrap(data))
    found = sigma_clip(Stack.wrap(data), run=Run(memory=2**20))
    np.testing.assert_array_equal(found.image, expected.image)


def test_cancelling_stops_it():
    def tick(done, total, what):
        if done > 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        sigma_clip(Stack.wrap(np.zeros((9, 400, 50))), run=Run(memory=2**20, tick=tick))


def test_every_position_of_a_hyperstack_is_clipped():
    data, _ = scene(2, 24, np.uint16, (7, 6))
    hyper = Hyperstack.wrap(data.reshape(12, 2, 7, 6), axes="tcyx")
    for details in (False, True):
        found = hyper.map(sigma_clip, sigma=2, details=details)
        assert found.image.shape == (2, 7, 6)
        assert found.rejected_fraction.shape == (2, 12)
        assert (found.used is not None) == details
        for c in range(2):
            one = sigma_clip(Stack.wrap(data[c::2]), sigma=2, details=details)
            np.testing.assert_array_equal(found.image[c], one.image)
            np.testing.assert_array_equal(found.rejected_fraction[c], one.rejected_fraction)


def test_faces_see_the_images_alone(tmp_path):
    data, _ = scene(2, 24, np.uint16, (7, 6))
    found = Step("sigma_clip", {"sigma": 2.0}).apply(Stack.wrap(data))
    assert list(images_of(found)) == ["image", "rejected"]
    found = Step("sigma_clip", {"details": True}).apply(Stack.wrap(data))
    assert list(images_of(found)) == ["image", "rejected", "standard_error", "used"]
    assert Step("sigma_clip", {"details": True}).image_names == tuple(images_of(found))
    assert Step("sigma_clip").image_names == ("image", "rejected")


@pytest.mark.parametrize(
    ("written", "details"), [(["image", "rejected"], False), (["used"], True), ([], False)]
)
def test_images_that_nobody_wants_are_not_made(written, details):
    step = Step("sigma_clip", {"details": True, "sigma": 2.0}).making_only(written)
    assert step.options == {"details": details, "sigma": 2.0}
    assert Step("combine", {"method": "median"}).making_only([]) == Step(
        "combine", {"method": "median"}
    )


@few
@pytest.mark.parametrize("count", [1, 2, 3, 10, 40, 41, 100])
@pytest.mark.parametrize("spread", ["standard deviation", "MAD"])
def test_values_beside_invalid_ones_are_put_in_order_and_clipped(count, spread):
    values = np.random.default_rng(count).normal(size=(count + 1, 1, 1))
    values[0] = 1000
    values[count // 2 + 1] = np.nan
    found = sigma_clip(
        Stack.wrap(values), sigma=3, centre="median", spread=spread, details=True, dtype="float64"
    )
    clipped = count >= (8 if spread == "standard deviation" else 3)
    assert found.rejected.item() == clipped
    assert found.used.item() == count - clipped
    kept = np.delete(values, [0, count // 2 + 1] if clipped else [count // 2 + 1])
    np.testing.assert_allclose(found.image.item(), kept.mean())


def test_more_frames_than_can_be_counted_are_refused():
    frames = np.broadcast_to(np.uint8(7), (65_536, 1, 2))
    with pytest.raises(ValueError, match=r"65536 frames are used.*counted up to 65535"):
        sigma_clip(Stack.wrap(frames))
    np.testing.assert_array_equal(sigma_clip(Stack.wrap(frames[1:])).image, 7)
