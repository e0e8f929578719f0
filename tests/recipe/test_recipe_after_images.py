"""Recipes that go on from images: fused at every time, then registered."""

import json

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.files import read_recipe
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.batch import FrameChoice, run_series
from napari_stack.recipe.draft import Draft
from napari_stack.recipe.earlier import earlier_in

FUSE = Step("combine", {"method": "maximum"}, axis="z")
MOVE = Step("register", {"transform": "translation"}, input="combine", axis="t", save="moved.tif")


@pytest.fixture(scope="module")
def hyper():
    return samples.hyperstack(3, 4, (48, 56))[0]


@pytest.fixture(scope="module")
def by_hand(hyper):
    fused = hyper.along("z").map(ns.combine, method="maximum")
    movie = ns.Hyperstack.wrap(fused, axes=hyper.along("z").loop_axes)
    return np.asarray(movie.along("t").map(ns.register, transform="translation"))


def test_a_step_takes_the_images_of_a_step_as_frames(hyper, by_hand, tmp_path):
    recipe = Recipe([FUSE, MOVE])
    made = recipe.run(hyper, folder=tmp_path)
    np.testing.assert_array_equal(np.asarray(made["register"]), by_hand)
    kept = read_recipe(tmp_path / "moved.tif")
    assert [step["operator"] for step in kept["steps"]] == ["combine", "register"]
    assert Recipe.from_json(kept) == recipe


def test_a_script_takes_them_so_too(hyper, by_hand, tmp_path, monkeypatch):
    ns.write(tmp_path / "hyper.tif", hyper)
    recipe = Recipe([FUSE, MOVE])
    text = recipe.to_script("hyper.tif", hyper)
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "script.py", "exec"), {})
    np.testing.assert_array_equal(np.asarray(ns.read(tmp_path / "moved.tif")), by_hand)
    with pytest.raises(ValueError, match="must know the axes"):
        recipe.to_script("hyper.tif")


def test_single_images_are_refused_before_the_work(hyper, monkeypatch):
    recipe = Recipe([Step("combine"), Step("register", input="combine")])
    monkeypatch.setattr(Step, "apply", lambda *_args, **_how: pytest.fail("work was begun"))
    with pytest.raises(ValueError, match="combine leaves one single image"):
        recipe.run(hyper.stack())


def test_what_a_file_was_made_by_goes_on_in_the_recipe_of_the_next(hyper, tmp_path):
    first = Recipe([Step("combine", {"method": "maximum"}, axis="z", save="{image}.tif")])
    first.run(hyper, folder=tmp_path)
    second = Recipe([Step("register", {"transform": "translation"}), Step("combine")])
    done = run_series(
        Recipe([*second.steps[:1], Step("combine", save="mean.tif")]),
        [str(tmp_path / "image.tif")], tmp_path, choice=FrameChoice(axis="t"),
    )  # fmt: skip
    assert not done.error
    whole = Recipe.from_json(read_recipe(tmp_path / "mean.tif"))
    assert [step.operator for step in whole.steps] == ["combine", "register", "combine"]
    again = whole.run(hyper)
    np.testing.assert_array_equal(again["combine 2"], done.results["combine"])


def test_the_choice_of_an_axis_is_for_the_frames_and_not_for_images_of_them(hyper):
    recipe = Recipe([Step("combine"), Step("register", input="combine"), Step("denoise")])
    applied = FrameChoice(axis="z").applied(recipe, hyper.along("z"))
    assert [step.axis for step in applied.steps] == ["z", "", ""]


def test_what_was_done_to_each_file_is_told(hyper, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(3):
        plain = Recipe([Step("focus_stack")]).to_json()
        ns.write(tmp_path / "in" / f"{number}.tif", np.asarray(hyper.stack())[number], recipe=plain)
    earlier = earlier_in(sorted((tmp_path / "in").iterdir()))
    assert earlier.steps == ()
    assert earlier.told == (Step("focus_stack"),)
    recipe = Recipe([Step("combine", save="mean.tif")])
    run_series(recipe, [str(tmp_path / "in")], tmp_path)
    kept = Recipe.from_json(read_recipe(tmp_path / "mean.tif"))
    assert kept.before == (Step("focus_stack"),)
    assert [step.operator for step in kept.steps] == ["combine"]
    assert Draft(tuple(kept.steps), before=kept.before).recipe() == kept
    assert "# Before: focus stack\nframes = " in kept.to_script("in")
    kept.save(tmp_path / "kept.json")
    assert Recipe.load(tmp_path / "kept.json") == kept
    (tmp_path / "none.json").write_text(json.dumps(Recipe((), kept.before).to_json()))
    with pytest.raises(ValueError, match="no step to run"):
        Recipe.load(tmp_path / "none.json")


def test_a_recipe_goes_on_from_the_picture_only(hyper, tmp_path):
    recipe = Recipe([Step("focus_stack", axis="z", save="{image}.tif")])
    recipe.run(hyper, folder=tmp_path)
    assert earlier_in([tmp_path / "image.tif"]).steps[0].operator == "focus_stack"
    depth = earlier_in([tmp_path / "depth.tif"])
    assert depth.steps == ()
    assert [step.operator for step in depth.told] == ["focus_stack"]
