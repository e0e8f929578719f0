"""`Stack`: laziness, working values, casting, selection, validity."""

import pickle
from dataclasses import dataclass, replace

import dask.array
import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.correction import Correction
from napari_stack.core.pixels.casting import cast
from napari_stack.core.source import ArraySource
from napari_stack.core.sources.stack_source import Rendered
from napari_stack.core.stack import Stack

RNG = np.random.default_rng(5)


@dataclass(frozen=True, eq=False)
class Gain(Correction):
    """A correction for trying: a gain for each frame, and rows shifted down by one."""

    gains: np.ndarray

    def apply(self, values, valid, index, rows):
        return values * values.dtype.type(self.gains[index]), valid

    def merged(self, later):
        return Gain(self.gains * later.gains)

    def select(self, frames):
        return Gain(self.gains[frames])

    def join(self, others):
        return Gain(np.concatenate([self.gains, *(o.gains for o in others)]))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "u8", "f2", "f4", "f8", "?", ">u2"])
def test_a_frame_without_corrections_is_handed_on_untouched(dtype):
    data = RNG.integers(0, 2 if dtype == "?" else 99, (3, 4, 5)).astype(dtype)
    stack = Stack.wrap(data)
    for frame, expected in zip(stack, data, strict=True):
        np.testing.assert_array_equal(frame, expected)
        assert frame.dtype == data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(np.asarray(stack), data)


@pytest.mark.parametrize(
    ("dtype", "working"),
    [
        ("u1", "f4"),
        ("u2", "f4"),
        ("i4", "f8"),
        ("u8", "f8"),
        ("f2", "f4"),
        ("f8", "f8"),
        ("?", "f4"),
    ],
)
def test_working_type(dtype, working):
    stack = Stack.wrap(np.ones((2, 3, 4), dtype))
    assert stack.working == working
    assert stack.read(0)[0].dtype == working


def test_corrections_run_in_order_and_the_result_is_rounded_and_clipped_once():
    data = np.array([[[10, 200]], [[11, 255]]], np.uint8)
    stack = Stack.wrap(data).corrected(Gain(np.array([1.25, 0.1])))
    np.testing.assert_array_equal(np.asarray(stack), [[[12, 250]], [[1, 26]]])
    values, valid = stack.read(1)
    np.testing.assert_allclose(values, [[1.1, 25.5]], rtol=1e-6)
    assert valid is None
    merged = stack.corrected(Gain(np.array([2.0, 10.0])))
    assert len(merged.corrections) == 1
    np.testing.assert_array_equal(np.asarray(merged), [[[25, 255]], [[11, 255]]])
    assert data[0, 0, 1] == 200


def test_only_wanted_rows_are_read():
    data = RNG.integers(0, 99, (2, 9, 4), np.uint8)
    stack = Stack.wrap(data).corrected(Gain(np.array([1.0, 2.0])))
    np.testing.assert_array_equal(stack.read(1, slice(3, 6))[0], 2.0 * data[1, 3:6])
    np.testing.assert_array_equal(stack.render(1, slice(3, 6)), 2 * data[1, 3:6])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("computed", [False, True])
def test_an_opened_frame_gives_its_rows_and_is_read_once(dtype, computed):
    data = RNG.integers(1, 99, (3, 9, 4)).astype(dtype)
    if dtype == np.float32:
        data[1, 2, 3] = np.nan
    whole = dask.array.from_array(data, chunks=(1, 9, 4))  # gives no rows for less
    stack = Stack.wrap(whole).corrected(Gain(np.array([1.0, 2.0, 3.0])))
    stack = Stack(Rendered(stack)) if computed else stack
    frame = stack.opened(1)
    assert len(frame) == 1
    for rows in (None, slice(0, 5), slice(2, 9), slice(2, 9)):  # nothing is changed in place
        for found, expected in zip(frame.read(0, rows), stack.read(1, rows), strict=True):
            np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(frame[0], stack[1])
    assert frame.source.label(0) == stack.source.label(1)


@pytest.mark.parametrize(
    ("numbers", "step", "unit"),
    [
        (range(1, 5), 2.5, "um"),
        ([7], 2.5, "um"),
        (range(0, 9, 3), 7.5, "um"),
        (range(8, -1, -2), 5.0, "um"),
        ([0, 3, 8], 1.0, "pixel"),
        ([2, 2], 1.0, "pixel"),
    ],
)
def test_selected_frames_lie_as_far_apart_as_they_did(numbers, step, unit):
    stack = Stack.wrap(np.zeros((9, 4, 5), np.uint8))
    stack = replace(stack, axes=(Axis("z", 2.5, "um"), *stack.axes[1:]))
    axis = stack.select(list(numbers)).axes[0]
    assert (axis.name, axis.step, axis.unit) == ("z", step, unit)


