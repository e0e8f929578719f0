"""`denoise` and `sharpen`: known noise goes, details stay, in every type, in bands too."""

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import combine, denoise, sharpen
from napari_stack.operators.filters.denoise_sharpen import data_range, polished

RANGES = [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 65535), (np.float32, 1), (np.float64, 9)]


def scene(channels=()):
    """Discs on a slope, from 0 to 1."""
    y, x = np.mgrid[:90, :100]
    grey = 0.2 + 0.3 * x / 100
    for centre in ((20, 30), (60, 60), (45, 20)):
        grey[np.hypot(y - centre[0], x - centre[1]) < 12] += 0.4
    colours = np.array([1.0, 0.8, 0.5, 0.9])[: int(np.prod(channels))]
    return grey.reshape(*grey.shape, *(1,) * len(channels)) * colours.reshape(channels)


def noisy(dtype, top, channels=(), sigma=8 / 255):
    rng = np.random.default_rng(1)
    clean = scene(channels)
    data = np.clip(clean + rng.normal(0, sigma, (2, *clean.shape)), 0, 1) * top
    data[:, 0, 0] = top  # what 12 bits can hold is used
    return clean * top, (data if np.dtype(dtype).kind == "f" else np.rint(data)).astype(dtype)


@pytest.mark.parametrize(("dtype", "top"), RANGES)
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_noise_goes_and_edges_stay_in_every_type(dtype, top, channels):
    clean, data = noisy(dtype, top, channels)
    stack = Stack.wrap(data, rgb=channels == (3,))
    found = denoise(stack, strength=8.0)[0]
    assert found.dtype == dtype

    def error(frame):
        return np.sqrt(np.mean((frame[4:].astype(float) - clean[4:]) ** 2)) / top

    assert error(found) < 0.55 * error(data[0])


def test_12_bits_in_16_are_denoised_as_8_bits_are():
    _, data = noisy(np.uint8, 255)
    small = denoise(Stack.wrap(data), strength=8.0)[0].astype(float)
    large = denoise(Stack.wrap(data.astype(np.uint16) * 16 + 15), strength=8.0)[0].astype(float)
    np.testing.assert_allclose((large - 15) / 16, small, atol=1.5)


def test_a_strength_of_0_changes_nothing():
    stack = Stack.wrap(noisy(np.uint8, 255)[1])
    assert denoise(stack, strength=0) is stack
    assert sharpen(stack, amount=0) is stack


def test_what_is_even_keeps_all_its_digits():
    data = np.full((2, 40, 40), 1234.56789)
    data[:, 20:] = 3.25
    np.testing.assert_array_equal(denoise(Stack.wrap(data), strength=1.0)[0], data[0])


@pytest.mark.parametrize("operator", [denoise, sharpen])
def test_rows_are_those_of_the_whole_frame(operator):
    stack = operator(Stack.wrap(noisy(np.uint16, 4095, (3,))[1]))
    whole = stack.read(1)[0]
    for rows in (slice(0, 9), slice(30, 60), slice(80, 90)):
        np.testing.assert_allclose(stack.read(1, rows)[0], whole[rows], rtol=1e-5, atol=0.02)


def test_alpha_stays_and_counts():
    _, data = noisy(np.uint8, 255, (4,))
    data[..., 3] = 255
    data[:, :5, :, 3] = 100
    stack = Stack.wrap(data, rgb=True)
    for found in (denoise(stack, strength=8.0), sharpen(stack)):
        values, valid = found.read(0)
        np.testing.assert_array_equal(values[..., 3], data[0, ..., 3])
        assert not valid[:5].any()
        assert valid[5:].all()
        assert not np.array_equal(values[5:, :, :3], data[0, 5:, :, :3])


def test_sharpening_makes_an_edge_steeper_and_leaves_even_places():
    data = np.full((2, 30, 40), 100, np.uint8)
    data[:, :, 20:] = 150
    found = sharpen(Stack.wrap(data), amount=1.0, radius=1.5)[0].astype(int)
    assert (found[:, 19] < 95).all()
    assert (found[:, 20] > 155).all()
    assert (found[:, :10] == 100).all()
    assert (found[:, 30:] == 150).all()


def test_what_lies_outside_does_not_ring_into_a_sharpened_frame():
    data = np.full((2, 30, 40), 7.0, np.float32)
    data[:, :, :12] = np.nan
    values, valid = sharpen(Stack.wrap(data), amount=2.0).read(0)
    np.testing.assert_allclose(values[valid], 7.0, rtol=1e-5)


def test_it_goes_on_into_an_average():
    clean, data = noisy(np.uint16, 4095)
    smooth = combine(denoise(Stack.wrap(data), strength=8.0), run=Run(memory=2**20)).astype(float)
    mean = data.mean(axis=0)
    assert np.abs(smooth - clean)[4:].mean() < 0.8 * np.abs(mean - clean)[4:].mean()


def test_an_image_made_of_frames_is_treated_alike():
    clean, data = noisy(np.uint16, 4095)
    mean = data.astype(np.float32).mean(axis=0)
    smooth = polished(mean, None, Stack.wrap(data), 6.0, 0.0, Run())
    crisp = polished(mean, None, Stack.wrap(data), 0.0, 1.0, Run())
    assert np.abs(smooth - clean)[4:].mean() < 0.8 * np.abs(mean - clean)[4:].mean()
    detail = [np.abs(np.diff(image, axis=0)).mean() for image in (smooth, mean, crisp)]
    assert detail == sorted(detail)
    np.testing.assert_array_equal(polished(mean, None, Stack.wrap(data), 0.0, 0.0, Run()), mean)


def test_the_range_is_that_of_the_bits_in_use():
    assert data_range(Stack.wrap(np.zeros((2, 3, 3), np.uint8)), Run()) == (0, 255)
    assert data_range(Stack.wrap(np.full((2, 3, 3), 900, np.uint16)), Run()) == (0, 1023)
    low, high = data_range(Stack.wrap(np.linspace(-2, 5, 18).reshape(2, 3, 3)), Run())
    assert (low, high) == (-2, 5)
    assert np.isfinite(denoise(Stack.wrap(np.zeros((2, 30, 30), np.float32)))[0]).all()


@pytest.mark.parametrize(
    ("operator", "options"),
    [(denoise, {"strength": -1.0}), (sharpen, {"amount": 9.0}), (sharpen, {"radius": 0.0})],
)
def test_options_out_of_range_are_refused(operator, options):
    with pytest.raises(ValueError, match=f"{operator.__name__}: .* must be a number in the range"):
        operator(Stack.wrap(np.zeros((2, 8, 8))), **options)
