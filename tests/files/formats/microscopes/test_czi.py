"""CZI that Zeiss's own library wrote."""

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.stack import Stack
from napari_stack.files import list_series, read
from support.pixels import Noise

czi = pytest.importorskip("pylibCZIrw.czi")


def _written(path: Path, planes: dict[tuple[int, ...], Any], letters: str, **metadata: Any) -> None:
    """Write planes by their place along the dimensions, S the scene."""
    with czi.create_czi(str(path)) as file:
        for place, pixels in planes.items():
            at = dict(zip(letters, place, strict=True))
            scene = at.pop("S", 0)
            stored = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
            file.write(stored, location=(scene * 500, 7), plane=at, scene=scene)
        file.write_metadata("made", **metadata)


def test_channels_with_names_colours_and_pixel_sizes(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 2, 20, 30, dtype=np.uint16)
    shown = czi.ChannelDisplaySettingsDataClass(
        True, czi.TintingMode.Color, czi.Rgb8Color(*np.array([255, 0, 0], np.uint8)), 0.0, 0.5
    )
    path = tmp_path / "a.czi"
    planes = {place: pixels[place] for place in np.ndindex(3, 2)}
    _written(
        path, planes, "ZC", channel_names={0: "DAPI", 1: "GFP"}, display_settings={0: shown},
        scale_x=1e-7, scale_y=2e-7, scale_z=5e-7,
    )  # fmt: skip
    data = read(path)
    assert isinstance(data, Hyperstack)
    c, z, y, x = data.axes
    np.testing.assert_array_equal(np.asarray(data), pixels.swapaxes(0, 1))
    assert (c.name, c.labels) == ("c", ("DAPI", "GFP"))
    assert c.looks == (Look("", ("#000000", "#ff0000"), (0.0, 32767.5)), Look())
    assert (z.name, z.step, z.unit) == ("z", pytest.approx(0.5), "um")
    assert (y.step, x.step, x.unit) == (pytest.approx(0.2), pytest.approx(0.1), "um")


def test_scenes_are_positions(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 4, 20, 30)
    path = tmp_path / "a.czi"
    _written(path, {place: pixels[place] for place in np.ndindex(2, 4)}, "ST")
    data = read(path)
    assert isinstance(data, Hyperstack)
    assert [a.name for a in data.axes] == ["position", "t", "y", "x"]
    np.testing.assert_array_equal(np.asarray(data), pixels)
    np.testing.assert_array_equal(np.asarray(read(path, series=1)), pixels[1])
    assert len(list_series(path)) == 2


def test_scenes_of_different_sizes_are_named(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.czi"
    small, large = noise(20, 30), noise(40, 30)
    _written(path, {(0, 0): small, (1, 0): large}, "ST")
    with pytest.warns(UserWarning, match="2 series that differ"):
        np.testing.assert_array_equal(read(path)[0], small)
    np.testing.assert_array_equal(read(path, series=1)[0], large)


def test_colours(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.czi", noise(20, 30, 3)
    _written(path, {(0,): pixels}, "T")
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.rgb
    np.testing.assert_array_equal(stack[0], pixels[..., ::-1])  # stored as blue, green, red
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), stack[0][3:9])


def test_a_plane_that_was_never_recorded_is_missing(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.czi", noise(3, 20, 30)
    _written(path, {(0, 0): pixels[0], (1, 0): pixels[1], (0, 1): pixels[2]}, "TZ")
    with pytest.warns(UserWarning, match="of the 4 frames.*1 is missing"):
        data = read(path)
    assert isinstance(data, Hyperstack)
    assert data.sizes == (2, 2)
    assert data.frames.used.tolist() == [True, True, True, False]
    np.testing.assert_array_equal(data.frames[2], pixels[1])


def _attach_times(path: Path, times: list[float]) -> None:
    """Append the times as ZEN does: https://zeiss.github.io/libczi, its description of CZI."""
    data = bytearray(path.read_bytes())
    data += bytes(-len(data) % 32)
    content = struct.pack("<ii", 8 + 8 * len(times), len(times)) + struct.pack(
        f"<{len(times)}d", *times
    )
    place = len(data)
    entry = struct.pack("<2s10xqi16s8s80s", b"A1", place, 0, bytes(16), b"CZTIMS", b"TimeStamps")
    body = struct.pack("<i12x", len(content)) + entry + bytes(112) + content
    data += struct.pack("<16sqq", b"ZISRAWATTACH", len(body), len(body)) + body
    data += bytes(-len(data) % 32)
    directory = len(data)
    body = struct.pack("<i252x", 1) + entry
    data += struct.pack("<16sqq", b"ZISRAWATTDIR", len(body), len(body)) + body
    struct.pack_into("<q", data, 104, directory)
    path.write_bytes(data)


@pytest.mark.parametrize("times", [[3.0, 5.0, 11.5], [3.0, 5.0]])
def test_times_that_were_noted(tmp_path: Path, noise: Noise, times: list[float]) -> None:
    path, pixels = tmp_path / "a.czi", noise(3, 20, 30)
    _written(path, {(t,): pixels[t] for t in range(3)}, "T")
    _attach_times(path, times)
    stack = read(path)
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    t = stack.axes[0]
    noted = len(times) == 3  # else they are of something else
    assert (t.unit, t.positions) == (("s", (3.0, 5.0, 11.5)) if noted else ("pixel", ()))


def test_channels_of_different_types_are_refused(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.czi"
    _written(path, {(0,): noise(20, 30, dtype=np.uint8), (1,): noise(20, 30, dtype=np.uint16)}, "C")
    with pytest.raises(ValueError, match=r"a\.czi.*Gray16, Gray8.*split"):
        read(path)


@pytest.mark.parametrize(
    ("number", "name", "size", "sentence"),
    [(-1, b"Y", 30, "no height, no width"), (-1, b"X", 2**30, "claims 1073741824 x 20 pixels"),
     (0, b"X", 0, "claims 0 x 20 pixels")],
)  # fmt: skip
def test_tiles_of_impossible_sizes_are_damaged(
    tmp_path: Path, noise: Noise, number: int, name: bytes, size: int, sentence: str
) -> None:
    path = tmp_path / "a.czi"
    _written(path, {(0,): noise(20, 30)}, "T")
    data = bytearray(path.read_bytes())
    width = re.compile(rb"X\0{3}.{4}\x1e\0{3}.{4}\x1e\0{3}", re.DOTALL)  # of a tile of 30 pixels
    places = [match.start() for match in width.finditer(data)]
    assert len(places) == 2  # where the tile is, and in the directory
    struct.pack_into("<4siifi", data, places[number], name, 0, size, 0.0, size)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=rf"a\.czi is damaged.*{sentence}"):
        read(path)
