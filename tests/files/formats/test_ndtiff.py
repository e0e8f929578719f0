"""NDTiff, as its own package writes it."""

import gc
import struct
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import list_series, read
from support.pixels import Noise

ndstorage = pytest.importorskip("ndstorage")

Frames = dict[tuple[tuple[str, Any], ...], NDArray[Any]]


def save(folder: Path, frames: Frames, **told: Any) -> Path:
    """Write frames by their axes; return the folder that holds the files."""
    summary = {"z-step_um": 2.5, "note": "é"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # its writer leaves its files open
        data = ndstorage.NDTiffDataset(folder, name="a", summary_metadata=summary, writable=True)
        for axes, pixels in frames.items():
            data.put_image(dict(axes), pixels, {"PixelSizeUm": 0.25, **told})
        data.finish()
        data.close()
        del data
        gc.collect()
    return folder / "a_1"


def grid(noise: Noise, **axes: list[Any]) -> Frames:
    places = [tuple(zip(axes, place, strict=True)) for place in product(*axes.values())]
    return {place: noise(9, 11) for place in places}


def test_frames_along_one_axis(tmp_path: Path, noise: Noise) -> None:
    frames = grid(noise, time=[0, 1, 2])
    folder = save(tmp_path, frames)
    for path in (folder, folder / "a_NDTiffStack.tif"):
        stack = read(path)
        assert stack.axes == (Axis("t"), Axis("y", 0.25, "um"), Axis("x", 0.25, "um"))
        np.testing.assert_array_equal(np.asarray(stack), np.stack(list(frames.values())))
    np.testing.assert_array_equal(stack.render(1, slice(3, 5)), list(frames.values())[1][3:5])


def test_axes_in_any_order(tmp_path: Path, noise: Noise) -> None:
    frames = grid(noise, channel=["GFP", "DAPI"], z=[-1, 0, 1], position=[0, 1], time=[0, 1])
    shuffled = dict(sorted(frames.items(), key=lambda item: item[1][0, 0]))
    found = read(save(tmp_path, shuffled), axis="z")
    assert isinstance(found, Hyperstack)
    assert found.leading == (
        Axis("position", labels=("position 0", "position 1")), Axis("t"),
        Axis("c", labels=found.leading[2].labels), Axis("z", 2.5, "um"),
    )  # fmt: skip
    assert sorted(found.leading[2].labels) == ["DAPI", "GFP"]
    for axes, pixels in frames.items():
        at = dict(axes)
        channel = found.leading[2].labels.index(at["channel"])
        place = at["position"], at["time"], channel, at["z"] + 1
        np.testing.assert_array_equal(np.asarray(found)[place], pixels)
    assert read(tmp_path / "a_1", series="position 1").shape == (2, 2, 3, 9, 11)
    assert len(list_series(tmp_path / "a_1")) == 2


def test_frames_that_were_never_recorded(tmp_path: Path, noise: Noise) -> None:
    frames = grid(noise, time=[0, 1], z=[0, 1, 2])
    del frames[("time", 1), ("z", 1)]
    with pytest.warns(UserWarning, match="of the 6 frames that are declared 1 is missing"):
        found = read(save(tmp_path, frames))
    assert found.frames.used.tolist() == [True] * 4 + [False, True]
    np.testing.assert_array_equal(np.asarray(found)[1, 2], frames[("time", 1), ("z", 2)])


def test_colours(tmp_path: Path, noise: Noise) -> None:
    """Its Python package writes grey frames only: their entry is changed to that of colours."""
    pixels = noise(9, 11, 3, dtype="uint8")
    index = save(tmp_path, {(("time", 0),): pixels.reshape(9, 33)}) / "NDTiff.index"
    grey, colours = struct.pack("<4i", 33, 9, 0, 0), struct.pack("<4i", 11, 9, 2, 0)
    assert grey in index.read_bytes()
    index.write_bytes(index.read_bytes().replace(grey, colours))
    stack = read(tmp_path / "a_1")
    assert stack.rgb
    np.testing.assert_array_equal(stack[0], pixels)


def test_what_is_missing_or_damaged(tmp_path: Path, noise: Noise) -> None:
    folder = save(tmp_path, grid(noise, time=[0, 1, 2]))
    path, index = folder / "a_NDTiffStack.tif", folder / "NDTiff.index"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    stack = read(path)
    stack[0]
    with pytest.raises(ValueError, match=r"a_NDTiffStack\.tif is damaged, cut off"):
        stack[2]
    path.write_bytes(whole)
    entries = index.read_bytes()
    index.write_bytes(entries[:-20])  # of a series that was stopped
    assert len(read(path)) == 2
    index.write_bytes(b"")
    with pytest.raises(ValueError, match="NDTiff"):
        read(path)
    index.unlink()
    with pytest.raises(ValueError, match=r"whose NDTiff\.index is missing: put it back"):
        read(path)
