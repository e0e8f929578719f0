"""Files that version 0.1 wrote: they open with the same pixels, axes, values and recipe."""

from typing import Any

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read, read_recipe
from support.golden import (
    ARRAYS,
    ENDINGS,
    FOLDER,
    MEASURED,
    PARTLY_USED,
    PLANE,
    RECIPE,
    SHIFTS,
    TRANSFORMS,
    USED,
    pixels,
)


@pytest.mark.parametrize("name", ARRAYS)
def test_pixels_axes_and_recipe(name: str) -> None:
    if name.endswith(".zarr"):
        pytest.importorskip("zarr")
    data, leading, _ = ARRAYS[name]
    found = read(FOLDER / name)
    assert found.dtype == data.dtype
    np.testing.assert_array_equal(np.asarray(found).reshape(data.shape), data)
    assert found.axes == ((*leading, *PLANE) if leading else (ns.Axis("frame"), *PLANE))
    assert read_recipe(FOLDER / name) == RECIPE
    frames = found.frames if isinstance(found, Hyperstack) else found
    assert frames.used.all()
    assert (frames.rgb, frames.alpha) == (name == "image.png", False)


@pytest.mark.parametrize("name", PARTLY_USED)
def test_frames_that_are_not_used(name: str) -> None:
    if name.endswith(".zarr"):
        pytest.importorskip("zarr")
    found = read(FOLDER / name)
    data = pixels(4, 9, 11, dtype=PARTLY_USED[name])
    np.testing.assert_array_equal(np.asarray(found), data)
    np.testing.assert_array_equal(found.used, USED)
    assert found.axes == (ns.Axis("z", 2.0, "um"), *PLANE)
    assert read_recipe(FOLDER / name) == RECIPE


@pytest.mark.parametrize("ending", ENDINGS)
def test_transforms(ending: str) -> None:
    found = ns.Transforms.load(FOLDER / f"transforms.{ending}")
    np.testing.assert_allclose(found.matrices, SHIFTS, atol=1e-9)
    assert found.failed.tolist() == TRANSFORMS["failed"]
    if ending in ("json", "csv"):
        assert found.quality.tolist() == TRANSFORMS["quality"]
    if ending == "json":
        told: dict[str, Any] = {name: getattr(found, name) for name in ("size", "pixel")}
        assert told == {name: TRANSFORMS[name] for name in told}


@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("kind", MEASURED)
def test_measured_values(kind: str, ending: str) -> None:
    found = getattr(ns, kind).load(FOLDER / f"{kind.lower()}.{ending}")
    for name, value in MEASURED[kind].items():
        np.testing.assert_array_equal(getattr(found, name), np.asarray(value), err_msg=name)
