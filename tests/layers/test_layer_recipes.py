"""Recipes on layers: run again, changed, applied to another layer; who was made from whom."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.layers.provenance import link_of, results_of
from napari_stack.layers.recipe_job import (
    done_to,
    origin_of,
    prepare_again,
    prepare_measured,
    prepare_recipe,
)
from napari_stack.layers.transfer import matching
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.draft import Draft, describe


@pytest.fixture(scope="module")
def cells():
    return np.asarray(samples.drifting_cells(5, (72, 88), shift=4.0, rotation=0, scale=0)[0])


def image(data, name="cells", **more):
    look = {"scale": (0.5, 0.1, 0.1), "axis_labels": ("t", "y", "x"), "rgb": False}
    look |= {"units": ("second", "micrometer", "micrometer"), "contrast_limits": (0, 4095)}
    return Image(data, name=name, **{**look, **more})


def run(job):
    return job.finish(job.compute())


def test_what_was_done_to_a_layer(cells):
    source = image(cells)
    assert done_to(source) == ((), "cells")
    moved = layers.register(source, transform="translation")
    mean = layers.combine(moved)[0]
    steps = (Step("register", {"transform": "translation"}), Step("combine"))
    assert done_to(moved) == (steps[:1], "cells")
    assert done_to(mean) == (steps, "cells")
    copy = image(mean.data.copy(), metadata=mean.metadata, scale=(1, 1), units=None,
                 axis_labels=None)  # fmt: skip
    assert done_to(copy) == (steps, "cells")
    assert link_of(copy) is None
    chain, look = origin_of(mean)
    assert (chain.steps, look.name) == ((), "cells")
    np.testing.assert_array_equal(np.asarray(chain.data), cells)


def test_an_image_knows_the_frames_that_it_is_made_of_and_keeps_none_alive(cells):
    source = image(cells.copy())
    moved = layers.register(source, transform="translation")
    clipped, rejected = layers.sigma_clip(moved, sigma=1.5)
    made = link_of(rejected)
    assert made.kind == "rejected"
    assert made.layer is moved
    assert made.image("image") is clipped.data
    assert made.per_frame["rejected_fraction"].shape == (5,)
    assert [la for la, _ in results_of(moved, [source, clipped, rejected])] == [clipped, rejected]
    assert [la for la, _ in results_of(source, [moved, clipped])] == [moved]
    assert origin_of(clipped)[1].name == "cells"
    held = [weakref.ref(thing) for thing in (source, source.data, moved, moved.data)]
    del source, moved
    gc.collect()
    assert [ref() for ref in held] == [None] * 4
    assert link_of(clipped).layer is None
    assert origin_of(clipped) is None
    assert done_to(clipped)[0][0].operator == "register"
    with pytest.raises(ValueError, match="are gone: choose a layer"):
        prepare_again(Recipe([Step("combine")]), clipped)


def test_other_data_in_the_source_is_another_source(cells):
    source = image(cells)
    mean = layers.combine(source)[0]
    source.data = cells[::-1]
    assert link_of(mean).layer is None


def test_running_again_with_other_options(cells):
    source = image(cells, translate=(0, 1, 2))
    clean = layers.sigma_clip(layers.register(source, transform="translation"), sigma=1.5)[0]
    draft = Draft(done_to(clean)[0])
    again = draft.with_options(1, {"sigma": 1.2}).recipe()
    shown = run(prepare_again(again, clean) if origin_of(clean) else prepare_recipe(again, source))
    assert [layer.name for layer in shown] == [
        "cells - register - sigma clip", "cells - register - rejected", "cells - register",
    ]  # fmt: skip
    assert [layer.visible for layer in shown] == [True, False, False]
    moved = ns.register(ns.Stack.wrap(cells), transform="translation")
    np.testing.assert_array_equal(shown[0].data, ns.sigma_clip(moved, sigma=1.2).image)
    assert shown[0].metadata["napari_stack"]["recipe"] == again.to_json()
    np.testing.assert_allclose(shown[0].translate, (1, 2))
    assert link_of(shown[0]).layer is shown[2]
    off = run(prepare_recipe(draft.switched(0, False).recipe(), source))
    plain = ns.sigma_clip(ns.Stack.wrap(cells), sigma=1.5).image
    np.testing.assert_array_equal(off[0].data, plain)
    assert [layer.name for layer in off] == ["cells - sigma clip", "cells - rejected"]


def test_frames_alone_and_branches(cells):
    source = image(cells)
    recipe = Recipe(
        [
            Step("register", {"transform": "translation"}, name="moved"),
            Step("combine"),
            Step("moving_average", {"frames": 3}),
            Step("combine", {"method": "maximum"}, input="moved"),
        ]
    )
    shown = run(prepare_recipe(recipe, source))
    assert [layer.name for layer in shown] == [
        "cells - register - moving average", "cells - register - maximum",
        "cells - register - mean", "cells - register",
    ]  # fmt: skip
    assert [layer.visible for layer in shown] == [True, True, True, False]
    assert [step.operator for step in done_to(shown[1])[0]] == ["register", "combine"]


def test_a_draft_passes_over_what_is_off():
    steps = (Step("register", name="moved"), Step("balance"), Step("combine", input="balance"))
    draft = Draft(steps)
    assert draft.recipe() == Recipe([steps[0], Step("balance", name="balance"), steps[2]])
    assert draft.switched(1, False).recipe().steps[1] == Step("combine", input="moved")
    without = draft.switched(0, False).switched(1, False).recipe()
    assert without == Recipe([Step("combine")])
    branch = Draft((steps[0], Step("combine", input="moved"), Step("balance", input="moved")))
    assert branch.switched(0, False).recipe() == Recipe([Step("combine"), Step("balance")])
    first = Draft((Step("register"), Step("balance", name="b"), Step("combine", input="register")))
    with pytest.raises(ValueError, match="'combine' would take its frames from 'b' now"):
        first.switched(0, False).recipe()
    with pytest.raises(ValueError, match="all steps are switched off"):
        Draft((Step("combine"),), (False,)).recipe()
    with pytest.raises(ValueError, match="sigma must be"):
        Draft((Step("sigma_clip"),)).with_options(0, {"sigma": -1.0})


def test_steps_in_words():
    method = ns.Features(ratio=0.8)
    step = Step("register", {"method": method}, measure_at={"c": 1}, name="moved")
    assert describe(step) == (
        "moved (register): method = features (ratio = 0.8), measured at c = 1"
    )
    mask = Step("repair_hot_pixels", {"mask": np.ones((2, 2), bool)}, measure_each=True)
    assert describe(mask) == "repair hot pixels: mask = an image, measured everywhere"
    assert describe(Step("combine", {"method": "mean"}, input="moved")) == "combine: of moved"


def test_the_measured_values_for_another_channel(cells):
    source, other = image(cells), image(np.ascontiguousarray(4095 - cells), "other")
    moved = layers.balance(layers.register(source, transform="translation"))
    shown = prepare_measured(moved, other)
    stack = ns.Stack.wrap(cells)
    one = ns.register(stack, transform="translation")
    gains = ns.measure_gains(one)
    expected = ns.apply_gains(ns.apply_transforms(ns.Stack.wrap(other.data), one.transforms), gains)
    np.testing.assert_array_equal(np.asarray(shown.data), np.asarray(expected))
    assert shown.name == "other - as cells - register - balance"
    np.testing.assert_allclose(shown.scale, other.scale)
    assert done_to(shown)[0] == done_to(moved)[0]
    mean = layers.combine(moved)[0]
    image_of_other = run(prepare_measured(mean, other, [Step("combine")]))[0]
    np.testing.assert_array_equal(image_of_other.data, ns.combine(expected))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d[:4], "for 5 frames along 't', and there are 4"),
        (lambda d: d[:, :60], "frames of 88 x 72 pixels, and these are 88 x 60"),
    ],
)
def test_values_that_do_not_fit_are_refused(change, message, cells):
    moved = layers.register(image(cells), transform="translation")
    with pytest.raises(ValueError, match=message):
        prepare_measured(moved, image(change(cells), "other"))


def test_frames_that_were_made_anew_hold_no_values_for_others(cells):
    means = layers.moving_average(image(cells))
    with pytest.raises(ValueError, match="a step made new frames"):
        prepare_measured(means, image(cells, "other"))
    with pytest.raises(ValueError, match="nothing was measured for 'cells'"):
        prepare_measured(image(cells), image(cells, "other"))


def test_axes_are_matched_by_name():
    np.testing.assert_array_equal(matching({"a": 3}, {"b": 3}), [0, 1, 2])
    np.testing.assert_array_equal(matching({"c": 2, "t": 3}, {"t": 3}), [0, 1, 2])
    np.testing.assert_array_equal(matching({"t": 2, "c": 2}, {"c": 2, "t": 2}), [0, 2, 1, 3])
    with pytest.raises(ValueError, match="name the axes alike"):
        matching({"a": 3}, {"b": 4})


def test_a_recipe_of_more_axes_gives_what_the_docks_gave():
    hyper = samples.hyperstack(3, 4, (48, 56))[0]
    layer = layers.to_layer(hyper, "hyper")
    turned = layers.register(layer, axis="z", transform="translation", measure_at={"t": 1})
    mean = layers.combine(turned)[0]
    recipe = Recipe(done_to(mean)[0])
    shown = run(prepare_again(recipe, mean))
    np.testing.assert_array_equal(shown[0].data, mean.data)
    assert shown[0].axis_labels == mean.axis_labels
    np.testing.assert_array_equal(recipe.run(replace(hyper, axis="t"))["combine"], mean.data)
