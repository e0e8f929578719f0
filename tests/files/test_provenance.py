"""From which files frames come, and that none of them is replaced."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from napari_stack.files.provenance import file_of
from napari_stack.operators import moving_average
from support.photographs import DETAILS, LENS, photograph
from support.pixels import Noise


def test_frames_that_were_made_know_their_files(tmp_path: Path, noise: Noise) -> None:
    for z in range(3):
        write(tmp_path / f"{z}.tif", noise(4, 3, 5, 6), axes=("t", "c", "y", "x"))
    hyper = read(tmp_path, axis="t")
    assert isinstance(hyper, Hyperstack)
    made = hyper.map(moving_average, frames=3).frames
    expected = [file_of(hyper.frames, index) for index in range(len(hyper.frames))]
    assert len(set(expected)) == 3
    assert [file_of(made, index) for index in range(len(made))] == expected


def test_exif_is_that_of_the_reference(tmp_path: Path, noise: Noise) -> None:
    from napari_stack.operators import Transforms, apply_transforms, moving_average
    from napari_stack.operators.geometry.transform_frames import transform_frames

    (tmp_path / "in").mkdir()
    for index, pixels in enumerate(noise(4, 16, 24, 3, dtype="uint8")):
        photograph(tmp_path / "in" / f"{index}.png", pixels, DETAILS | {LENS: f"lens {index}"})
    stack = read(tmp_path / "in")
    assert isinstance(stack, Stack)
    places = Transforms(np.tile(np.eye(3), (4, 1, 1)), reference=3)
    moved = apply_transforms(stack, places)
    made = [
        (stack, 2), (moved, 3), (transform_frames(moved, rotate=30.0), 3),
        (moving_average(moved, frames=3), 3), (moved.select([3, 1, 0]), 3),
        (moved.select([0, 1]), 1), (apply_transforms(moved, Transforms(places.matrices)), 3),
        (apply_transforms(moved, replace(places, reference=0)), 0),
    ]  # fmt: skip
    for data, expected in made:
        write(tmp_path / "a.jpg", stack[0], exif_from=data, overwrite=True)
        with Image.open(tmp_path / "a.jpg") as image:
            assert image.getexif().get_ifd(0x8769)[LENS] == f"lens {expected}"


@pytest.mark.parametrize("name", ["series.tif", "series.zarr", "frames"])
def test_frames_are_not_written_over_what_they_are_read_from(
    tmp_path: Path, noise: Noise, name: str
) -> None:
    path = tmp_path / name
    write(path, Stack.wrap(noise(3, 20, 30)))
    stack = read(path)
    assert isinstance(stack, Stack)
    before = [np.asarray(frame) for frame in stack]
    derived = stack.select([1, 2]), moving_average(stack), moving_average(stack).select([0])
    for data in (stack, *derived):
        with pytest.raises(ValueError, match="is an input, which would be lost"):
            write(path, data, overwrite=True)
    np.testing.assert_array_equal(np.asarray(stack), before)
    write(path, np.asarray(stack), overwrite=True, axes="zyx")  # pixels in memory


def test_a_hyperstack_is_not_written_over_what_it_is_read_from(
    tmp_path: Path, noise: Noise
) -> None:
    path = tmp_path / "hyper.tif"
    write(path, noise(2, 3, 20, 30), axes="czyx")
    found = read(path)
    assert isinstance(found, Hyperstack)
    for data in (found, found.stack({"z": 1}), found.along("z")):
        with pytest.raises(ValueError, match="is an input, which would be lost"):
            write(path, data, overwrite=True)
