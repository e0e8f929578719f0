"""Recipes on layers: run again, changed, applied to another layer; who was made from whom."""

from dataclasses import replace

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.layers.jobs.recipe_job import (
    done_to,
    origin_of,
    prepare_again,
    prepare_recipe,
)
from napari_stack.layers.provenance import link_of
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.draft import Draft
from support.layers import image, run


@pytest.fixture(scope="module")
def cells():
    return np.asarray(samples.drifting_cells(5, (72, 88), shift=4.0, rotation=0, scale=0)[0])


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


def test_running_again_with_other_options(cells):
    source = image(cells, translate=(0, 1, 2))
    clean = layers.sigma_clip(layers.register(source, transform="translation"), sigma=1.5)[0]
    draft = Draft(done_to(clean)[0])
    again = draft.with_options(1, {"sigma": 1.2}).recipe()
    shown = run(prepare_again(again, clean) if origin_of(clean) else prepare_recipe(again, source))
    assert [layer.name for layer in shown] == [
        "cells - aligned - clipped", "cells - aligned - clipped - rejected", "cells - aligned",
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
    assert [layer.name for layer in off] == ["cells - clipped", "cells - clipped - rejected"]


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
        "cells - aligned - averaged", "cells - aligned - maximum",
        "cells - aligned - mean", "cells - aligned",
    ]  # fmt: skip
    assert [layer.visible for layer in shown] == [True, True, True, False]
    assert [step.operator for step in done_to(shown[1])[0]] == ["register", "combine"]


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
