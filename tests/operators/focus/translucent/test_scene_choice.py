"""What ``scene="auto"`` takes series for."""

from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.operators.focus.translucent.scene_choice import settled, suitable_scene

SIZE = (96, 120)
REAL = Path(__file__).parents[5] / "shared" / "data"


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        ("focus_series", "opaque"),
        ("occluded", "opaque"),
        ("fluorescent", "fluorescent"),
        ("transparent", "transparent"),
    ],
)
def test_samples_are_what_they_are(name, scene):
    stack, _ = getattr(samples, name)(frames=5, size=SIZE)
    assert suitable_scene(stack) == scene


def test_a_bright_thing_on_black_in_colours_is_a_photograph():
    grey = np.asarray(samples.fluorescent(frames=3, size=SIZE)[0]) / 4095
    colours = np.repeat(grey[..., np.newaxis], 3, axis=3).astype(np.float32)
    assert suitable_scene(Stack.wrap(colours, rgb=True)) == "opaque"


def test_an_even_series_is_opaque():
    assert suitable_scene(Stack.wrap(np.full((3, 20, 20), 7, np.uint8))) == "opaque"


def test_what_is_in_front_needs_an_opaque_scene():
    stack, _ = samples.fluorescent(frames=3, size=SIZE)
    assert settled(stack, {"scene": "auto", "prefer": "near"}) == {"scene": "opaque"}
    assert settled(stack, {"scene": "transparent"}) == {}


@pytest.mark.skipif(not (REAL / "microscopes" / "zstack.nd2").exists(), reason="no real frames")
def test_a_real_series_of_a_microscope():
    pytest.importorskip("nd2")
    assert suitable_scene(ns.read(REAL / "microscopes" / "zstack.nd2")) == "fluorescent"
