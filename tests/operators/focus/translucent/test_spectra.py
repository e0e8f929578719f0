"""Growth of blur from spectra, and the filters that follow from it."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.operators.focus.translucent.filtering import FilteredSum, filters
from napari_stack.operators.focus.translucent.spectra import FREQUENCIES, SeriesSpectra


@pytest.mark.parametrize("blur", [0.9, 1.4])
def test_the_growth_is_that_of_the_lens(blur):
    stack, _ = samples.fluorescent(9, (160, 180), 2, blur=blur)
    spectra = SeriesSpectra(160, 180)
    for frame in np.asarray(stack).astype(float):
        spectra.add(frame)
    assert spectra.growth() == pytest.approx(blur, rel=0.15)


def test_frames_that_have_nothing_in_common_have_no_growth():
    spectra = SeriesSpectra(64, 64)
    for frame in np.random.default_rng(0).normal(0, 1, (6, 64, 64)):
        spectra.add(frame)
    assert spectra.growth() is None


def test_white_noise_has_a_power_of_its_variance():
    spectra = SeriesSpectra(128, 128)
    spectra.add(np.random.default_rng(0).normal(0, 3, (128, 128)))
    assert np.median(spectra.power) == pytest.approx(9, rel=0.1)


def test_filters_focus_every_plane_and_keep_the_brightness():
    places = np.arange(5.0)
    gains = filters(places, 1.2, np.full(FREQUENCIES.shape, 1e6), 1.0)
    assert gains[0].sum() == pytest.approx(1)
    for plane in range(5):
        squares = (places - plane) ** 2
        seen = np.exp(-2 * (np.pi * FREQUENCIES[:, np.newaxis] * 1.2) ** 2 * squares)
        passed = np.sum(gains * seen, axis=1)
        assert np.abs(passed[FREQUENCIES < 0.3] - 1).max() < 0.2


def test_a_sum_of_frames_that_pass_unfiltered_is_their_mean():
    frames = np.random.default_rng(0).normal(0, 1, (4, 30, 21, 2)).astype(np.float32)
    total = FilteredSum((30, 21, 2), np.full((len(FREQUENCIES), 4), 0.25))
    for number, frame in enumerate(frames):
        total.add(number, frame)
    np.testing.assert_allclose(total.image(), frames.mean(axis=0), atol=1e-5)
    assert total.noise == pytest.approx(0.5)
