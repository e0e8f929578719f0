"""Pixels of TIFF pages: rows of every layout, types, colours, alpha, orientation."""

import logging
import re
import struct
import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

from napari_stack.core.stack import Stack
from napari_stack.files import load_image, read, write
from napari_stack.files.formats.tiff import pages as tiff_pages
from support.pixels import Noise

LAYOUTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "strips": {"rowsperstrip": 7},
    "big-endian strips": {"rowsperstrip": 7, "byteorder": ">"},
    "deflated": {"compression": "zlib", "rowsperstrip": 5, "predictor": 2},
    "deflated in one strip": {"compression": "zlib", "rowsperstrip": 61},
    "lzw": {"compression": "lzw", "rowsperstrip": 6},
    "zstd big-endian": {"compression": "zstd", "rowsperstrip": 4, "byteorder": ">"},
    "tiles": {"tile": (16, 32)},
    "deflated tiles": {"tile": (16, 32), "compression": "zlib"},
    "one column of tiles": {"tile": (16, 48)},
}


def rows_are_those_of_the_frame(stack: Stack, expected: NDArray[Any]) -> None:
    for index in range(len(stack)):
        np.testing.assert_array_equal(stack.render(index), expected[index])
        for start, stop in ((0, 1), (3, 20), (13, 14), (40, 61), (0, 61)):
            part = stack.render(index, slice(start, stop))
            np.testing.assert_array_equal(part, expected[index, start:stop])
            assert part.flags.c_contiguous
            assert part.dtype.isnative


def turned_by_pillow(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    exif, file = Image.Exif(), BytesIO()
    exif[274] = orientation
    Image.fromarray(pixels).save(file, "png", exif=exif)
    return np.asarray(ImageOps.exif_transpose(Image.open(file)))


#: Kinds of pixels that tifffile does not decode, or whose colours would come out wrong.
REFUSED = {
    "logluv-3c-16b.tiff",
    "off_l16.tif",
    "off_luv24.tif",
    "off_luv32.tif",
    "text.tif",
}

#: YCbCr, and JPEG of the old kind, which tifffile does not decode: see test_ycbcr.
COLOURS = {"smallliz.tif", "zackthecat.tif", "dscf0013.tif", "ycbcr-cat.tif"}


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


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_rows_of_every_layout(tmp_path: Path, noise: Noise, layout: str, dtype: str) -> None:
    pixels = noise(3, 61, 48, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", **LAYOUTS[layout])
    stack = read(tmp_path / "a.tif")
    assert stack.shape == (3, 61, 48)
    rows_are_those_of_the_frame(stack, pixels)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_of_colours(tmp_path: Path, noise: Noise, layout: str, planes: str) -> None:
    pixels = noise(2, 61, 48, 3)
    stored = pixels if planes == "contig" else np.moveaxis(pixels, -1, 1)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planes, **LAYOUTS[layout]
    )
    stack = read(tmp_path / "a.tif")
    assert stack.rgb
    assert not stack.alpha
    rows_are_those_of_the_frame(stack, pixels)


def test_what_gives_rows_cheaply_says_so(tmp_path: Path, noise: Noise) -> None:
    partial = {}
    for name, layout in LAYOUTS.items():
        tifffile.imwrite(tmp_path / "a.tif", noise(61, 48), **layout)
        partial[name] = read(tmp_path / "a.tif").source.partial
    whole = {"deflated in one strip", "tiles", "deflated tiles", "one column of tiles"}
    assert {name for name, cheap in partial.items() if not cheap} == whole


def test_a_band_reads_only_its_own_bytes(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = []
    fill = tiff_pages._fill

    def counted(file: Any, target: memoryview) -> None:
        read_bytes.append(len(target))
        fill(file, target)

    monkeypatch.setattr(tiff_pages, "_fill", counted)
    for layout in ({}, {"rowsperstrip": 7}, {"rowsperstrip": 1}):
        tifffile.imwrite(tmp_path / "a.tif", noise(200, 300), **layout)
        stack = read(tmp_path / "a.tif")
        read_bytes.clear()
        stack.render(0, slice(50, 70))
        assert sum(read_bytes) == 20 * 300 * 2


def test_bits_in_reverse_order(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(61, 48, dtype="uint8")
    reverse = np.array([int(f"{value:08b}"[::-1], 2) for value in range(256)], np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, reverse[pixels], rowsperstrip=7)
    unit, order = struct.pack("<HHIH", 296, 3, 1, 1), struct.pack("<HHIH", 266, 3, 1, 2)
    assert path.read_bytes().count(unit) == 1
    path.write_bytes(path.read_bytes().replace(unit, order))
    stack = read(path)
    np.testing.assert_array_equal(stack[0], pixels)
    np.testing.assert_array_equal(stack.render(0, slice(5, 30)), pixels[5:30])


def test_strips_that_do_not_follow_each_other(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(60, 40)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, rowsperstrip=20)
    with tifffile.TiffFile(path) as tif:
        first, *rest = tif.pages.first.dataoffsets
        where = tif.pages.first.tags[273].valueoffset
    data = bytearray(path.read_bytes())
    moved = len(data)
    data += data[first : first + 20 * 40 * 2]  # the first strip goes to the end of the file
    data[where : where + 4] = moved.to_bytes(4, "little")
    path.write_bytes(data)
    assert rest[0] != moved
    stack = read(path)
    assert stack.source.partial
    np.testing.assert_array_equal(stack[0], pixels)
    np.testing.assert_array_equal(stack.render(0, slice(15, 45)), pixels[15:45])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "int64", "float16", "float64"])
def test_types_are_kept(tmp_path: Path, noise: Noise, dtype: str) -> None:
    pixels = noise(2, 9, 17, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack")
    stack = read(tmp_path / "a.tif")
    assert stack.dtype == dtype
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_complex_pixels_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.complex64))
    with pytest.raises(ValueError, match=r"a\.tif holds complex64 pixels"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("channels", "photometric", "extra", "rgb", "alpha"),
    [
        (4, "rgb", ["unassalpha"], True, True),
        (4, "rgb", ["assocalpha"], True, True),
        (4, "rgb", ["unspecified"], False, False),
        (5, "minisblack", ["unspecified"] * 4, False, False),
        (2, "minisblack", ["unassalpha"], False, True),
        (3, "minisblack", ["unspecified"] * 2, False, False),
        (5, "rgb", ["unassalpha", "unspecified"], False, False),
    ],
)
def test_alpha_is_what_is_declared_as_alpha(
    tmp_path: Path,
    noise: Noise,
    channels: int,
    photometric: str,
    extra: list[str],
    rgb: bool,
    alpha: bool,
) -> None:
    pixels = noise(6, 7, channels)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        photometric=photometric,
        planarconfig="contig",
        extrasamples=extra,
    )
    stack = read(tmp_path / "a.tif")
    assert (stack.rgb, stack.alpha) == (rgb, alpha)
    np.testing.assert_array_equal(stack[0], pixels)


