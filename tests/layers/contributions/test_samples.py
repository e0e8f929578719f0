"""The sample data of the menu: each operator has one, and its truth lies in the metadata."""

import inspect

import numpy as np
import pytest
from napari.layers import Image

from napari_stack import layers, samples
from napari_stack.layers.contributions import samples as sample_layers

#: Pixels along a side.
LARGEST = 256


@pytest.fixture(scope="module")
def smaller():
    """Samples of fewer pixels than the menu gives, which tell as much."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(samples.__all__) - {"vignetted"}:  # which needs all its pixels
            make = getattr(samples, name)
            given = inspect.signature(make).parameters["size"].default
            size = tuple(min(side, LARGEST) for side in given)
            patch.setattr(samples, name, _of_size(make, size))
        yield


def _of_size(make, size):
    return lambda **options: make(size=size, **options)


@pytest.fixture(scope="module")
def sample(smaller):
    """Gives the last layer of a sample, and its truth; each is made once."""
    made = {}

    def sample(name):
        if name not in made:
            given = getattr(sample_layers, name)()
            assert {kind for _, _, kind in given} == {"image"}
            made[name] = [Image(data, **how) for data, how, _ in given]
        return made[name][-1], made[name][-1].metadata["truth"]

    return sample


@pytest.mark.parametrize(
    "name",
    ["drifting_cells", "cosmic_rays", "focus_series", "hyperstack", "vignetted", "shaded",
     "flickering", "bleaching", "hot_pixels", "deforming", "scanned",
     "wobbling"],
)  # fmt: skip
def test_layers_have_axes_units_and_truth(name, sample):
    layer, truth = sample(name)
    assert layer.axis_labels[-2:] == ("y", "x")
    assert "pixel" not in {str(unit) for unit in layer.units[-2:]}
    if name in ("drifting_cells", "cosmic_rays", "focus_series", "hyperstack"):
        assert str(layer.units[-1]) == "micrometer"
        assert layer.contrast_limits[0] == 0
    assert truth
    assert all(isinstance(value, np.ndarray) for value in truth.values())


def test_balance_finds_the_brightness(sample):
    layer, truth = sample("flickering")
    balanced = np.asarray(layers.balance(layer).data).mean(axis=(1, 2))
    assert np.ptp(truth["brightness"]) > 0.3
    np.testing.assert_allclose(balanced / truth["clean"].mean(), 1, atol=0.005)


def test_bleaching_finds_the_decay(sample):
    layer, truth = sample("bleaching")
    even = np.asarray(layers.correct_bleaching(layer).data).mean(axis=(1, 2))
    assert truth["decay"][[0, -1]].tolist() == [1.0, 0.4]
    np.testing.assert_allclose(even / truth["clean"].mean(), 1, atol=0.01)


def test_recorded_fields_take_out_the_shading(sample):
    layer, truth = sample("shaded")
    fields = [Image(truth[name]) for name in ("flat", "dark")]
    made = layers.correct_flat_field(layer, flat=fields[0], dark=fields[1])
    middle = len(made.data) // 2
    found = np.asarray(made.data[middle]).astype(float)
    off = [
        abs(image - truth["clean"]).mean() for image in (found, layer.data[middle].astype(float))
    ]
    assert off[0] < 60, "noise of 2/255 alone is 26"
    assert off[1] > 2 * off[0]


def test_vignetting_is_taken_out(sample):
    layer, truth = sample("vignetted")
    made = np.asarray(layers.correct_vignetting(layer).data[4]).astype(float)
    corner = np.s_[:60, :60]
    before, after = (image[corner].mean() / truth["clean"][corner].mean()
                     for image in (layer.data[4], made))  # fmt: skip
    assert before < 0.75
    assert abs(after - 1) < 0.06


def test_hot_pixels_are_found(sample):
    layer, truth = sample("hot_pixels")
    (found,) = layers.find_hot_pixels(layer)
    mask = np.asarray(found.data) != 0
    assert (mask & truth["mask"]).sum() > 0.9 * truth["mask"].sum()
    assert (mask & ~truth["mask"]).sum() < 20
    repaired = np.asarray(layers.repair_hot_pixels(layer).data[3]).astype(float)
    there = truth["mask"]
    errors = [
        abs(image[there] - truth["good"][3][there]).mean() for image in (layer.data[3], repaired)
    ]
    assert errors[1] < 0.1 * errors[0]
