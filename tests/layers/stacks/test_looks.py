"""Looks of stacks reach layers and are written again: the loop from file to file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.look import Look, ramp
from napari_stack.layers import to_layer
from napari_stack.layers.contributions.writer import write_image
from napari_stack.layers.stacks.looks import look_of, shown
from support.pixels import Noise

GREEN, RED = Look("", ramp("green"), (10, 200)), Look("", ramp("red"), (5, 99))
CHANNELS = ns.Axis("c", labels=("GFP", "RFP"), looks=(GREEN, RED))
PLANE = (ns.Axis("y", 0.5, "um", start=-20.0), ns.Axis("x", 0.25, "um", start=12.5))
FILES = ["a.tif", "a.ome.tif", "a.zarr"]


def saved(layer: Any, path: Path) -> Any:
    data, attributes, _ = layer.as_layer_data_tuple()
    write_image(str(path), data, attributes)
    return ns.read(path)


@pytest.mark.parametrize("name", FILES)
def test_channels_come_through_a_layer(tmp_path: Path, noise: Noise, name: str) -> None:
    axes = (
        ns.Axis("t", 2, "min"),
        CHANNELS,
        ns.Axis("z", 1, "um", positions=(0.0, 1.0, 3.0)),
        *PLANE,
    )
    ns.write(tmp_path / name, noise(3, 2, 3, 24, 30), axes=axes)
    layer = to_layer(ns.read(tmp_path / name))
    np.testing.assert_array_equal(layer.translate, [0, 0, 0, -20, 12.5])
    again = saved(layer, tmp_path / f"b{name}")
    assert again.axes == axes
    np.testing.assert_array_equal(np.asarray(again), np.asarray(ns.read(tmp_path / name)))


@pytest.mark.parametrize("name", FILES)
def test_the_whole_loop(tmp_path: Path, name: str) -> None:
    frames = np.asarray(ns.samples.drifting_cells(10, (64, 72), shift=3.0)[0])
    pixels = np.stack([frames, frames // 2], axis=1)
    ns.write(tmp_path / name, pixels, axes=(ns.Axis("t", 2, "s"), CHANNELS, *PLANE))
    registered = layers.register(to_layer(ns.read(tmp_path / name)), transform="translation")
    moving = saved(registered, tmp_path / f"moving {name}")
    assert moving.axes[:2] == (ns.Axis("t", 2, "s"), CHANNELS)
    image = layers.sigma_clip(registered)[0]
    clipped = saved(image, tmp_path / f"clipped {name}")
    assert clipped.axes == (CHANNELS, *moving.axes[2:])
    assert clipped.axes[1:] == PLANE
    fused = saved(layers.focus_stack(registered, axis="t")[0], tmp_path / f"fused {name}")
    assert fused.axes == (CHANNELS, *PLANE)


@pytest.mark.parametrize("name", FILES)
def test_a_single_channel_is_shown_in_its_colour(tmp_path: Path, noise: Noise, name: str) -> None:
    look = Look("GFP", ramp("green"), (10, 200))
    stack = ns.Stack.wrap(noise(3, 8, 9), axes=(ns.Axis("t", 2, "s"), *PLANE))
    ns.write(tmp_path / name, stack, look=look)
    layer = to_layer(ns.read(tmp_path / name))
    assert layer.colormap.name == "green"
    assert tuple(layer.contrast_limits) == (10, 200)
    assert saved(layer, tmp_path / f"b{name}").look == look
    mean = layers.combine(layer)[0]
    assert mean.colormap.name == "green"
    found = saved(mean, tmp_path / f"mean {name}")
    assert (found.look, found.axes[1:]) == (look, PLANE)


def test_any_colours(noise: Noise) -> None:
    fire = np.stack([np.minimum(2 * np.arange(256), 255), np.arange(256), np.zeros(256)], 1)
    look = Look(colours=tuple("#" + bytes(c).hex() for c in fire.astype(np.uint8)))
    layer = Image(noise(8, 9), **shown(look))
    np.testing.assert_array_equal(look_of(layer).table(), look.table())
    turned = Image(noise(8, 9), **shown(Look(colours=("#ffffff", "#000000"))))
    assert look_of(turned).colours == ("#ffffff", "#000000")
    assert look_of(Image(noise(8, 9), colormap="gray")).colours == ()


def test_what_no_longer_fits_is_dropped(noise: Noise) -> None:
    data = ns.Hyperstack.wrap(noise(3, 2, 8, 9), axes=("t", CHANNELS, "y", "x"))
    layer = to_layer(data)
    assert layers.stacks.read_layer.axes_of(layer)[1] == CHANNELS  # type: ignore[attr-defined]
    layer.data = noise(3, 4, 8, 9)
    assert layers.stacks.read_layer.axes_of(layer)[1] == ns.Axis("c")  # type: ignore[attr-defined]


@pytest.mark.parametrize("unit", ["voxel", "slices", "A", "px", "a.u.", "reference frame"])
def test_any_unit_makes_a_layer(noise: Noise, unit: str) -> None:
    axes = (ns.Axis("z", 2, unit), ns.Axis("y", 1, unit), ns.Axis("x", 1, unit))
    layer = to_layer(ns.Stack.wrap(noise(3, 8, 9), axes=axes))
    assert {str(u) for u in layer.units} == {"angstrom" if unit == "A" else "pixel"}


@pytest.mark.parametrize("step", [0.0, float("nan"), -2.0, 1e-12])
def test_any_step_makes_a_layer(noise: Noise, step: float) -> None:
    axes = (ns.Axis("z", step, "um"), ns.Axis("y"), ns.Axis("x"))
    layer = to_layer(ns.Stack.wrap(noise(3, 8, 9), axes=axes))
    assert layer.scale[0] == (step if abs(step) > 0 else 1)


@pytest.mark.parametrize("bands", [2, 4, 5])
def test_bands_are_an_axis(tmp_path: Path, noise: Noise, bands: int) -> None:
    pixels = noise(3, 24, 30, bands)
    layer = to_layer(ns.Stack.wrap(pixels, rgb=False, axes=(ns.Axis("t", 2, "s"), *PLANE)))
    assert layer.axis_labels == ("t", "c", "y", "x")
    np.testing.assert_array_equal(np.asarray(layer.data), np.moveaxis(pixels, -1, 1))
    mean = layers.combine(layer)[0]
    expected = ns.combine(ns.Stack.wrap(pixels, rgb=False))
    np.testing.assert_array_equal(np.asarray(mean.data), np.moveaxis(expected, -1, 0))
    assert saved(layer, tmp_path / "a.tif").shape == (3, bands, 24, 30)


def test_a_layer_for_each_channel(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 2, 4, 24, 30)
    axes = (ns.Axis("t", 2, "s"), CHANNELS, ns.Axis("z", 1, "um"), *PLANE)
    ns.write(tmp_path / "a.ome.tif", pixels, axes=axes)
    made = layers.to_layers(ns.read(tmp_path / "a.ome.tif"), "cells")
    assert [layer.name for layer in made] == ["cells GFP", "cells RFP"]
    assert [layer.colormap.name for layer in made] == ["green", "red"]
    assert [tuple(layer.contrast_limits) for layer in made] == [(10, 200), (5, 99)]
    for number, layer in enumerate(made):
        np.testing.assert_array_equal(np.asarray(layer.data), pixels[:, number])
        assert layer.axis_labels == ("t", "z", "y", "x")
    again = saved(made[1], tmp_path / "b.tif")
    assert again.frames.look == Look("RFP", ramp("red"), (5, 99))


@pytest.mark.parametrize(
    ("bands", "colours"), [(2, ["magenta", "green"]), (5, ["cyan", "magenta"])]
)
def test_channels_of_unknown_colours(noise: Noise, bands: int, colours: list[str]) -> None:
    made = layers.to_layers(ns.Stack.wrap(noise(3, 24, 30, bands)))
    assert [layer.colormap.name for layer in made][:2] == colours
    assert [layer.name for layer in made][:2] == ["frames 0", "frames 1"]
    (alone,) = layers.to_layers(ns.Hyperstack.wrap(noise(1, 8, 9), axes="cyx"))
    assert alone.colormap.name == "gray"
    (grey,) = layers.to_layers(ns.Stack.wrap(noise(3, 8, 9)), "grey")
    assert (grey.name, grey.blending) == ("grey", "translucent")