def test_select_takes_corrections_and_used_along():
    data = np.arange(4, dtype=np.uint8).reshape(4, 1, 1)
    stack = replace(
        Stack.wrap(data).corrected(Gain(np.array([1, 2, 3, 4]))),
        used=np.array([True, False, True, True]),
    )
    chosen = stack.select([3, 1, 1])
    assert np.asarray(chosen).ravel().tolist() == [12, 2, 2]
    assert chosen.used.tolist() == [True, False, False]
    assert len(stack.select(stack.used)) == 3
    with pytest.raises(IndexError, match="frame 4 of a stack of 4"):
        stack.select([4])
    assert stack[-1].item() == 12


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.uint64])
def test_casting_rounds_and_clips_at_the_ends_of_the_type(dtype):
    limits = np.iinfo(dtype)
    working = np.float64 if np.dtype(dtype).itemsize > 2 else np.float32
    values = np.array([[-1e30, 1e30, 2.5, 3.5, 7.0]], working)
    result = cast(values, dtype, np.array([[True, True, True, True, False]]))
    assert result.dtype == dtype
    assert result[0, 2:].tolist() == [2, 4, 0]
    assert result[0, 0] == limits.min
    assert limits.max - int(result[0, 1]) <= limits.max // 2**52


def test_casting_to_float_marks_invalid_pixels():
    result = cast(np.ones((1, 2)), np.float32, np.array([[True, False]]))
    assert result[0, 0] == 1
    assert np.isnan(result[0, 1])


def test_nan_and_declared_alpha_are_invalid():
    data = np.ones((1, 2, 2), np.float32)
    data[0, 1, 1] = np.nan
    values, valid = Stack.wrap(data).read(0)
    assert valid.tolist() == [[True, True], [True, False]]
    assert np.isfinite(values).all()
    colours = np.full((1, 1, 2, 4), 255, np.uint8)
    colours[0, 0, 0, 3] = 254
    assert Stack.wrap(colours, rgb=True).read(0)[1].tolist() == [[False, True]]
    # A fourth band is data unless it is called alpha.
    assert Stack.wrap(colours).read(0)[1] is None


def test_what_cannot_be_stacked_is_refused():
    with pytest.raises(ValueError, match=r"needs frames along its first axis.*\(4, 5\)"):
        Stack.wrap(np.zeros((4, 5)))
    with pytest.raises(ValueError, match="the stack is empty"):
        Stack.wrap(np.zeros((0, 4, 5)))
    with pytest.raises(ValueError, match="complex128 pixels cannot be stacked"):
        Stack.wrap(np.zeros((2, 4, 5), complex))
    with pytest.raises(ValueError, match="colours need 3 or 4 channels, got 2"):
        Stack.wrap(np.zeros((2, 4, 5, 2)), rgb=True)


def test_dask_goes_in_and_comes_out_a_chunk_a_frame():
    data = RNG.integers(0, 99, (4, 6, 5, 3), np.uint16)
    stack = Stack.wrap(dask.array.from_array(data, chunks=(1, 6, 5, 3)))
    assert stack.rgb
    assert not stack.source.partial
    array = stack.corrected(Gain(np.ones(4))).to_dask()
    assert array.chunks[0] == (1, 1, 1, 1)
    np.testing.assert_array_equal(array.compute(scheduler="synchronous"), data)
    np.testing.assert_array_equal(array[2].compute(), data[2])


def test_a_stack_survives_pickling():
    stack = Stack.wrap(np.ones((2, 3, 4)), axes=(Axis("t", 2.0, "s"), Axis("y"), Axis("x")))
    again = pickle.loads(pickle.dumps(stack.corrected(Gain(np.array([1, 2])))))
    np.testing.assert_array_equal(again[1], 2 * np.ones((3, 4)))
    assert again.axes[0] == Axis("t", 2.0, "s")


def test_seen_closes_the_corrections():
    stack = Stack.wrap(np.full((2, 3, 4), 3, np.uint8)).corrected(Gain(np.array([0.5, 2])))
    closed = replace(stack, source=Rendered(stack), corrections=())
    np.testing.assert_array_equal(closed.read(0, slice(1, 2))[0], np.full((1, 4), 1.5))
    np.testing.assert_array_equal(closed[0], np.full((3, 4), 2))
    assert closed.source.label(1) == "frame 1"
    assert isinstance(stack.source, ArraySource)


def test_wrong_frames_are_refused():
    stack = Stack.wrap(np.zeros((3, 4, 5)))
    with pytest.raises(TypeError, match=r"asked for by its number, got slice.*select"):
        stack[0:2]
    with pytest.raises(TypeError, match=r"asked for by its number, got 1\.5"):
        stack[1.5]
    with pytest.raises(IndexError, match=r"a mask of the shape \(2,\) does not fit a stack of 3"):
        stack.select(np.ones(2, bool))
    with pytest.raises(ValueError, match="used needs one entry for each of the 3 frames"):
        replace(stack, used=np.ones(2, bool))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(k, d) for k in ("float32", "float64") for d in ("uint8", "int8", "uint16")]
    + [("float64", "int32"), ("float64", "uint32")],
)
def test_floats_are_rounded_half_to_even_and_clipped(kind, dtype):
    values = np.array([[-1e10, -0.6, 0.5, 1.5, 2.5, 99.4, 254.5, 65534.5, 1e10]], kind)
    limits = np.iinfo(dtype)
    wanted = [min(max(round(float(v)), limits.min), limits.max) for v in values[0]]
    for given in (values, np.asfortranarray(np.repeat(values, 3, axis=0))):
        result = cast(given.copy(order="K"), dtype, np.ones(given.shape, bool))
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, [wanted] * len(given))
