"""The note in written files: axes, frames that are not used, the recipe."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read, read_recipe, write
from napari_stack.files.formats.tiff.axes import note_of
from napari_stack.operators.registration.register import register
from support.pixels import Noise

AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP & <co>")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.2, "um"))  # fmt: skip


RECIPE = {"steps": [{"operator": "register", "reference": "müde"}]}


def used_in_note(folder: Path, stack: Stack) -> Any:
    write(folder / "note.tif", stack)
    with tifffile.TiffFile(folder / "note.tif") as tif:
        return note_of(tif).used


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "int32"])
def test_names_of_channels_come_back(tmp_path: Path, noise: Noise, name: str, dtype: str) -> None:
    pixels = noise(2, 2, 3, 9, 11, dtype=dtype)
    write(tmp_path / name, pixels, axes=AXES)
    found = read(tmp_path / name)
    assert found.axes == AXES
    np.testing.assert_array_equal(np.asarray(found), pixels)
    one = read(tmp_path / name, axis="c", start=1)
    assert isinstance(one, Hyperstack)
    assert one.leading[1].labels == ("GFP & <co>",)


def test_names_of_places_follow_a_selection(noise: Noise) -> None:
    stack = Stack.wrap(noise(3, 4, 5), axes=(Axis("c", labels=("a", "b", "c")), *AXES[-2:]))
    assert stack.select([2, 0]).axes[0].labels == ("c", "a")
    assert Axis("c", labels=("a",)).taken([0, 1]).labels == ()


def test_files_without_a_recipe(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.tif", noise(4, 5))
    write(tmp_path / "a.png", noise(4, 5))
    tifffile.imwrite(tmp_path / "b.tif", noise(4, 5), description="{not json")
    for name in ("a.tif", "a.png", "b.tif"):
        assert read_recipe(tmp_path / name) is None


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_frames_that_are_not_used_stay_so(
    tmp_path: Path, noise: Noise, name: str, dtype: str
) -> None:
    used = np.array([True, False, True, True, False])
    stack = replace(Stack.wrap(noise(5, 20, 30, dtype=dtype)), used=used)
    write(tmp_path / name, stack, recipe=RECIPE)
    found = read(tmp_path / name)
    np.testing.assert_array_equal(found.used, used)
    np.testing.assert_array_equal(read(tmp_path / name, start=1, every=2).used, used[1::2])
    write(tmp_path / "again.tif", found)
    np.testing.assert_array_equal(read(tmp_path / "again.tif").used, used)
    assert used_in_note(tmp_path, Stack.wrap(noise(5, 20, 30, dtype=dtype))) is None


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_unused_frames_of_a_hyperstack(tmp_path: Path, noise: Noise, dtype: str) -> None:
    hyper = Hyperstack.wrap(noise(3, 2, 4, 9, 11, dtype=dtype), axes="cztyx")
    used = noise(24, dtype="bool")
    write(tmp_path / "a.tif", replace(hyper, frames=replace(hyper.frames, used=used)))
    found = read(tmp_path / "a.tif", axis="t", start=1)
    assert isinstance(found, Hyperstack)
    expected = used.reshape(3, 2, 4)[..., 1:].ravel()
    np.testing.assert_array_equal(found.frames.used, expected)


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_a_frame_that_could_not_be_registered_stays_out(tmp_path: Path, name: str) -> None:
    y, x = np.mgrid[:96, :96]
    generator = np.random.default_rng(3)
    scene = sum(
        np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 18)
        for cx, cy in generator.uniform(5, 91, (40, 2))
    )
    frames = np.stack([np.roll(scene, shift, axis=1) * 100 for shift in range(5)])
    frames[1] = generator.normal(50, 20, (96, 96))
    registered = register(Stack.wrap(frames.astype(np.float32)), transform="translation")
    assert registered.used.tolist() == [True, False, True, True, True]
    write(tmp_path / name, registered)
    assert read(tmp_path / name).used.tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int16"])
@pytest.mark.parametrize("names", ["zyx", "cyx", "tczyx", "zctyx", "abyx", "tcqzyx", "cchannelyx"])
def test_axes_come_back(tmp_path: Path, noise: Noise, dtype: str, names: str) -> None:
    letters = list(names) if names != "cchannelyx" else ["c", "channel", "y", "x"]
    units = {"t": "s", "z": "µm", "y": "um", "x": "um"}
    axes = [Axis(n, 0.7 + i, units.get(n, "pixel")) for i, n in enumerate(letters)]
    pixels = noise(*(2, 1, 3, 4)[: len(axes) - 2], 9, 11, dtype=dtype)
    write(tmp_path / "a.tif", pixels, axes=axes)
    found = read(tmp_path / "a.tif")
    assert found.axes == tuple(axes)
    np.testing.assert_array_equal(np.asarray(found), pixels)
    write(tmp_path / "b.tif", found)
    again = read(tmp_path / "b.tif")
    assert again.axes == tuple(axes)
    np.testing.assert_array_equal(np.asarray(again), pixels)
