"""Averages of which little can be made: an image that loses nothing, or a clear sentence."""

import warnings

import numpy as np
import pytest

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.operators import GeneralisedESD, MinMax, PercentileClip, combine, sigma_clip

BASE = np.random.default_rng(0).normal(100, 8, (5, 12, 14)).astype(np.float32)

#: Ways to clip of which many would leave nothing.
STRICT = [
    {"sigma": 0.1},
    {"sigma": 0.1, "centre": "median", "spread": "MAD"},
    {"sigma": 0.1, "centre": "median", "spread": "winsorised"},
    {"method": "linear fit", "sigma": 0.1},
    {"method": PercentileClip(below=0.0, above=0.0)},
    {"method": GeneralisedESD(outliers=0.5, significance=0.5)},
    {"method": MinMax(least=2, greatest=2)},
]


@pytest.mark.filterwarnings("ignore:.*(can be rejected|cannot be clipped)")
@pytest.mark.parametrize("options", STRICT, ids=str)
def test_thresholds_that_would_leave_nothing_keep_a_value_of_those_there_are(options):
    found = sigma_clip(Stack.wrap(BASE), details=True, **options)
    assert (found.used >= 1).all()
    assert ((found.image >= BASE.min(axis=0)) & (found.image <= BASE.max(axis=0))).all()
    np.testing.assert_array_equal(found.used + found.rejected, 5)
    one = BASE[:1]
    if not isinstance(options.get("method"), MinMax):
        np.testing.assert_array_equal(sigma_clip(Stack.wrap(one), **options).image, one[0])


@pytest.mark.parametrize(
    ("data", "expected"),
    [(np.full((4, 6, 7), np.nan, np.float32), np.nan), (np.full((4, 6, 7), 7, np.uint16), 7),
     (np.zeros((4, 6, 7), np.uint8), 0), (np.full((4, 1, 1), 3, np.uint8), 3)],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*(hardly be clipped|cannot be clipped)")
def test_frames_without_values_or_differences(data, expected):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="sigma_clip, method='auto'")
        few = () if np.isnan(expected) else ("auto",)  # levels of nothing are refused
        for method in (*few, "sigma", "linear fit", "generalised ESD", "percentile clip"):
            image = sigma_clip(Stack.wrap(data), method=method).image
            np.testing.assert_array_equal(image, np.full(data.shape[1:], expected))
    for method in ("mean", "median", "minimum", "maximum", "weighted mean"):
        np.testing.assert_array_equal(combine(Stack.wrap(data), method=method), image)


def test_what_leaves_nothing_for_certain_is_refused():
    with pytest.raises(UserError, match="of one frame the 1 least and the 1 greatest values are"):
        sigma_clip(Stack.wrap(BASE[:1]), method="min max")
    with pytest.raises(UserError, match="none of the 5 frames is used"):
        sigma_clip(Stack(Stack.wrap(BASE).source, used=np.zeros(5, bool)))
