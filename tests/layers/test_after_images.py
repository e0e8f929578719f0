"""Layers made of images that were made of frames: fused, then registered."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.layers.jobs.recipe_job import (
    done_to,
    origin_of,
    prepare_again,
    prepare_recipe,
    recipe_behind,
)
from napari_stack.layers.stacks.save_layer import prepare_save
from napari_stack.recipe import Recipe, Step
from support.layers import run


@pytest.fixture(scope="module")
def hyper():
    return samples.hyperstack(3, 4, (48, 56))[0]


@pytest.fixture
def source(hyper):
    return layers.to_layer(hyper, "hyper")


def fused_and_moved(source):
    fused = layers.combine(source, axis="z", method="maximum")[0]
    return fused, layers.register(fused, axis="t", transform="translation")


def test_both_steps_are_in_the_recipe_which_gives_the_same_again(source):
    _, moved = fused_and_moved(source)
    steps, name = done_to(moved)
    assert [step.operator for step in steps] == ["combine", "register"]
    assert name == "hyper"
    assert Recipe.from_json(moved.metadata["napari_stack"]["recipe"]) == Recipe(steps)
    chain, look = origin_of(moved)
    assert (look.name, chain.data.shape) == ("hyper", (3, 2, 4, 48, 56))
    (again,) = run(prepare_again(Recipe(steps), moved))
    assert again.name == moved.name
    assert again.axis_labels == moved.axis_labels
    np.testing.assert_allclose(again.scale, moved.scale)
    np.testing.assert_array_equal(np.asarray(again.data), np.asarray(moved.data))
    assert done_to(again)[0] == steps
    assert origin_of(again)[1].name == "hyper"


def test_a_recipe_on_the_first_axis_goes_on_with_one_axis_less(hyper):
    source = layers.to_layer(hyper.along("z"), "hyper")
    steps = [Step("combine", axis="t"), Step("moving_average", input="combine", axis="c")]
    made = run(prepare_recipe(Recipe(steps), source))[0]
    assert made.data.shape == (2, 4, 48, 56)
    assert made.axis_labels == ("c", "z", "y", "x")


def test_a_file_brings_its_recipe_along(source, tmp_path):
    fused, _ = fused_and_moved(source)
    prepare_save(fused, tmp_path / "fused.ome.tif")()
    opened = layers.to_layer(ns.read(tmp_path / "fused.ome.tif"), "fused")
    assert [step.operator for step in done_to(opened)[0]] == ["combine"]
    moved = layers.register(opened, axis="t", transform="translation")
    steps = done_to(moved)[0]
    assert [step.operator for step in steps] == ["combine", "register"]
    assert origin_of(moved) is None, "what the file was made of is not there"
    made = Recipe(steps).run(ns.Hyperstack.wrap(np.asarray(source.data), axes="tczyx"))
    np.testing.assert_array_equal(
        np.asarray(made["register"])[:, 0], np.asarray(moved.data)[:, 0, 0]
    )
    prepare_save(moved, tmp_path / "moved.ome.tif")()
    assert Recipe.from_json(ns.files.read_recipe(tmp_path / "moved.ome.tif")) == Recipe(steps)


def test_what_is_made_of_a_map_only_tells_what_came_before(source):
    rejected = layers.sigma_clip(source, axis="z", sigma=1.5)[1]
    moved = layers.moving_average(rejected, axis="t", frames=3)
    recipe, _ = recipe_behind(moved)
    assert [step.operator for step in recipe.steps] == ["moving_average"]
    assert [step.operator for step in recipe.before] == ["sigma_clip"]


def test_files_that_were_made_one_by_one_tell_what_came_before(hyper, tmp_path):
    plain = Recipe([Step("focus_stack")]).to_json()
    for number in range(3):
        frame = np.asarray(hyper.stack())[number]
        ns.write(tmp_path / f"{number}.tif", frame, recipe=plain)
    opened = layers.to_layer(ns.read(tmp_path), "frames")
    mean = layers.combine(opened)[0]
    recipe, _ = recipe_behind(mean)
    assert recipe == Recipe([Step("combine")], [Step("focus_stack")])
    assert recipe_behind(opened)[0] == Recipe((), [Step("focus_stack")])
