"""`Job`: names, metadata and remarks, and no layer kept alive."""

import gc
import weakref

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.notices import FailedFrames
from napari_stack.layers import provenance


@pytest.mark.parametrize("method", ["mean", "sum", "minimum", "maximum"])
def test_combined_layers_are_named_after_what_they_show(method, timelapse):
    assert layers.combine(timelapse, method=method)[0].name == f"cells - {method}"


def test_names_and_metadata(timelapse):
    registered = layers.register(timelapse, framing="common")
    image, rejected = layers.sigma_clip(registered, sigma=1.5)
    assert [registered.name, image.name, rejected.name] == [
        "cells - aligned",
        "cells - aligned - clipped",
        "cells - aligned - clipped - rejected",
    ]
    note = image.metadata["napari_stack"]
    assert note["source"] == "cells"
    assert [step["operator"] for step in note["recipe"]["steps"]] == ["register", "sigma_clip"]
    again = ns.Recipe.from_json(note["recipe"]).run(ns.Stack.wrap(timelapse.data))
    np.testing.assert_array_equal(again["sigma_clip"].image, image.data)


def test_failed_frames_along_another_axis_are_named(cells):
    data = np.stack([cells[0], cells[0]])
    data[:, 3] = 100
    layer = Image(data, rgb=False, axis_labels=("p", "t", "y", "x"))
    job = layers.prepare("register", layer, axis="t", transform="translation")
    with pytest.warns(FailedFrames, match=r"^1 of 5 frames could not be registered: 3$"):
        computed = job.compute()
    assert job.remark(computed) == "1 of 5 frames failed and are left out of what follows: 3"


def test_planes_that_left_a_volume_are_no_failed_frames():
    data = np.array(ns.samples.sinking_volume(3, 6, (48, 48), 3, walk=0.0)[0])
    data[0] = np.roll(data[0], -2, axis=0)
    layer = Image(data, axis_labels=("t", "z", "y", "x"))
    computed = (job := layers.prepare("register_volumes", layer)).compute()
    assert not computed.frames.frames.used[0]
    assert job.remark(computed) == ""


def test_failed_frames_are_named(cells):
    data = cells[0].copy()
    data[3] = 7
    job = layers.prepare("register", Image(data))
    with pytest.warns(FailedFrames, match=r"^1 of 5 frames could not be registered: 3$"):
        computed = job.compute()
    assert job.remark(computed) == "1 of 5 frames failed and are left out of what follows: 3"


def test_clipped_pixels_are_counted():
    data = np.full((2, 60, 80), [[[200]], [[100]]], np.uint8)
    data[1, 0, :3] = 180
    job = layers.prepare("balance", Image(data), reference="first", subsample=1)
    computed = job.compute()
    assert job.remark(computed) == ""
    assert job.note(computed).startswith("balancing clips 3 pixels in 1 frames, most in frame 1")
    other = layers.prepare("combine", Image(data))
    assert other.note(other.compute()) == ""


def test_nothing_stays_alive(cells):
    gc.collect()
    before = set(provenance._chains)
    layer = Image(cells[0].copy(), name="cells")
    source = weakref.ref(layer.data)
    registered = layers.register(layer)
    made = weakref.ref(registered.data)
    del layer, registered
    gc.collect()
    assert made() is None
    assert source() is None
    assert set(provenance._chains) <= before


def test_job_does_not_need_its_layer(timelapse):
    data = timelapse.data
    job = layers.prepare("combine", timelapse)
    timelapse.name, timelapse.scale = "other", (9, 9, 9)
    timelapse.data = np.zeros_like(data)
    (mean,) = job.finish(job.compute())
    assert mean.name == "cells - mean"
    np.testing.assert_allclose(mean.scale, (0.1, 0.1))
    np.testing.assert_array_equal(mean.data, ns.combine(ns.Stack.wrap(data)))
