"""One pixel through a stack."""

import warnings

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.axis import Axis
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.operators.inspection.pixel import clipped_values, pixel_values


def rays(n=9, dtype=np.uint16, size=(12, 14), channels=()):
    random = np.random.default_rng(5)
    data = random.normal(500, 20, (n, *size, *channels))
    data[random.random(data.shape) < 0.06] += 900
    return data.astype(dtype)


def test_a_pixel_is_what_the_frames_hold():
    data = rays()
    shifts = np.tile(np.eye(3), (9, 1, 1))
    shifts[:, 0, 2] = np.arange(9) - 4.0
    stack = ns.apply_transforms(Stack.wrap(data), ns.Transforms(shifts))
    found = pixel_values(stack, 3, 1)
    expected = [stack.read(i) for i in range(9)]
    np.testing.assert_array_equal(found.values[:, 0], [values[3, 1] for values, _ in expected])
    valid = [mask is None or mask[3, 1] for _, mask in expected]
    np.testing.assert_array_equal(found.valid, valid)
    assert not found.valid.all()
    assert found.counts.sum() == found.valid.sum()
    with pytest.raises(IndexError, match=r"the pixel \(12, 0\) is outside"):
        pixel_values(stack, 12, 0)


class Rows(ArraySource):
    """Counts the pixels that are read."""

    read_pixels = 0

    def pixels(self, index, rows=None):
        part, valid = super().pixels(index, rows)
        type(self).read_pixels += part.size
        return part, valid


def test_only_the_row_is_read():
    stack = Stack(Rows(rays()), axes=(Axis("t"), Axis("y"), Axis("x")))
    pixel_values(stack, 5, 6)
    assert Rows.read_pixels == 9 * 14


def test_colours_give_their_channels():
    data = rays(channels=(3,))
    found = pixel_values(Stack.wrap(data), 2, 2)
    np.testing.assert_array_equal(found.values, data[:, 2, 2])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    "options",
    [
        {"sigma": 1.8},
        {"sigma": 1.5, "sigma_high": 2.2, "iterations": 1},
        {"centre": "median", "spread": "MAD", "sigma": 3.0},
        {"centre": "median", "spread": "winsorised", "sigma": 2.0},
        {"iterations": 0},
    ],
)
def test_clipped_values_are_those_of_sigma_clip(options, dtype):
    data = rays(dtype=dtype)
    stack = Stack.wrap(data)
    clipped = ns.sigma_clip(stack, dtype="float64", **options)
    for y, x in ((0, 0), (3, 5), (7, 7), (11, 13), (4, 2)):
        pixel = pixel_values(stack, y, x)
        found = clipped_values(pixel.values[:, 0], pixel.counts, options)
        assert found.rejected.sum() == clipped.rejected[y, x]
        assert found.image == pytest.approx(clipped.image[y, x], rel=1e-6)
        kept = data[~found.rejected, y, x]
        assert found.low <= found.centre <= found.high
        if options.get("iterations") is None:  # it went on until nothing more strayed
            assert ((kept >= found.low - 1e-3) & (kept <= found.high + 1e-3)).all()


@pytest.mark.filterwarnings("ignore:8 frames can hardly be clipped")
def test_rejected_frames_are_marked_by_number():
    values = np.array([10, 11, 9, 10, 99, 10, 11, 9, 10], np.uint16)
    counts = np.ones(9, bool)
    assert np.flatnonzero(clipped_values(values, counts, {}).rejected).tolist() == [4]
    counts[4] = False
    found = clipped_values(values, counts, {})
    assert not found.rejected.any()
    assert found.centre == pytest.approx(10.0)
    nothing = clipped_values(values, np.zeros(9, bool), {})
    assert np.isnan([nothing.image, nothing.low]).all()


def test_levels_are_left_to_who_reads_the_values():
    values = np.array([10, 11, 9, 10, 99, 10, 11, 9, 10], np.float32)
    options = {"normalisation": "additive", "details": True, "dtype": "float32"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clipped_values(values, np.ones(9, bool), options).rejected.sum() == 1
