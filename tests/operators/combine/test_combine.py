"""`combine` against NumPy, known values, and bad input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import Percentile, WeightedMean, combine
from support.combining import HOLES, masked_in_some_way, product_by_numpy

DTYPES = [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64]


FLOATS = ("sum", "product", "standard deviation", "difference")


NUMPY = {
    "mean": lambda d: np.nanmean(d, axis=0),
    "median": lambda d: np.nanmedian(d, axis=0),
    "sum": lambda d: np.nansum(d, axis=0),
    "product": product_by_numpy,
    "minimum": lambda d: np.nanmin(d, axis=0),
    "maximum": lambda d: np.nanmax(d, axis=0),
    "range": lambda d: np.nanmax(d, axis=0) - np.nanmin(d, axis=0),
    "standard deviation": lambda d: np.nanstd(d, axis=0),
    "difference": lambda d: d[0] - np.nansum(d[1:], axis=0),
    "percentile": lambda d: np.nanpercentile(d, 20, axis=0),
}


def option(method):
    return Percentile(20) if method == "percentile" else method


@pytest.mark.parametrize("method", NUMPY)
@pytest.mark.parametrize("dtype", [bool, *DTYPES])
@pytest.mark.parametrize("shape", [(5, 7, 6), (4, 7, 6, 3), (1, 7, 6), (2, 1, 1)])
def test_combine_is_what_numpy_makes(method, dtype, shape):
    data = np.random.default_rng(2).integers(0, 255, shape)
    data = (data > 99) if dtype is bool else data.astype(dtype)
    found = combine(Stack.wrap(data), method=option(method))
    expected = NUMPY[method](data.astype(np.float64))
    if method in FLOATS:
        assert found.dtype == np.float64
    else:
        assert found.dtype == dtype
        if dtype is bool:
            expected = expected > 0.5
        elif np.dtype(dtype).kind in "ui":
            expected = np.rint(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@given(
    seed=st.integers(0, 2**16),
    frames=st.sampled_from([1, 2, 3, 4, 5, 8, 9, 31, 300]),
    method=st.sampled_from(list(NUMPY)),
    dtype=st.sampled_from(DTYPES),
    holes=st.booleans(),
    colours=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_holes_do_not_count(seed, frames, method, dtype, holes, colours):
    rng = np.random.default_rng(seed)
    data = rng.integers(1, 100, (frames, 5, 4, *([3] if colours else []))).astype(dtype)
    exact = data.astype(np.float64)
    if holes and data.dtype.kind == "f":
        hole = rng.random(data.shape[:3]) < 0.3
        hole[0] = False  # each pixel is covered
        data[hole] = exact[hole] = np.nan
    found = combine(Stack.wrap(data), method=option(method), dtype="float64")
    np.testing.assert_allclose(found, NUMPY[method](exact), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", NUMPY)
@pytest.mark.parametrize("dtype", ["automatic", "input", "float32"])
def test_what_no_frame_covers_is_0_or_nan(method, dtype):
    data = np.full((3, 2, 2, 4), 200, np.uint8)
    data[..., 3] = 255
    data[:, 0, 0, 3] = 0  # transparent in all
    data[1:, 0, 1, 3] = 0  # in all but the first
    image = combine(Stack.wrap(data, rgb=True), method=option(method), dtype=dtype)
    if image.dtype.kind == "f":
        assert np.isnan(image[0, 0]).all()
        assert np.isfinite(image[0, 1]).all()
    else:
        assert (image[0, 0] == 0).all()
    if method in ("mean", "median", "sum", "maximum", "difference", "percentile"):
        assert image[0, 1, 0] == 200


def test_a_difference_is_covered_where_the_first_frame_is():
    data = np.arange(1.0, 13).reshape(3, 2, 2)
    data[0, 0, 0] = data[1, 0, 1] = np.nan
    found = combine(Stack.wrap(data), method="difference")
    np.testing.assert_array_equal(found, [[np.nan, 2 - 10], [3 - 7 - 11, 4 - 8 - 12]])
    used = replace(Stack.wrap(data), used=np.array([False, True, True]))
    np.testing.assert_array_equal(combine(used, method="difference")[1], [7 - 11, 8 - 12])


def test_nothing_wraps_around():
    data = np.full((300, 2, 2), 65535, np.uint16)
    assert (combine(Stack.wrap(data), method="sum") == 300 * 65535).all()
    assert (combine(Stack.wrap(data), method="sum", dtype="input") == 65535).all()
    assert (combine(Stack.wrap(data), method="difference", dtype="input") == 0).all()
    assert (combine(Stack.wrap(data), method="product") == 65535).all()
    data[0] = 0
    assert (combine(Stack.wrap(data), method="product") == 0).all()
    data[0] = 32768
    found = combine(Stack.wrap(data), method="product", dtype="input")
    assert (found == 32768).all()


@pytest.mark.parametrize("method", ["mean", "median", "maximum"])
def test_the_order_of_frames_does_not_matter(method):
    data = np.random.default_rng(3).integers(0, 4000, (12, 9, 8), np.uint16)
    order = np.random.default_rng(4).permutation(12)
    one, other = (combine(Stack.wrap(d), method=method) for d in (data, data[order]))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", [*NUMPY, "weighted mean"])
@pytest.mark.parametrize("holes", [False, True])
def test_workers_and_memory_change_no_bit(method, holes):
    data = np.random.default_rng(5).normal(100, 9, (23, 211, 157)).astype(np.float32)
    if holes:
        data[np.random.default_rng(6).random(data.shape) < 0.01] = np.nan
    runs = [Run(workers=n, memory=m) for n in (1, 2, 5) for m in (2**20, 2**30)]
    first, *rest = (combine(Stack.wrap(data), method=option(method), run=run) for run in runs)
    for other in rest:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("method", [*NUMPY, "weighted mean"])
def test_cancelling_stops_it(method):
    def tick(done, total, what):
        if done > 2:
            raise Cancelled

    stack = Stack.wrap(np.zeros((9, 400, 50), np.float32) + 1)
    with pytest.raises(Cancelled):
        combine(stack, method=option(method), run=Run(memory=2**20, tick=tick))


def test_weights_can_be_given(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (3, 4, 5)).astype(np.uint8)
    expected = np.rint(np.average(data, axis=0, weights=[1, 2, 0.5]))
    np.save(tmp_path / "w.npy", [1, 2, 0.5])
    (tmp_path / "w.csv").write_text("1,2,0.5\n")
    (tmp_path / "w.txt").write_text("1\n2\n0.5\n")
    given_ = [np.array([1, 2, 0.5]), *(tmp_path / f"w.{kind}" for kind in ("npy", "csv", "txt"))]
    for weights in given_:
        found = combine(Stack.wrap(data), method=WeightedMean(weights))
        np.testing.assert_array_equal(found, expected)


def test_a_weight_of_0_leaves_a_frame_out():
    data = np.array([1.0, 5, 9]).reshape(3, 1, 1) * np.ones((1, 2, 2))
    data[0, 0, 0] = np.nan
    found = combine(Stack.wrap(data), method=WeightedMean(np.array([1, 0, 0])))
    np.testing.assert_array_equal(found, [[np.nan, 1], [1, 1]])


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([1, 2], "2 weights do not fit 3 frames"),
        ([1, -2, 1], "0 or more, and finite"),
        ([1, np.nan, 1], "0 or more, and finite"),
        ([0, 0, 0], "the weights of all used frames are 0"),
    ],
)
def test_weights_that_fit_nothing_are_refused(weights, said):
    with pytest.raises(ValueError, match=said):
        combine(Stack.wrap(np.zeros((3, 4, 4))), method=WeightedMean(np.array(weights)))


def test_a_file_that_holds_no_weights_is_named(tmp_path):
    (tmp_path / "w.txt").write_text("one two three")
    with pytest.raises(ValueError, match=r"w\.txt holds no list of weights"):
        combine(Stack.wrap(np.zeros((3, 4, 4))), method=WeightedMean(tmp_path / "w.txt"))


def test_methods_with_options_go_through_plain_data():
    options = {"method": Percentile(90), "dtype": "float32"}
    plain = options_to_json(combine, options)
    assert plain == {"method": {"name": "percentile", "percentile": 90}, "dtype": "float32"}
    assert options_from_json(combine, plain) == options
    weighted = options_from_json(combine, {"method": {"name": "weighted mean", "weights": "w.csv"}})
    assert weighted == {"method": WeightedMean("w.csv")}
    assert WeightedMean(np.ones(3)) == WeightedMean(np.ones(3)) != WeightedMean()
    assert len({WeightedMean(), WeightedMean(np.ones(3))}) == 2
    with pytest.raises(ValueError, match="percentile must be a number in the range 0 to 100 %"):
        Percentile(101)


@pytest.mark.parametrize("method", ["mean", "median"])
def test_no_used_frame_is_refused(method):
    stack = replace(Stack.wrap(np.zeros((3, 4, 4))), used=np.zeros(3, bool))
    with pytest.raises(ValueError, match="none of the 3 frames is used"):
        combine(stack, method=method)


def test_every_position_of_a_hyperstack_is_combined():
    data = np.random.default_rng(0).integers(0, 99, (3, 2, 4, 5), np.uint8)
    hyper = Hyperstack.wrap(data, axes="tcyx")
    found = hyper.map(combine, method="median")
    np.testing.assert_array_equal(found, np.rint(np.median(data, axis=0)))


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
