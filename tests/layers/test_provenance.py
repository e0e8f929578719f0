"""Where the data of a layer come from: chains of corrections, and what results were made of."""

import copy
import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from napari.layers._layer_actions import _duplicate_layer

from napari_stack import layers
from napari_stack.layers import provenance
from napari_stack.layers.jobs.recipe_job import (
    done_to,
    origin_of,
    prepare_again,
)
from napari_stack.layers.provenance import link_of, results_of
from napari_stack.recipe import Recipe, Step


def test_chain_goes_on_only_while_the_data_is_what_was_made(timelapse):
    registered = layers.register(timelapse)
    assert len(layers.prepare("combine", registered).chain.steps) == 1
    twice = layers.prepare("register", registered)
    assert len(twice.compute().frames.corrections) == 1, "the two warps are one"
    registered.data = np.asarray(registered.data)
    fresh = layers.prepare("combine", registered).chain
    assert fresh.steps == ()
    assert fresh.source == registered.name


@pytest.mark.parametrize("source", ["timelapse", "hyper_layer"])
def test_chain_goes_on_in_a_copy_of_the_layer(source, request):
    registered = layers.register(request.getfixturevalue(source), framing="common")
    viewer = ViewerModel()
    viewer.add_layer(registered)
    _duplicate_layer(viewer.layers)
    assert len(viewer.layers) == 2
    viewer.layers.remove(registered)
    (other,) = viewer.layers
    del registered
    gc.collect()
    chain = layers.prepare("combine", other).chain
    assert [step.operator for step in chain.steps] == ["register"]
    other.data = other.data[1:]
    assert layers.prepare("combine", other).chain.steps == ()


def test_chain_lives_as_long_as_a_copy_of_the_array(timelapse):
    array = layers.register(timelapse).data
    name, another = array.name, copy.deepcopy(array)
    del array
    gc.collect()
    assert name in provenance._chains
    del another
    gc.collect()
    assert name not in provenance._chains


def test_chain_follows_axes_named_since(timelapse):
    registered = layers.register(timelapse)
    registered.axis_labels = ("z", "y", "x")
    assert layers.prepare("combine", registered, axis="z").data.axes[0].name == "z"


def image(data, name="cells", **more):
    look = {"scale": (0.5, 0.1, 0.1), "axis_labels": ("t", "y", "x"), "rgb": False}
    look |= {"units": ("second", "micrometer", "micrometer"), "contrast_limits": (0, 4095)}
    return Image(data, name=name, **{**look, **more})


def test_an_image_knows_the_frames_that_it_is_made_of_and_keeps_none_alive(cells):
    cells = cells[0]
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
    cells = cells[0]
    source = image(cells)
    mean = layers.combine(source)[0]
    source.data = cells[::-1]
    assert link_of(mean).layer is None
