"""Rejection against what is published, on random data of every type, with NaN and alpha."""

import warnings
from functools import partial

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import MinMax, PercentileClip, sigma_clip
from support import published
from support.published import rounds_of

FRAMES = 15
ROBUST = {"centre": "median", "iterations": 100}

#: Options of ours, and the published rule in plain NumPy.
RULES = {
    "sigma, mean": ({"iterations": 100}, partial(rounds_of, centre=np.mean, width=np.std)),
    "sigma, median": (ROBUST, partial(rounds_of, centre=np.median, width=np.std)),
    "MAD": (
        {**ROBUST, "spread": "MAD"},
        partial(rounds_of, centre=np.median, width=published.median_distance),
    ),
    "winsorised": (
        {**ROBUST, "spread": "winsorised"},
        partial(rounds_of, centre=np.median, width=published.winsorised),
    ),
    "linear fit": ({"method": "linear fit", "iterations": 100}, published.linear_fit),
    "generalised ESD": ({"method": "generalised ESD"}, published.esd),
    "percentile clip": ({"method": "percentile clip"}, published.percentile_clip),
    "IRAF minmax": (
        {"method": MinMax(least=2, greatest=3)},
        partial(published.iraf_minmax, images=FRAMES, low=2, high=3),
    ),
}

KINDS = [(np.uint8, "whole"), (np.uint16, "whole"), (np.int16, "whole"), (np.int32, "whole"),
         (np.float32, "whole"), (np.float64, "whole"), (np.float32, "NaN"), (np.float64, "NaN"),
         (np.uint8, "alpha"), (np.uint16, "alpha"), (np.float32, "uncovered")]  # fmt: skip


def values_with_outliers(shape, seed=0, share=0.1):
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 8, (FRAMES, *shape))
    hit = rng.random(data.shape) < share
    data[hit] += rng.exponential(50, hit.sum()) * rng.choice([-0.6, 1], hit.sum())
    return np.clip(data, 1, 254), rng


def stack_of(dtype, how):
    """A stack, and its values (n, y, x) with NaN where there is none."""
    data, rng = values_with_outliers((4, 9))
    data *= 1 if np.dtype(dtype).itemsize == 1 else 30
    data = data.astype(dtype)
    hidden = rng.random(data.shape) < 0.2
    hidden[:, 0, 0], hidden[2:, 1, 1] = True, True  # no value, and two
    if how == "uncovered":
        hidden[:, :2] = False
        hidden[:, 0, 0] = True
    if how == "alpha":
        top = np.iinfo(dtype).max
        alpha = np.where(hidden, 0, top).astype(dtype)
        stack = Stack.wrap(np.stack([data, data, data, alpha], axis=-1), rgb=True)
        return stack, np.where(hidden, np.nan, data.astype(float))
    if how != "whole":
        data[hidden] = np.nan
    return Stack.wrap(data), data.astype(float)


