"""Files of others: they open with the right pixels, or are refused with the reason."""

import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_stack.core.stack import Stack
from napari_stack.files import load_image, read

#: Kinds of pixels that tifffile does not decode, or whose colours would come out wrong.
REFUSED = {
    "logluv-3c-16b.tiff",
    "off_l16.tif",
    "off_luv24.tif",
    "off_luv32.tif",
    "text.tif",
    "smallliz.tif",
    "zackthecat.tif",
    "dscf0013.tif",
    "ycbcr-cat.tif",
}


def test_odd_tiffs_open_right_or_are_refused(shared_data: Path) -> None:
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    files = [p for p in (shared_data / "tiff_formats").rglob("*") if "tif" in p.suffix]
    assert len(files) >= 200
    refused, judges = set(), Counter[str]()
    for path in files:
        try:
            stack = read(path)
            pixels = np.asarray(stack)
        except ValueError:
            refused.add(path.name)
            continue
        assert isinstance(stack, Stack)
        middle = slice(stack.shape[1] // 3, stack.shape[1] // 2 + 1)
        part = stack.render(0, middle)
        np.testing.assert_array_equal(part, pixels[0, middle])
        judges[as_others_read_it(path, pixels.squeeze())] += 1
    assert refused == REFUSED
    assert judges["tifffile"] > 150
    assert judges["Pillow"] >= 15


def as_others_read_it(path: Path, pixels: NDArray[Any]) -> str:
    """Compare with tifffile; with Pillow where 0 is white, or colours are in a palette."""
    with tifffile.TiffFile(path) as tif:
        kind, palette = tif.pages.first.photometric.name, tif.pages.first.colormap
    if kind not in ("PALETTE", "MINISWHITE"):
        expected = tifffile.imread(path).squeeze()
        planes = expected.shape != pixels.shape
        expected = np.moveaxis(expected, 0, -1) if planes else expected
        assert pixels.dtype == expected.dtype
        np.testing.assert_array_equal(pixels, expected)
        return "tifffile"
    try:
        with Image.open(path) as image:
            expected = np.asarray(image.convert("RGB") if kind == "PALETTE" else image)
    except (OSError, SyntaxError):  # tifffile tells what is stored
        stored = tifffile.imread(path)
        if palette is not None:
            np.testing.assert_array_equal(pixels, palette.T[stored])
            return "tifffile"
        (bits,) = re.findall(r"-1c-(\d+)b", path.name) or [8 * stored.itemsize]
        np.testing.assert_array_equal(pixels, 2 ** int(bits) - 1 - stored)
        return "tifffile"
    shown = pixels >> 8 if pixels.dtype == np.uint16 and kind == "PALETTE" else pixels
    if "4b" in path.name and kind == "MINISWHITE":  # which Pillow spreads to 8 bits
        expected = expected // 17
    np.testing.assert_array_equal(shown, expected)
    return "Pillow"


def test_alpha_is_declared_in_some_of_the_clipping_cases(shared_data: Path) -> None:
    folder = shared_data / "sigma_clip_cases"
    for pattern, count, alpha in [
        ("1d_*", 9, False),
        ("4d_float_*", 3, True),
        ("image_[0-9]*", 4, False),
        ("image_alpha_*", 4, True),
    ]:
        stack = read(f"{folder}/{pattern}.tif")
        assert (len(stack), stack.alpha) == (count, alpha)
        assert stack.rgb == (stack.ndim == 4)
        np.asarray(stack)


def test_bands_of_a_camera(shared_data: Path) -> None:
    stack = read(shared_data / "multiband")
    assert stack.shape == (5, 960, 1280)
    assert stack.dtype == np.uint16
    assert stack.source.label(4) == "IMG_0000_5.tif"
    np.testing.assert_array_equal(
        stack.render(2, slice(100, 140)),
        load_image(shared_data / "multiband/IMG_0000_3.tif")[100:140],  # type: ignore[index]
    )


def test_photographs(shared_data: Path) -> None:
    board, burst = read(shared_data / "focus_pcb"), read(shared_data / "handheld_burst")
    assert (board.shape, board.rgb) == ((7, 1536, 2048, 3), True)
    assert (burst.shape, burst.rgb) == ((8, 720, 1080, 3), True)
    assert [burst.source.label(i) for i in (0, 7)] == ["1.jpg", "8.jpg"]
    red, _, blue = board[0].reshape(-1, 3).mean(axis=0)
    assert red != blue
