"""Axes of TIFF files, by ImageJ, OME, the resolution, or our own note."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read, write
from support.pixels import Noise

PLANE = (Axis("y", 0.325, "µm"), Axis("x", 1 / 3, "µm"))


def test_axes_and_pixel_sizes_of_imagej(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 4, 3, 20, 30)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        imagej=True,
        resolution=(1 / 0.25, 1 / 0.5),
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 1.5, "finterval": 30},
    )
    hyper = read(tmp_path / "a.tif", axis="z")
    assert isinstance(hyper, Hyperstack)
    assert hyper.axes == (
        Axis("t", 30, "s"),
        Axis("z", 1.5, "um"),
        Axis("c"),
        Axis("y", 0.5, "um"),
        Axis("x", 0.25, "um"),
    )
    assert hyper.axis == "z"
    np.testing.assert_array_equal(np.asarray(hyper), pixels)
    np.testing.assert_array_equal(np.asarray(hyper.stack({"t": 1, "c": 2})), pixels[1, :, 2])


def test_axes_and_pixel_sizes_of_ome(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 4, 20, 30, dtype="int16")
    metadata = {
        "axes": "TCZYX",
        "PhysicalSizeX": 0.25,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.5,
        "PhysicalSizeYUnit": "µm",
        "PhysicalSizeZ": 900,
        "PhysicalSizeZUnit": "nm",
        "TimeIncrement": 2.5,
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata, ome=True)
    hyper = read(tmp_path / "a.ome.tif", axis=2)
    assert hyper.axes == (
        Axis("t", 2.5, "s"),
        Axis("c"),
        Axis("z", 900, "nm"),
        Axis("y", 0.5, "um"),
        Axis("x", 0.25, "um"),
    )
    assert hyper.axis == "z"
    np.testing.assert_array_equal(np.asarray(hyper), pixels)


def test_centimetres_are_pixel_sizes_and_inches_are_not(tmp_path: Path, noise: Noise) -> None:
    for unit, expected in (("CENTIMETER", Axis("x", 2.5, "um")), ("INCH", Axis("x"))):
        tifffile.imwrite(
            tmp_path / "a.tif", noise(5, 6), resolution=(4000, 4000), resolutionunit=unit
        )
        found = read(tmp_path / "a.tif").axes[2]
        assert (found.name, found.unit) == (expected.name, expected.unit)
        assert found.step == pytest.approx(expected.step)


def test_what_imagej_changed_since_is_believed(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(3, 9, 11), axes=(Axis("z", 2, "um"), *PLANE))
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["XResolution"].overwrite((4, 1))
        tif.pages.first.tags["YResolution"].overwrite((4, 1))
    stack = read(tmp_path / "a.tif")
    assert stack.axes[1:] == (Axis("y", 0.25, "um"), Axis("x", 0.25, "um"))


def test_ome_without_our_note(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    metadata = {"axes": "CZYX", "PhysicalSizeX": 0.2, "Channel": {"Name": ["one", "two"]}}
    tifffile.imwrite(tmp_path / "a.ome.tif", pixels, metadata=metadata, ome=True)
    found = read(tmp_path / "a.ome.tif")
    assert found.axes[0] == Axis("c", labels=("one", "two"))
    assert found.axes[-1] == Axis("x", 0.2, "um")
