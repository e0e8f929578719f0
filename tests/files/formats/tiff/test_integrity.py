"""TIFFs that are cut off: refused by name, never fewer frames without a word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read, write
from support.pixels import Noise

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deflated": {"compression": "zlib"},
    "big": {"bigtiff": True, "compression": "zlib", "byteorder": ">"},
    "imagej": {"imagej": True},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
    "deflated ome": {"ome": True, "compression": "zlib", "metadata": {"axes": "ZYX"}},
    "strips": {"rowsperstrip": 8, "compression": "zlib"},
    "tiles": {"tile": (32, 32), "compression": "zlib"},
}


def cut(path: Path, part: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


def frames_in(path: Path) -> int:
    found = read(path)
    return len(found.frames if isinstance(found, Hyperstack) else found)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off_is_refused(
    tmp_path: Path, noise: Noise, kind: str, part: float
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(8, 64, 64, dtype="uint8"), photometric="minisblack", **KINDS[kind])
    assert frames_in(path) == 8
    cut(path, part)
    with pytest.raises(ValueError, match=r"a\.tif .*(cut off|holds \d of the 8 pages)"):
        read(path)


@pytest.mark.parametrize("part", [0.4, 0.9, 0.999])
def test_pages_with_a_header_each_are_counted(tmp_path: Path, noise: Noise, part: float) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in noise(8, 64, 64):
            tif.write(frame, contiguous=False, metadata=None)
    cut(tmp_path / "a.tif", part)
    with pytest.raises(ValueError, match=r"a\.tif .*cut off"):
        read(tmp_path / "a.tif")


def test_fewer_frames_than_the_description_tells_of(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(8, 20, 30)
    with tifffile.TiffWriter(tmp_path / "imagej.tif", imagej=True) as tif:
        tif.write(pixels, truncate=True)
    assert frames_in(tmp_path / "imagej.tif") == 8
    cut(tmp_path / "imagej.tif", 0.8)
    with pytest.raises(ValueError, match=r"imagej\.tif .*holds \d of the 8 pages"):
        read(tmp_path / "imagej.tif")


def test_writing_that_was_not_finished(tmp_path: Path, noise: Noise) -> None:
    text = '{"shape": [8, 20, 30]}'
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in noise(5, 20, 30):
            tif.write(frame, contiguous=False, metadata=None, description=text)
            text = ""
    with pytest.raises(ValueError, match=r"a\.tif .*holds 5 of the 8 pages"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["uint8", "int16"])
def test_what_is_written_here_is_refused_when_cut(tmp_path: Path, noise: Noise, dtype: str) -> None:
    write(tmp_path / "a.tif", noise(4, 20, 30, dtype=dtype), axes="zyx")
    cut(tmp_path / "a.tif", 0.6)
    with pytest.raises(ValueError, match=r"a\.tif .*cut off"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("options", [{"compression": "zlib"}, {"imagej": True}])
def test_of_a_series_only_the_bad_file_is_named(
    tmp_path: Path, noise: Noise, options: dict[str, Any]
) -> None:
    for index in range(3):
        pixels = noise(8, 64, 64, dtype="uint8")
        tifffile.imwrite(tmp_path / f"{index}.tif", pixels, photometric="minisblack", **options)
    cut(tmp_path / "1.tif", 0.5)
    with pytest.raises(ValueError, match=r"1\.tif .*cut off"):
        read(tmp_path)
    assert frames_in(tmp_path / "2.tif") == 8


def test_a_single_frame_of_a_series_is_named_when_it_is_read(tmp_path: Path, noise: Noise) -> None:
    for index in range(3):
        tifffile.imwrite(tmp_path / f"{index}.tif", noise(64, 64))
    cut(tmp_path / "1.tif", 0.5)
    stack = read(tmp_path)
    stack[2]
    with pytest.raises(ValueError, match=r"1\.tif .*cut off"):
        stack[1]


@pytest.mark.parametrize("count", [100, 400])
def test_looking_at_many_pages_reads_each_header_and_no_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in np.zeros((count, 64, 64), np.uint8):
            tif.write(frame, contiguous=False, metadata=None)
    sizes: list[int] = []
    reads = tifffile.FileHandle.read

    def counted(self: Any, size: int = -1) -> bytes:
        data = reads(self, size)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(tifffile.FileHandle, "read", counted)
    assert len(read(tmp_path / "a.tif")) == count
    assert len(sizes) < 20 * count
    assert sum(sizes) < 1000 * count  # a header has 200 bytes, and is read by us and by tifffile


def test_frames_taken_out_in_imagej_are_believed(tmp_path: Path, noise: Noise) -> None:
    """The note still tells of more, but ImageJ's own count is of now."""
    note = '{"napari_stack": {"axes": [{"name": "z", "step": 1, "unit": "pixel"}], "sizes": [9]}}'
    tifffile.imwrite(tmp_path / "a.tif", noise(4, 8, 9), imagej=True, metadata={"Info": note})
    assert frames_in(tmp_path / "a.tif") == 4