@pytest.mark.parametrize(("dtype", "how"), KINDS, ids=lambda k: getattr(k, "__name__", k))
def test_every_method_keeps_what_its_published_rule_keeps(dtype, how):
    stack, values = stack_of(dtype, how)
    for name, (options, rule) in RULES.items():
        found = sigma_clip(stack, dtype="float64", details=True, **options)
        first = (0,) if how == "alpha" else ()  # all colours are the same
        image, used, low, high, error = (
            part[..., *first]
            for part in (found.image, found.used, found.rejected_low, found.rejected_high,
                         found.standard_error)
        )  # fmt: skip
        gone = same = 0
        for y, x in np.ndindex(values.shape[1:]):
            there = np.sort(values[:, y, x][np.isfinite(values[:, y, x])])
            kept = rule(there) if len(there) > 2 else there
            where = f"{name}, {dtype.__name__}, {how}, at {y}, {x}"
            if kept is None:  # a deviation of 0, which ours replaces by a grey level
                same += 1
                continue
            assert used[y, x] == len(kept), where
            if not len(kept):
                assert np.isnan(image[y, x])
                continue
            middle = kept[len(kept) // 2]  # a line rejects from between, too
            below, equal = (
                np.searchsorted(there, middle, side) - np.searchsorted(kept, middle, side)
                for side in ("left", "right")
            )
            assert below <= low[y, x] <= equal, where
            assert low[y, x] + high[y, x] == len(there) - len(kept), where
            np.testing.assert_allclose(image[y, x], kept.mean(), rtol=1e-6, err_msg=where)
            if len(kept) > 1:
                expected = kept.std(ddof=1) / np.sqrt(len(kept))
                np.testing.assert_allclose(error[y, x], expected, rtol=1e-3, err_msg=where)
            gone += len(there) - len(kept)
        channels = 4 if how == "alpha" else 1
        there = np.isfinite(values).sum(axis=(1, 2))
        told = np.nansum(found.rejected_fraction * there * channels)
        assert told == pytest.approx(found.rejected.sum())
        assert gone > 7, name
        assert same < 4


@pytest.mark.parametrize("spread", ["std", "mad_std"])
@pytest.mark.parametrize("how", ["whole", "NaN"])
def test_about_the_median_astropy_keeps_the_same(spread, how):
    astropy = pytest.importorskip("astropy.stats")
    stack, values = stack_of(np.float64, how)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = astropy.sigma_clip(
            values, sigma=3, maxiters=1, cenfunc="median", stdfunc=spread, axis=0
        )
    ours = sigma_clip(
        stack, sigma=3, iterations=1, centre="median", details=True,
        spread="MAD" if spread == "mad_std" else "standard deviation",
    )  # fmt: skip
    several = np.isfinite(values).sum(axis=0) > 2
    np.testing.assert_array_equal(ours.used[several], theirs.count(axis=0)[several])
    np.testing.assert_allclose(ours.image[several], theirs.mean(axis=0)[several], rtol=1e-12)


@pytest.mark.parametrize("median", [True, False])
def test_one_round_of_ours_rejects_all_that_one_of_siril_and_iraf_does(median):
    # Theirs is the deviation of a sample, about the centre: never less than ours of a population.
    data, _ = values_with_outliers((12, 12), seed=3)
    centre = np.median if median else np.mean
    wider = 2.5 * np.sqrt(FRAMES / (FRAMES - 1))
    options = {"iterations": 1, "centre": "median" if median else "mean", "details": True}
    ours = sigma_clip(Stack.wrap(data), sigma=2.5, **options)
    equal = sigma_clip(Stack.wrap(data), sigma=wider, **options)
    for y, x in np.ndindex(data.shape[1:]):
        siril = rounds_of(data[:, y, x], centre, lambda kept: kept.std(ddof=1), most=1)
        assert equal.used[y, x] == len(siril)
        assert ours.used[y, x] <= len(siril)
        if median:
            iraf = published.iraf_sigclip(data[:, y, x], median=True, most=1)
            assert ours.used[y, x] <= len(iraf)
    assert ours.rejected.sum() > 60


def test_iraf_percentile_clipping_is_the_clip_by_the_mad_where_values_are_symmetric():
    rng = np.random.default_rng(0)
    half = rng.normal(0, 5, (6, 8, 8))
    data = np.concatenate([100 + half, [np.full((8, 8), 100.0)], 100 - half])  # 13 values
    scale = 3 / published.MAD_TO_SIGMA
    ours = sigma_clip(
        Stack.wrap(data), sigma=scale, iterations=1, centre="median", spread="MAD", details=True
    )
    kept = [len(published.iraf_pclip(data[:, y, x])) for y, x in np.ndindex(8, 8)]
    np.testing.assert_array_equal(ours.used.ravel(), kept)
    assert ours.rejected.sum() > 20


def test_three_values_are_clipped_by_a_share_or_by_the_mad():
    values = np.array([100.0, 101, 200]).reshape(3, 1, 1)
    found = sigma_clip(Stack.wrap(values), method=PercentileClip(below=0.2, above=0.1))
    assert found.image.item() == pytest.approx(100.5)
    robust = sigma_clip(Stack.wrap(values), centre="median", spread="MAD", sigma=3)
    assert robust.rejected.item() == 1
