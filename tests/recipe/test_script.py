"""Recipes as Python scripts: what they give when they are run."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.operators import Features, Pyramid
from napari_stack.recipe import Recipe, Step


def run_script(text, folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = {}
    exec(compile(text, "script.py", "exec"), found)
    return found


def test_a_script_gives_the_pixels_of_the_recipe(tmp_path, monkeypatch):
    stack, _ = samples.drifting_cells(5, (96, 112), shift=4.0)
    ns.write(tmp_path / "cells.tif", stack)
    data = ns.read(tmp_path / "cells.tif")
    recipe = Recipe(
        [
            Step("register", {"transform": "translation", "method": Features(ratio=0.8)}),
            Step("combine", {"method": "maximum"}, save="most.tif"),
            Step("sigma_clip", {"sigma": 1.5}, input="register", save="clip_{image}.tif"),
            Step("moving_average", {"frames": 3}, name="the 3 means", save="means.tif"),
            Step("focus_stack", {"method": Pyramid(min_size=16)}, save="fused.tif"),
        ]
    )
    expected = recipe.run(data)
    text = recipe.to_script("cells.tif", data)
    found = run_script(text, tmp_path, monkeypatch)
    assert "method=ns.Features(ratio=0.8)" in text
    np.testing.assert_array_equal(found["sigma_clip"].image, expected["sigma_clip"].image)
    np.testing.assert_array_equal(found["the_3_means"][2], expected["the 3 means"][2])
    for name, image in {
        "most": expected["combine"],
        "clip_image": expected["sigma_clip"].image,
        "clip_rejected": expected["sigma_clip"].rejected,
        "fused": expected["focus_stack"].image,
    }.items():
        np.testing.assert_array_equal(np.asarray(ns.read(tmp_path / f"{name}.tif"))[0], image)
    assert len(ns.read(tmp_path / "means.tif")) == 5


def test_a_script_of_more_axes(tmp_path, monkeypatch):
    hyper, _ = samples.hyperstack(3, 4, (48, 56))
    ns.write(tmp_path / "hyper.tif", hyper)
    data = ns.read(tmp_path / "hyper.tif")
    recipe = Recipe(
        [
            Step("register", {"transform": "translation"}, measure_at={"c": 1}),
            Step("focus_stack", save="fused.tif"),
            Step("combine", axis="t", input="register"),
        ]
    )
    expected = recipe.run(data)
    text = recipe.to_script(["hyper.tif"], data)
    assert "register.along('z').map(ns.focus_stack)" in text
    found = run_script(text, tmp_path, monkeypatch)
    np.testing.assert_array_equal(found["focus_stack"].depth, expected["focus_stack"].depth)
    np.testing.assert_array_equal(found["combine"], expected["combine"])
    written = ns.read(tmp_path / "fused.tif")
    assert [axis.name for axis in written.axes] == ["t", "c", "y", "x"]


def test_colours_and_layers(tmp_path, monkeypatch):
    colours = np.random.default_rng(1).integers(0, 255, (3, 20, 24, 3), np.uint8)
    ns.write(tmp_path / "colours.tif", ns.Stack.wrap(colours))
    data = ns.read(tmp_path / "colours.tif")
    recipe = Recipe(
        [
            Step("moving_average", {"frames": 3}, name="import"),
            Step("combine", save="mean.tif", layers=["import"]),
        ]
    )
    text = recipe.to_script("colours.tif", data)
    assert "import_2 = ns.moving_average(frames, frames=3)" in text
    run_script(text, tmp_path, monkeypatch)
    written = ns.read(tmp_path / "mean.tif")
    assert written.rgb
    np.testing.assert_array_equal(np.asarray(written)[0], recipe.run(data)["combine"])


def test_a_script_holds_no_arrays():
    recipe = Recipe([Step("repair_hot_pixels", {"mask": np.zeros((4, 4), bool)})])
    with pytest.raises(ValueError, match="mask is an array, which a recipe cannot hold"):
        recipe.to_script()
