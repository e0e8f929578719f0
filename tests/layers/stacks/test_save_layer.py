"""Saving layers."""

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.files import read_recipe
from napari_stack.layers.stacks.save_layer import formats_for, prepare_save, usual_path, with_suffix


@pytest.mark.parametrize(
    ("shape", "dtype", "rgb", "first", "count"),
    [
        ((8, 9, 3), "uint8", True, ".jpg", 3),
        ((8, 9), "uint8", False, ".tif", 4),
        ((8, 9), "uint16", False, ".tif", 3),
        ((8, 9, 3), "uint16", True, ".tif", 2),
        ((8, 9), "float32", False, ".tif", 2),
        ((3, 8, 9), "uint16", False, ".ome.tif", 5),
        ((2, 3, 8, 9), "uint16", False, ".ome.tif", 3),
    ],
)
def test_every_format_offered_holds_the_layer(shape, dtype, rgb, first, count, noise, tmp_path):
    labels = ("t", "z", "y", "x")[4 - len(shape) + rgb :]
    layer = Image(noise(*shape, dtype=dtype), rgb=rgb, axis_labels=labels)
    formats = formats_for(layer)
    assert formats[0].suffix == first
    assert len(formats) == count
    for one in formats:
        if one.suffix != ".mp4":  # needs an extra
            made = prepare_save(layer, tmp_path / f"a{one.suffix}")()
            assert made.exists()


def test_what_is_saved_reads_back(tmp_path):
    frames = Image(np.arange(24, dtype=np.uint16).reshape(2, 3, 4), scale=(1, 0.5, 0.5),
                   units=("second", "um", "um"), axis_labels=("t", "y", "x"))  # fmt: skip
    mean = layers.combine(frames)[0]
    path = prepare_save(mean, tmp_path / "mean.tif")()
    np.testing.assert_array_equal(ns.read(path)[0], mean.data)
    assert read_recipe(path)["steps"][0]["operator"] == "combine"


def test_the_usual_place(tmp_path):
    layer = Image(np.zeros((4, 5), np.uint8), name="cells: a/b - mean.")
    assert usual_path(layer) == Path("cells_ a_b - mean.tif")
    assert usual_path(layer, tmp_path) == tmp_path / "cells_ a_b - mean.tif"
    layer.metadata["napari_stack"] = {"file": str(tmp_path / "one.jpg")}
    assert usual_path(layer).parent == tmp_path


def test_a_name_without_a_suffix_gets_the_chosen_one():
    layer = Image(np.zeros((4, 5, 3), np.uint8), rgb=True)
    formats = formats_for(layer)
    assert with_suffix("a", "TIFF (*.tif)", formats) == "a.tif"
    assert with_suffix("a", "", formats) == "a.jpg"
    assert with_suffix("a.png", "TIFF (*.tif)", formats) == "a.png"
