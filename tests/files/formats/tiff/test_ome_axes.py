"""What OME says of axes and channels, and what we say in its terms."""

from pathlib import Path
from typing import Any

import numpy as np
import pint
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look, ramp
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from napari_stack.files.formats.tiff.ome_axes import axes_of
from napari_stack.files.formats.tiff.ome_xml import OmeImage

PIXEL = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm",
         "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}  # fmt: skip


def by_others(path: Path, axes: str, shape: tuple[int, ...], **metadata: Any) -> Any:
    """Write an OME-TIFF without a note of ours, and read it."""
    pixels = np.zeros((*shape, 8, 9), np.uint16)
    tifffile.imwrite(path, pixels, ome=True, photometric="minisblack",
                     metadata={"axes": axes + "YX", **PIXEL, **metadata})  # fmt: skip
    return read(path)


def planes(count: int, **places: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (values, unit) in places.items():
        listed = list(values) if np.ndim(values) else [values] * count
        found |= {name: listed, f"{name}Unit": [unit] * count}
    return {"Plane": found}


def test_names_and_colours_of_channels(tmp_path: Path) -> None:
    green, orange = 0x00FF00FF, int.from_bytes((255, 128, 0, 255), "big", signed=True)
    channel = {"Name": ["DAPI", "GFP"], "Color": [green, orange]}
    found = by_others(tmp_path / "a.ome.tif", "TC", (3, 2), Channel=channel)
    looks = (Look(colours=ramp("green")), Look(colours=ramp("#ff8000")))
    assert found.axes[1] == Axis("c", labels=("DAPI", "GFP"), looks=looks)
    write(tmp_path / "b.ome.tif", found)
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as tif:
        assert f'Name="GFP" Color="{orange}"' in str(tif.ome_metadata)
    assert read(tmp_path / "b.ome.tif").axes == found.axes


#: Units of the schema of 2016-06, in metres and in seconds.
PREFIXES = dict(zip("YZEPTGMkh", (24, 21, 18, 15, 12, 9, 6, 3, 2), strict=True))
PREFIXES |= dict(zip("dcmµnpfazy", (-1, -2, -3, -6, -9, -12, -15, -18, -21, -24), strict=True))
PREFIXES |= {"da": 1, "": 0}
LENGTHS = {f"{short}m": 10.0**power for short, power in PREFIXES.items()} | {
    "Å": 1e-10, "thou": 2.54e-5, "li": 0.0254 / 12, "in": 0.0254, "ft": 0.3048, "yd": 0.9144,
    "mi": 1609.344, "ua": 149597870700.0, "ly": 9.4607304725808e15, "pc": 3.0856775814671916e16,
    "pt": 0.0254 / 72,
}  # fmt: skip
TIMES = {f"{short}s": 10.0**power for short, power in PREFIXES.items()}
TIMES |= {"min": 60.0, "h": 3600.0, "d": 86400.0}


def test_all_units_of_the_schema() -> None:
    for unit, size in LENGTHS.items():
        said = {"PhysicalSizeX": "3", "PhysicalSizeXUnit": unit}
        place = {"PositionX": "2", "PositionXUnit": unit}
        x = axes_of(OmeImage(pixels=said, planes=[place]))["x"]
        assert pint.Quantity(x.step, x.unit).to("m").magnitude == pytest.approx(3 * size, 1e-6)
        assert x.start / x.step == pytest.approx(2 / 3)
    for unit, size in TIMES.items():
        t = axes_of(OmeImage(pixels={"TimeIncrement": "3", "TimeIncrementUnit": unit}))["t"]
        assert pint.Quantity(t.step, t.unit).to("s").magnitude == pytest.approx(3 * size, 1e-6)
    for unit in ("pixel", "reference frame"):
        x = axes_of(OmeImage(pixels={"PhysicalSizeX": "3", "PhysicalSizeXUnit": unit}))["x"]
        assert (x.step, x.unit) == (3.0, "pixel")


def test_white_says_nothing(tmp_path: Path) -> None:
    found = by_others(tmp_path / "a.ome.tif", "TC", (3, 2), Channel={"Color": [-1, -1]})
    assert found.axes[1] == Axis("c")


def test_a_single_channel(tmp_path: Path) -> None:
    channel = {"Name": ["GFP"], "Color": [0x00FF00FF]}
    found = by_others(tmp_path / "a.ome.tif", "T", (3,), Channel=channel)
    assert isinstance(found, Stack)
    assert found.look == Look("GFP", ramp("green"))


def test_where_the_image_lies(tmp_path: Path) -> None:
    places = planes(3, PositionX=(0.002, "mm"), PositionY=(-7.5, "µm"),
                    PositionZ=([10, 10.5, 11], "µm"))  # fmt: skip
    found = by_others(tmp_path / "a.ome.tif", "Z", (3,), PhysicalSizeZ=0.5, **places)
    assert found.axes == (
        Axis("z", 0.5, "um", start=10),
        Axis("y", 0.25, "um", start=-7.5),
        Axis("x", 0.5, "um", start=2),
    )


@pytest.mark.parametrize("unit", ["reference frame", "pixel"])
def test_a_place_of_unknown_unit_is_none(tmp_path: Path, unit: str) -> None:
    places = planes(3, PositionX=(5, unit))
    assert by_others(tmp_path / "a.ome.tif", "Z", (3,), **places).axes[-1].start == 0


def test_uneven_planes_and_times(tmp_path: Path) -> None:
    places = planes(6, PositionZ=([0, 1, 4] * 2, "µm"), DeltaT=([0] * 3 + [7] * 3, "s"))
    found = by_others(tmp_path / "a.ome.tif", "TZ", (2, 3), PhysicalSizeZ=1, **places)
    assert found.axes[0] == Axis("t", 7, "s")  # by the times of the planes
    assert found.axes[1] == Axis("z", 1, "um", positions=(0, 1, 4))


@pytest.mark.parametrize("heights", [[3, 3, 3], [2, 1, 0], [0, 5, 1]])
def test_places_that_were_not_recorded_do_not_count(tmp_path: Path, heights: list[float]) -> None:
    places = planes(3, PositionZ=(heights, "µm"))
    found = by_others(tmp_path / "a.ome.tif", "Z", (3,), PhysicalSizeZ=2, **places)
    assert found.axes[0] == Axis("z", 2, "um")


def test_units_that_are_none_for_napari(tmp_path: Path) -> None:
    sizes = {"PhysicalSizeXUnit": "reference frame", "PhysicalSizeYUnit": "pixel"}
    sizes |= {"PhysicalSizeZUnit": "Å"}
    found = by_others(tmp_path / "a.ome.tif", "Z", (3,), PhysicalSizeZ=2, **sizes)
    assert [axis.unit for axis in found.axes] == ["angstrom", "pixel", "pixel"]


def test_others_find_uneven_places_and_the_origin(tmp_path: Path) -> None:
    axes = (Axis("t", 3, "min", positions=(1.0, 2.0, 9.0)), Axis("z", 2, "um", start=4.0),
            Axis("y", 0.5, "um", start=-3.0), Axis("x", 0.5, "um"))  # fmt: skip
    write(tmp_path / "a.ome.tif", np.zeros((3, 2, 8, 9), np.uint8), axes=axes)
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        image = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [plane["DeltaT"] for plane in image["Plane"]] == [1, 1, 2, 2, 9, 9]
    assert [plane["PositionZ"] for plane in image["Plane"]] == [4, 6] * 3
    assert {plane["PositionY"] for plane in image["Plane"]} == {-3}
    found = read(tmp_path / "a.ome.tif")
    assert isinstance(found, Hyperstack)
    assert found.axes == axes
