"""Pages that are stored as the first one are found without tifffile, others with it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.errors import UserError
from napari_stack.files import read
from napari_stack.files.formats.tiff.raw_pages import Form, entries_at
from support.pixels import Noise

STORED: list[dict[str, Any]] = [
    {}, {"compression": "zlib"}, {"compression": "zlib", "predictor": 2}, {"rowsperstrip": 5},
    {"compression": "zlib", "rowsperstrip": 5}, {"tile": (16, 16)}, {"planarconfig": "separate"},
]  # fmt: skip


def page_by_page(path: Path, pages: Any, kinds: list[dict[str, Any]], **form: Any) -> None:
    with tifffile.TiffWriter(path, **form) as tif:
        for number, page in enumerate(pages):
            tif.write(page, contiguous=False, metadata=None, **kinds[number % len(kinds)])


@pytest.mark.parametrize("options", STORED)
@pytest.mark.parametrize(
    "form", [{"byteorder": ">"}, {"bigtiff": True}, {"bigtiff": True, "byteorder": ">"}, {}]
)
@pytest.mark.parametrize("shape", [(5, 21, 37), (5, 21, 37, 3)])
def test_pages_one_by_one(
    tmp_path: Path, noise: Noise, options: dict[str, Any], form: Any, shape: tuple[int, ...]
) -> None:
    pixels, colours = noise(*shape), len(shape) == 4
    if options.get("planarconfig") and not colours:
        pytest.skip("grey has no planes")
    stored = np.moveaxis(pixels, -1, 1) if options.get("planarconfig") else pixels
    how = {"photometric": "rgb" if colours else "minisblack", **options}
    page_by_page(tmp_path / "a.tif", stored, [how], **form)
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(3, slice(4, 9)), pixels[3, 4:9])  # type: ignore[union-attr]


def test_pages_that_say_different_things(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(9, 21, 37)
    kinds = [{"photometric": "minisblack", "compression": "zlib", "description": "long " * rows,
              "resolution": (rows, 3)} for rows in (21, 5, 8)]  # fmt: skip
    page_by_page(tmp_path / "a.tif", pixels, kinds)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}])
def test_pixels_that_follow_one_another(tmp_path: Path, noise: Noise, options: Any) -> None:
    pixels = noise(7, 21, 37)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **options)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)


def test_a_page_that_was_replaced_is_read_anew(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 21, 37)
    page_by_page(tmp_path / "a.tif", pixels, [{"photometric": "minisblack"}])
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    other = noise(4, 21, 38)
    page_by_page(tmp_path / "a.tif", other, [{"photometric": "minisblack"}])
    with pytest.raises(UserError, match="38 x 21 uint16 pixels where its first page holds 37 x 21"):
        np.asarray(stack)


def test_a_header_beyond_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0\x05\0")
    with (tmp_path / "a.tif").open("rb") as file, pytest.raises(UserError, match="cut off"):
        entries_at(file, Form("<", False), 8)
