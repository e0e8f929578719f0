"""What ImageJ says in its files of axes and channels, and what we say in its terms."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look, ramp
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from napari_stack.files.formats.tiff.imagej import names_of


def ramp_table(*colour: int) -> Any:
    return np.stack([np.arange(256) * c // 255 for c in colour]).astype(np.uint8)


def described(path: Path, text: str, shape: tuple[int, ...] = (3, 8, 9), **more: Any) -> Any:
    """Write a file as ImageJ would, with these lines in its description."""
    lines = f"ImageJ=1.54f\nimages={np.prod(shape[:-2])}\n{text}\nloop=false\n"
    tifffile.imwrite(path, np.zeros(shape, more.pop("dtype", np.uint8)), metadata=None,
                     description=lines, **{"photometric": "minisblack", **more})  # fmt: skip
    return read(path)


UNITS_OF_TIME = {"min": "min", "ms": "ms", "h": "h", "sec": "s", "\\u00B5s": "us", "": "s"}


@pytest.mark.parametrize(("tunit", "right"), UNITS_OF_TIME.items())
def test_the_unit_of_the_frame_interval(tmp_path: Path, tunit: str, right: str) -> None:
    line = f"\ntunit={tunit}" if tunit else ""
    text = f"frames=3\nhyperstack=true\nfinterval=5{line}"
    assert described(tmp_path / "a.tif", text).axes[0] == Axis("t", 5, right)


def test_the_frame_interval_is_written_in_seconds(tmp_path: Path) -> None:
    pixels = np.zeros((3, 8, 9), np.uint8)
    axes = (Axis("t", 5, "min"), Axis("y"), Axis("x"))
    write(tmp_path / "a.tif", pixels, axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.imagej_metadata["finterval"] == 300
    assert read(tmp_path / "a.tif").axes == axes


@pytest.mark.parametrize("unit", ["voxel", "arbitrary", "reference frame", "a.u.", "px"])
def test_free_texts_for_units(tmp_path: Path, unit: str) -> None:
    text = f"slices=3\nunit={unit}\nspacing=2.0"
    found = described(tmp_path / "a.tif", text, resolution=(4, 2), resolutionunit=1)
    assert found.axes == (Axis("z", 2, "pixel"), Axis("y", 0.5), Axis("x", 0.25))


def test_origins(tmp_path: Path) -> None:
    text = "slices=3\nunit=nm\nspacing=50\nxorigin=-4\nyorigin=2\nzorigin=1"
    found = described(tmp_path / "a.tif", text, resolution=(0.1, 0.1), resolutionunit=1)
    assert [axis.start for axis in found.axes] == [-50, -20, 40]


def test_colours_ranges_and_names_of_channels(tmp_path: Path) -> None:
    fire = np.stack([np.minimum(2 * np.arange(256), 255), np.arange(256), np.zeros(256)])
    metadata = {"axes": "TCYX", "mode": "composite", "Ranges": (10.0, 200.0, 5.0, 999.0),
                "LUTs": [ramp_table(0, 255, 0), fire.astype(np.uint8)],
                "Labels": ["DAPI", "GFP"] * 3}  # fmt: skip
    pixels = np.zeros((3, 2, 8, 9), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata=metadata)
    channels = read(tmp_path / "a.tif").axes[1]
    assert channels.labels == ("DAPI", "GFP")
    assert channels.looks[0] == Look("", ramp("green"), (10, 200))
    np.testing.assert_array_equal(channels.looks[1].table(), fire.T)
    write(tmp_path / "b.tif", read(tmp_path / "a.tif"))
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        written = tif.imagej_metadata
    assert (written["mode"], written["Ranges"]) == ("composite", metadata["Ranges"])
    assert written["Labels"] == metadata["Labels"]
    for number in (0, 1):
        np.testing.assert_array_equal(written["LUTs"][number], metadata["LUTs"][number])
    assert read(tmp_path / "b.tif").axes[1] == channels


def test_composites_without_tables_have_the_usual_colours(tmp_path: Path) -> None:
    text = "channels=3\nhyperstack=true\nmode=composite"
    looks = described(tmp_path / "a.tif", text).axes[0].looks
    assert [look.colours for look in looks] == [ramp("red"), ramp("green"), ramp("blue")]
    plain = described(tmp_path / "b.tif", "channels=3\nhyperstack=true\nmode=grayscale")
    assert plain.axes[0].looks == ()


def test_the_range_of_a_single_channel(tmp_path: Path) -> None:
    text = "slices=3\nmin=12.0\nmax=3000.0"
    assert described(tmp_path / "a.tif", text, dtype=np.uint16).look == Look(limits=(12, 3000))


def test_the_table_of_a_single_channel(tmp_path: Path) -> None:
    table = ramp_table(0, 255, 255).astype(np.uint16) * 257
    found = described(tmp_path / "a.tif", "slices=3", photometric="palette", colormap=table)
    assert found.look == Look(colours=ramp("cyan"))
    turned = described(tmp_path / "b.tif", "slices=3", photometric="miniswhite")
    assert turned.look == Look(colours=("#ffffff", "#000000"))


def test_what_was_changed_since_counts_more_than_the_note(tmp_path: Path) -> None:
    channels = Axis("c", labels=("a", "b"), looks=(Look("", ramp("red")), Look("", ramp("blue"))))
    axes = (channels, Axis("y", 0.5, "um"), Axis("x", 0.5, "um"))
    write(tmp_path / "a.tif", np.zeros((2, 8, 9), np.uint8), axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        metadata = {**tif.imagej_metadata, "axes": "CYX",
                    "LUTs": [ramp_table(0, 255, 0), ramp_table(0, 0, 255)]}  # fmt: skip
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((2, 8, 9), np.uint8), imagej=True,
                     resolution=(2, 2), metadata=metadata)  # fmt: skip
    found = read(tmp_path / "b.tif").axes[0]
    assert [look.colours for look in found.looks] == [ramp("green"), ramp("blue")]
    assert found.labels == ("a", "b")


@pytest.mark.parametrize(
    "labels", ["one", ["x"], ["a", "a"], ["a", "b", "c"], ["a", "b", "a", "c"]]
)
def test_labels_that_name_no_channels(labels: Any) -> None:
    assert names_of({"Labels": labels}, 2) == ()


def test_labels_of_bio_formats() -> None:
    labels = ["c:1/2 z:1/2 - DAPI", "c:2/2 z:1/2 - GFP", "c:1/2 z:2/2 - DAPI", "c:2/2 z:2/2 - GFP"]
    assert names_of({"Labels": labels}, 2) == ("DAPI", "GFP")


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
@pytest.mark.parametrize(("step", "unit"), [(-0.25, "um"), (1e-12, "m"), (3e-13, "um"), (5e9, "nm"),
                                            (-2.0, "pixel"), (1e-12, "pixel")])  # fmt: skip
def test_odd_steps_come_back(tmp_path: Path, name: str, step: float, unit: str) -> None:
    axes = (
        Axis("z", step, unit),
        Axis("y", step, unit, start=3 * step),
        Axis("x", abs(step), unit),
    )
    write(tmp_path / name, np.zeros((3, 8, 9), np.uint16), axes=axes)
    assert read(tmp_path / name).axes == axes


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
@pytest.mark.parametrize("step", [0.0, float("nan"), float("inf")])
def test_a_step_that_is_no_size_is_told_of(tmp_path: Path, name: str, step: float) -> None:
    axes = (Axis("z", 2, "um"), Axis("y", step, "um"), Axis("x", 1, "um"))
    with pytest.warns(UserWarning, match="'y' has a step of .* which is no size"):
        write(tmp_path / name, np.zeros((3, 8, 9), np.uint16), axes=axes)
    assert read(tmp_path / name).axes == (axes[0], Axis("y"), axes[2])


def test_a_flipped_axis_has_its_size_in_the_file(tmp_path: Path) -> None:
    axes = (Axis("z", -2.0, "um"), Axis("y", -0.25, "um"), Axis("x", 0.25, "um"))
    write(tmp_path / "a.tif", np.zeros((3, 8, 9), np.uint16), axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.pages.first.get_resolution() == (4, 4)
        assert tif.imagej_metadata["spacing"] == 2


def test_a_tiny_step_is_written_in_a_smaller_unit(tmp_path: Path) -> None:
    axes = (Axis("y", 1e-12, "m"), Axis("x", 1e-12, "m"))
    write(tmp_path / "a.tif", np.zeros((8, 9), np.uint16), axes=axes)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.pages.first.get_resolution() == (1, 1)
        assert tif.imagej_metadata["unit"] == "pm"


def test_a_single_channel_keeps_its_look(tmp_path: Path) -> None:
    look = Look("GFP", ramp("green"), (3, 77))
    for name in ("a.tif", "a.ome.tif"):
        write(tmp_path / name, np.zeros((8, 9), np.uint16), look=look)
        found = read(tmp_path / name)
        assert isinstance(found, Stack)
        assert found.look == look


def test_unnamed_axes(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 5 * 72, dtype=np.uint16).reshape(2, 3, 5, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    found = read(tmp_path / "a.tif")
    assert isinstance(found, Hyperstack)
    assert [axis.name for axis in found.leading] == ["q", "q2", "q3"]
    np.testing.assert_array_equal(np.asarray(found), pixels)
