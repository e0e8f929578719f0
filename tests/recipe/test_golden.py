"""Recipes that version 0.1 wrote: they are read, run and written as before."""

import json
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.recipe import Recipe

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
EVERY = next(path for path in GOLDEN if path.stem == "every-key")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_recipe_is_written_as_it_was(path, tmp_path):
    recipe = Recipe.load(path)
    recipe.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text("utf-8") == path.read_text("utf-8")
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_the_recipes_hold_every_key_of_a_step():
    steps = [step for path in GOLDEN for step in json.loads(path.read_text("utf-8"))["steps"]]
    assert {key for step in steps for key in step} == set(ns.Step.__dataclass_fields__)
    writing = [key for step in steps for key in step.get("writing", {})]
    assert set(writing) == {"compression", "level", "quality", "exif_from", "names"}


@pytest.fixture(scope="module")
def frames():
    return ns.samples.drifting_cells(frames=12, size=(96, 112), shift=3)[0]


@pytest.mark.parametrize("path", [p for p in GOLDEN if p != EVERY], ids=lambda path: path.stem)
def test_a_recipe_runs(path, frames, tmp_path):
    pytest.importorskip("psdtags")
    recipe = Recipe.load(path)
    results = recipe.run(frames, folder=tmp_path)
    assert list(results) == list(recipe.named())
    for step in recipe.steps:
        if step.save:
            assert list(tmp_path.glob(step.save.replace("{image}", "*"))), step.save


def test_every_key_does_what_it_did(tmp_path):
    hyper = ns.samples.hyperstack(times=3, slices=4, size=(48, 56))[0]
    assert hyper.axis == "z"
    found = Recipe.load(EVERY).run(hyper, folder=tmp_path)
    moved = (
        hyper.along("t")
        .map(
            ns.register,
            measure_at={"c": 0, "z": "maximum"},
            transform="translation",
            method=ns.Features(ratio=0.8),
            reference=0,
            framing="common",
            border=ns.Constant(12.0),
        )
        .along("z")
    )  # what one step stacks does not bind the next
    np.testing.assert_array_equal(found["moved"], moved)
    even = moved.map(ns.balance, measure_each=True)
    np.testing.assert_array_equal(found["even"], even)
    pyramid = ns.Pyramid(kernel_size=3)
    focused = even.map(ns.focus_stack, measure_at={"c": 1}, method=pyramid)
    np.testing.assert_array_equal(found["sharp"].image, focused.image)
    method = ns.Percentile(25.0)
    quarter = even.map(ns.combine, method=method, dtype="float32")
    np.testing.assert_array_equal(found["combine"], quarter)
    clipped = moved.map(ns.sigma_clip, sigma=1.5, details=True)
    np.testing.assert_array_equal(found["sigma_clip"].image, clipped.image)
    transforms = ns.Transforms.load(tmp_path / "moves.csv")
    expected = moved.along("t").stack().transforms
    np.testing.assert_allclose(transforms.matrices, expected.matrices)
    names = {path.name for path in tmp_path.iterdir()}
    sharp = {f"sharp_{name}.tif" for name in ("image", "depth", "confidence")}
    assert names == {"moved.tif", "moves.csv", "quarter.tif", "clean.tif", *sharp}
