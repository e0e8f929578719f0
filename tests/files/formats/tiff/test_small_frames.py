"""Frames that are so small that many are read at a time, and headers that are read at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.engine.run import Run
from napari_stack.files import read
from napari_stack.files.formats.tiff import small_frames
from napari_stack.files.formats.tiff.page_runs import run_from, strips_at
from napari_stack.files.formats.tiff.raw_pages import Form, entries_at
from napari_stack.operators.combine.combine import combine
from support.pixels import Noise


def saved(path: Path, pixels: NDArray[Any], *, apart: bool, **options: Any) -> Path:
    """Write pages, with their headers between the pixels or behind them."""
    with tifffile.TiffWriter(path, **options) as tif:
        for frame in pixels if apart else [pixels]:
            tif.write(frame, photometric="minisblack", contiguous=not apart, metadata=None)
    return path


FORMS: list[dict[str, Any]] = [
    {"apart": False}, {"apart": True}, {"apart": True, "byteorder": ">"},
    {"apart": True, "bigtiff": True}, {"apart": False, "bigtiff": True, "byteorder": ">"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_frames_and_rows(tmp_path: Path, noise: Noise, form: dict[str, Any]) -> None:
    pixels = noise(90, 13, 17)
    stack = read(saved(tmp_path / "a.tif", pixels, **form))
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    for index in (89, 0, 41):
        np.testing.assert_array_equal(stack.render(index, slice(3, 9)), pixels[index, 3:9])
    stack[5][...] = 0  # what is handed out is no view of what is kept
    np.testing.assert_array_equal(stack[5], pixels[5])
    means = [combine(stack, run=Run(workers=n)) for n in (1, 2)]
    np.testing.assert_array_equal(*means)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_headers_of_pages_that_are_alike(
    tmp_path: Path, noise: Noise, form: dict[str, Any]
) -> None:
    path = saved(tmp_path / "a.tif", noise(40, 13, 17), **form)
    with tifffile.TiffFile(path) as tif:
        right = np.array([[*page.dataoffsets, *page.databytecounts] for page in tif.pages])
        starts = np.array([page.offset for page in tif.pages])
        how = Form.of(tif)
        entries, after = entries_at(tif.filehandle, how, int(starts[2]))
        run = run_from(tif.filehandle, how, entries, after, after - int(starts[2]))
        assert run is not None
        assert run.starts.tolist() == starts[3:].tolist()
        assert run.after == 0
        np.testing.assert_array_equal(run.strips, right[3:])
        np.testing.assert_array_equal(strips_at(tif.filehandle, how, starts), right)


def test_a_page_of_another_kind_among_many(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(60, 13, 17)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for number, frame in enumerate(pixels):
            packed = "zlib" if number == 40 else None
            tif.write(frame, contiguous=False, metadata=None, compression=packed)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_file_of_many_pages_that_is_cut_off(tmp_path: Path, noise: Noise, share: float) -> None:
    path = saved(tmp_path / "a.tif", noise(60, 13, 17), apart=True)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ValueError, match=r"a\.tif is damaged, cut off"):
        np.asarray(read(path))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_many_frames_are_read_at_once(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    monkeypatch.setattr(small_frames, "_BLOCK", 5000)
    pixels = noise(60, 13, 17)
    source = read(saved(tmp_path / "a.tif", pixels, **form)).source
    for part in (slice(0, 60), slice(3, 41)):
        found = source.several(part.start, part.stop)
        assert found is not None
        np.testing.assert_array_equal(found, pixels[part])


def test_hyperstacks_of_small_frames_are_read_at_once(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(6, 5, 2, 13, 17)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, metadata={"axes": "TZCYX"})
    frames = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(frames), pixels)
    assert frames.frames.source.several(0, 60) is not None
    order = frames.frames.select(np.arange(60)[::-1])
    np.testing.assert_array_equal(np.asarray(order), pixels.reshape(60, 13, 17)[::-1])


def test_a_file_that_is_written_anew(tmp_path: Path, noise: Noise) -> None:
    stack = read(saved(tmp_path / "a.tif", noise(20, 13, 17), apart=True))
    assert stack[3].any()
    other = noise(20, 14, 17)
    saved(tmp_path / "a.tif", other, apart=True)
    with pytest.raises(ValueError, match=r"17 x 14 .* where its first page holds|17 x 14"):
        stack[4]


def test_blocks_that_are_kept_are_few(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_frames, "_BLOCK", 1000)
    pixels = noise(50, 13, 17)
    stack = read(saved(tmp_path / "a.tif", pixels, apart=True))
    for index in np.random.default_rng(0).permutation(50).tolist():
        np.testing.assert_array_equal(stack[index], pixels[index])