@pytest.mark.parametrize("scale", [257, 256, 1])
def test_a_palette_becomes_colours(tmp_path: Path, noise: Noise, scale: int) -> None:
    pixels, colours = noise(20, 30, dtype="uint8"), noise(3, 256, dtype="uint8")
    table = colours.astype(np.uint16) * scale
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="palette", colormap=table)
    stack = read(tmp_path / "a.tif")
    assert stack.rgb
    assert stack.dtype == np.uint8
    np.testing.assert_array_equal(stack[0], np.moveaxis(colours[:, pixels], 0, -1))
    np.testing.assert_array_equal(stack.render(0, slice(3, 5)), stack[0][3:5])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool", "uint64"])
@pytest.mark.parametrize("layout", ["one strip", "deflated", "tiles"])
def test_black_is_zero(tmp_path: Path, noise: Noise, dtype: str, layout: str) -> None:
    pixels = noise(61, 47, dtype=dtype)
    options = {**LAYOUTS[layout], **({"predictor": None} if dtype == "bool" else {})}
    scanned = {"photometric": "miniswhite", "software": "a scanner", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **scanned, **options)
    stack = read(tmp_path / "a.tif")
    assert isinstance(stack, Stack)
    assert stack.dtype == dtype
    rows_are_those_of_the_frame(stack, ~pixels[np.newaxis])
    if dtype == "uint8":
        with Image.open(tmp_path / "a.tif") as image:
            np.testing.assert_array_equal(stack[0], np.asarray(image))
    grey = noise(61, 47, 2, dtype="uint8")
    alpha = {"extrasamples": ["unassalpha"], "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "b.tif", grey, photometric="miniswhite", **alpha)
    found = read(tmp_path / "b.tif")[0]  # type: ignore[index]
    np.testing.assert_array_equal(found, np.stack([255 - grey[..., 0], grey[..., 1]], -1))


@pytest.mark.parametrize("layout", ["one strip", "deflated", "tiles"])
@pytest.mark.parametrize("shape", [(61, 47), (3, 61, 47)])
@pytest.mark.parametrize("more", [{}, {"ome": True}, {"metadata": None}, {"software": "mine"}])
def test_a_mask_comes_back_as_it_was_written(
    tmp_path: Path, noise: Noise, layout: str, shape: tuple[int, ...], more: dict[str, Any]
) -> None:
    mask = noise(*shape, dtype="bool")
    tifffile.imwrite(tmp_path / "a.tif", mask, **{**LAYOUTS[layout], "predictor": None}, **more)
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack).reshape(shape), mask)
    rows = mask.reshape(-1, 61, 47)[0, 9:30]
    np.testing.assert_array_equal(stack.frames.render(0, slice(9, 30)), rows)


def test_a_mask_of_bits_marks_what_it_marked(tmp_path: Path, noise: Noise) -> None:
    mask = np.zeros((20, 30), bool)
    mask[7, 11] = True
    tifffile.imwrite(tmp_path / "mask.tif", mask)
    np.testing.assert_array_equal(load_image(tmp_path / "mask.tif"), mask)


def test_white_is_zero_in_imagej_for_display_only(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(61, 47)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["PhotometricInterpretation"].overwrite(0)
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[0], pixels)  # type: ignore[index]


