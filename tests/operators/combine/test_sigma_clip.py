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
from napari_stack.operators import sigma_clip
from napari_stack.recipe import Step, images_of
from support.combining import DTYPES, HOLES, clipped_by_numpy, few, masked_in_some_way, scene

CASES = Path(__file__).parents[4] / "shared" / "data" / "sigma_clip_cases"


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


@pytest.mark.filterwarnings("ignore:8 frames can hardly be clipped")
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


def test_the_order_of_frames_does_not_matter():
    data = np.random.default_rng(3).integers(0, 4000, (12, 9, 8), np.uint16)
    order = np.random.default_rng(4).permutation(12)
    one, other = (sigma_clip(Stack.wrap(d), sigma=1.5, details=True) for d in (data, data[order]))
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.rejected, other.rejected)
    np.testing.assert_array_equal(one.used, other.used)
    np.testing.assert_allclose(one.standard_error, other.standard_error, rtol=1e-6)
    np.testing.assert_array_equal(one.rejected_fraction[order], other.rejected_fraction)


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
        never = [one for one in caught if "cannot be clipped" in str(one.message)]
        assert (found.rejected.item() > 0) == (not never)


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
    assert list(images_of(found)) == [
        "image", "rejected", "standard_error", "used", "rejected_low", "rejected_high",
    ]  # fmt: skip
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


def test_more_frames_than_can_be_counted_are_refused():
    frames = np.broadcast_to(np.uint8(7), (65_536, 1, 2))
    with pytest.raises(ValueError, match=r"65536 frames are used.*counted up to 65535"):
        sigma_clip(Stack.wrap(frames))
    np.testing.assert_array_equal(sigma_clip(Stack.wrap(frames[1:, :, :1])).image, 7)
