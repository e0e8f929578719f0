"""What transform="auto" becomes, and where that is told."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.core.axis import Axis
from napari_stack.files import read_recipe
from napari_stack.operators import Fourier, Phase
from napari_stack.operators.registration.transform_choice import suitable_transform
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.batch import run_series
from support.layers import image


@pytest.fixture(scope="module")
def cells():
    return samples.drifting_cells(3, (72, 88), shift=3.0, rotation=0, scale=0)[0]


def along(stack, name):
    return replace(stack, axes=(Axis(name), *stack.axes[1:]))


@pytest.mark.parametrize(
    ("axis", "method", "transform"),
    [
        ("time", "auto", "rigid"),
        ("Z", "auto", "similarity"),
        ("frame", "auto", "similarity"),
        ("t", Phase(), "translation"),
        ("t", Fourier(), "rigid"),
    ],
)
def test_it_follows_the_axis_and_what_the_method_can(cells, axis, method, transform):
    assert suitable_transform(along(cells, axis), method) == transform


def photographs(folder):
    exif = Picture.Exif()
    exif[272] = "X-100"
    rng = np.random.default_rng(3)
    for number in range(2):
        pixels = rng.integers(0, 255, (16, 16, 3), np.uint8)
        Picture.fromarray(pixels).save(folder / f"{number}.jpg", exif=exif)
    return ns.read(folder)


def test_photographs_tilt_unless_they_are_a_focus_series(tmp_path):
    stack = photographs(tmp_path)
    assert suitable_transform(stack) == "homography"
    assert suitable_transform(stack, Fourier()) == "similarity"
    assert suitable_transform(along(stack, "z")) == "similarity"
    assert suitable_transform(along(stack, "t")) == "rigid"


def test_it_gives_what_the_chosen_transform_gives(cells):
    stack = along(cells, "t")
    found = ns.measure_transforms(stack, transform="auto")
    chosen = ns.measure_transforms(stack, transform="rigid")
    np.testing.assert_array_equal(found.matrices, chosen.matrices)


def test_what_it_became_is_in_the_recipe_and_is_said(cells, tmp_path):
    job = layers.prepare("register", image(np.asarray(cells)), transform="auto")
    computed = job.compute()
    assert computed.step == Step("register", {"transform": "rigid"})
    assert "Transform: rigid, as suits these frames" in [said.text for said in computed.said]
    made = job.finish(computed)[0]
    kept = Recipe.from_json(made.metadata["napari_stack"]["recipe"])
    assert kept.steps == (Step("register", {"transform": "rigid"}),)
    ns.write(tmp_path / "cells.tif", along(cells, "t"))
    recipe = Recipe([Step("register", {"transform": "auto"}), Step("combine", save="mean.tif")])
    done = run_series(recipe, [str(tmp_path / "cells.tif")], tmp_path)
    written = Recipe.from_json(read_recipe(tmp_path / "mean.tif"))
    assert [step.options for step in written.steps] == [{"transform": "rigid"}, {}]
    assert done.recipe.steps[0].options == {"transform": "rigid"}


def test_a_method_may_be_named(cells):
    for method in ("phase", Phase()):
        step = Step("register", {"transform": "auto", "method": method}).settled(cells)
        assert step.options["transform"] == "translation"