def test_a_palette_of_imagej_is_for_display_only(tmp_path: Path, noise: Noise) -> None:
    pixels, table = noise(20, 30, dtype="uint8"), noise(3, 256)
    tifffile.imwrite(tmp_path / "a.tif", pixels, imagej=True, photometric="palette", colormap=table)
    stack = read(tmp_path / "a.tif")
    assert stack.shape == (1, 20, 30)
    np.testing.assert_array_equal(stack[0], pixels)


def test_a_page_in_a_volume(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(16, 32, 48)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(16, 16, 16), volumetric=True)
    stack = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    np.testing.assert_array_equal(stack.render(9, slice(5, 20)), pixels[9, 5:20])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("layout", ["one strip", "deflated", "lzw", "tiles", "deflated tiles"])
def test_frames_come_upright(tmp_path: Path, noise: Noise, layout: str, orientation: int) -> None:
    pixels, path = noise(2, 61, 47, dtype="uint8"), tmp_path / "a.tif"
    tag = (274, "H", 1, orientation, False)  # of every page
    options = {**LAYOUTS[layout], "metadata": None, "extratags": [tag]}
    tifffile.imwrite(path, pixels, photometric="minisblack", **options)
    expected = [turned_by_pillow(page, orientation) for page in pixels]
    stack = read(path)
    assert isinstance(stack, Stack)
    assert stack.shape == (2, *expected[0].shape)
    for index in range(2):
        np.testing.assert_array_equal(stack[index], expected[index])
        for start, stop in ((0, 1), (3, 20), (40, 47)):
            part = stack.render(index, slice(start, stop))
            np.testing.assert_array_equal(part, expected[index][start:stop])
            assert part.flags.c_contiguous
    write(tmp_path / "b.tif", stack)  # upright once, it is not turned again
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "b.tif")), expected)


def test_colours_come_upright_with_their_pixel_size(tmp_path: Path, noise: Noise) -> None:
    for planes in ("contig", "separate"):
        pixels = noise(61, 47, 3)
        data = pixels if planes == "contig" else np.moveaxis(pixels, 2, 0)
        tifffile.imwrite(
            tmp_path / "a.tif", data, photometric="rgb", planarconfig=planes, metadata=None,
            extratags=[(274, "H", 1, 6, True)], resolution=(1000, 500), resolutionunit="CENTIMETER",
        )  # fmt: skip
        stack = read(tmp_path / "a.tif")
        np.testing.assert_array_equal(stack[0], np.rot90(pixels, -1))  # type: ignore[index]
        steps = [(axis.name, axis.step, axis.unit) for axis in stack.axes[-2:]]
        assert steps == [("y", 10.0, "um"), ("x", 20.0, "um")]


@pytest.mark.parametrize("rowsperstrip", [None, 16])
def test_bands_read_only_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rowsperstrip: int | None
) -> None:
    frames, height, width = 100, 96, 250  # rows of 500 bytes; what counts is the share
    for index in range(frames):
        tifffile.imwrite(
            tmp_path / f"{index}.tif", np.full((height, width), index, np.uint16),
            rowsperstrip=rowsperstrip,
        )  # fmt: skip
    stack = read(tmp_path)
    assert isinstance(stack, Stack)
    for index in range(frames):
        stack.render(index, slice(0, 1))  # headers are read once
    count = 0
    fill = tiff_pages._fill

    def counted(file: Any, target: memoryview) -> None:
        nonlocal count
        count += len(target)
        fill(file, target)

    monkeypatch.setattr(tiff_pages, "_fill", counted)
    for start in range(0, height, 12):
        for index in range(frames):
            part = stack.render(index, slice(start, start + 12))
            assert (part == index).all()
    assert count == frames * height * width * 2


def test_clipping_in_bands_reads_every_byte_about_once(tmp_path: Path, noise: Noise) -> None:
    for index in range(40):
        tifffile.imwrite(tmp_path / f"{index}.tif", noise(400, 500))
    code = (
        "import sys, napari_stack as ns\n"
        "stack = ns.read(sys.argv[1]); ns.sigma_clip(stack, run=ns.Run(memory=2**23))\n"
        "print(next(l for l in open('/proc/self/io') if l.startswith('rchar')).split()[1])"
    )
    if not Path("/proc/self/io").exists():
        pytest.skip("no count of bytes here")
    idle = code.replace("ns.sigma_clip(stack, run=ns.Run(memory=2**23))", "import "
                        "napari_stack.operators.combine.rejection.clip_band; ns.sigma_clip("
                        "ns.Stack.wrap(stack[0][None].repeat(4, 0)[:, :4, :4]))")  # fmt: skip
    counts = [
        int(subprocess.run([sys.executable, "-c", c, str(tmp_path)], capture_output=True,
                           text=True, check=True).stdout)
        for c in (code, idle)
    ]  # fmt: skip
    assert counts[0] - counts[1] < 1.1 * 40 * 400 * 500 * 2


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
        if path.name not in COLOURS:
            judges[as_others_read_it(path, pixels.squeeze())] += 1
    assert refused == REFUSED
    assert judges["tifffile"] > 150
    assert judges["Pillow"] >= 15
