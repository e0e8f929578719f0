"""Damaged files: an error that names the file, and never a crash."""

import logging
import random
import zipfile
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.files import read, read_recipe, write
from napari_stack.files.exif import Origin
from napari_stack.files.formats import jpeg, npy, ome_zarr
from napari_stack.files.formats.tiff import pages as tiff_pages
from napari_stack.files.formats.tiff import read as tiff_read
from support import micro_manager
from support.damage import assert_refused, bounded_refusal, damaged, refusal
from support.pixels import Noise

TIFFS: dict[str, dict[str, Any]] = {
    "plain": {},
    "strips": {"rowsperstrip": 3},
    "deflated": {"compression": "zlib", "predictor": 2},
    "lzw tiles": {"compression": "lzw", "tile": (16, 16)},
    "jpeg": {"compression": "jpeg"},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "bigtiff": {"bigtiff": True},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
}


@pytest.mark.parametrize("kind", [*TIFFS, "png", "jpg"])
def test_damage_is_named_and_nothing_crashes(tmp_path: Path, noise: Noise, kind: str) -> None:
    pixels = noise(3, 40, 30, dtype="uint8")
    path = tmp_path / "damaged.tif"
    if kind in TIFFS:
        tifffile.imwrite(path, pixels, photometric="minisblack", **TIFFS[kind])
        data = path.read_bytes()
    else:
        encode = {"png": imagecodecs.png_encode, "jpg": imagecodecs.jpeg_encode}[kind]
        data = encode(pixels[0])
    assert_refused(path, data, random.Random(kind))


def set_of(kind: str, folder: Path, noise: Noise) -> Path:
    """Write a good file that holds several images, or is one of a set."""
    if kind == "micro-manager":
        planes = [(c, z, 0, p) for p in range(2) for c in range(2) for z in range(2)]
        micro_manager.write(folder / "e_MMStack.ome.tif", planes, micro_manager.summary(1, 2, 2, 2))
        return folder / "e_MMStack.ome.tif"
    if kind == "zip":
        pytest.importorskip("zarr")
        write(folder / "a.zarr", noise(3, 9, 11), axes="zyx")
        with zipfile.ZipFile(folder / "a.zarr.zip", "w") as packed:
            for path in sorted((folder / "a.zarr").rglob("*")):
                packed.write(path, path.relative_to(folder / "a.zarr"))
        return folder / "a.zarr.zip"
    with tifffile.TiffWriter(folder / "two.tif", ome=kind == "ome") as tif:
        for pixels in noise(2, 3, 9, 11):
            tif.write(pixels, photometric="minisblack", contiguous=False)
    return folder / "two.tif"


@pytest.mark.parametrize("kind", ["micro-manager", "zip", "ome", "two series"])
def test_damage_of_sets_is_named(tmp_path: Path, noise: Noise, kind: str) -> None:
    path = set_of(kind, tmp_path, noise)
    assert_refused(path, path.read_bytes(), random.Random(kind))


def other(kind: str, path: Path, noise: Noise) -> bytes:
    """Write a good file of another kind."""
    pixels = noise(40, 30, 3, dtype="uint8")
    if kind in ("bmp", "webp", "jpg exif"):
        Image.fromarray(pixels).save(path, "jpeg" if "jpg" in kind else kind, exif=EXIF)
    elif kind == "npy":
        np.save(path, pixels)
    elif kind == "npz":
        np.savez_compressed(path, images=pixels)
    elif kind == "fits":
        fits = pytest.importorskip("astropy.io.fits")
        fits.PrimaryHDU(noise(3, 40, 30)).writeto(path)
    return path.read_bytes()


EXIF = Image.Exif()
EXIF[0x0112] = 6


@pytest.mark.parametrize("kind", ["bmp", "webp", "jpg exif", "npy", "npz", "fits"])
def test_damage_of_other_formats(tmp_path: Path, noise: Noise, kind: str) -> None:
    path = tmp_path / f"damaged.{kind.split()[0]}"
    data = other(kind, path, noise)
    assert_refused(path, data, random.Random(kind))


def test_damage_of_zarr(tmp_path: Path, noise: Noise) -> None:
    pytest.importorskip("zarr")
    path = tmp_path / "damaged.zarr"
    write(path, Stack.wrap(noise(3, 40, 30)))
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    generator = random.Random(7)
    refused = 0
    for number in range(30):
        file = files[number % len(files)]
        good = file.read_bytes()
        file.write_bytes(damaged(good, generator))
        if (error := bounded_refusal(path)) is not None:
            refused += 1
            assert "damaged.zarr" in str(error)
        file.write_bytes(good)
    assert refused > 5


def with_sides(kind: str, path: Path, side: int) -> None:
    """Write a small file that claims to be a huge square."""
    pixels = np.zeros((8, 8), np.uint8)
    raw = side.to_bytes(4, "big")
    if kind == "png":
        data = bytearray(imagecodecs.png_encode(pixels))
        data[16:24] = raw * 2
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    elif kind == "jpg":
        data = bytearray(imagecodecs.jpeg_encode(pixels))
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = b"\xff" * 4
    elif kind == "webp":
        Image.fromarray(pixels).save(path, exif=EXIF)
        data = bytearray(path.read_bytes())
        data[24:30] = (min(side, 2**24) - 1).to_bytes(3, "little") * 2
    elif kind == "bmp":
        Image.fromarray(pixels).save(path)
        data = bytearray(path.read_bytes())
        data[18:26] = raw[::-1] * 2
    elif kind == "npy":
        header = str({"descr": "|u1", "fortran_order": False, "shape": (side, side)}).ljust(117)
        data = bytearray(b"\x93NUMPY\1\0" + b"v\0" + header.encode() + b"\n" + bytes(64))
    else:
        tifffile.imwrite(path, pixels, compression="zlib" if kind == "deflated.tif" else None)
        with tifffile.TiffFile(path, mode="r+") as tif:
            for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
                tif.pages.first.tags[tag].overwrite(side, dtype="I")
        data = bytearray(path.read_bytes())
    path.write_bytes(data)


@pytest.mark.parametrize("side", [2**31 - 1, 2**30, 60_000])
@pytest.mark.parametrize("kind", ["png", "jpg", "bmp", "webp", "npy", "tif", "deflated.tif"])
def test_absurd_sides_take_no_memory(tmp_path: Path, kind: str, side: int) -> None:
    path = tmp_path / f"damaged.{kind}"
    with_sides(kind, path, side)
    assert "damaged." in str(bounded_refusal(path))


def test_of_a_series_only_the_bad_file_is_named(tmp_path: Path, noise: Noise) -> None:
    for index in range(5):
        write(tmp_path / f"f{index}.tif", noise(40, 30))
    good = (tmp_path / "f3.tif").read_bytes()
    (tmp_path / "f3.tif").write_bytes(good[: len(good) // 2])
    stack = read(tmp_path)
    for index in (0, 1, 2, 4):
        stack[index]  # type: ignore[index]
    with pytest.raises(ValueError, match=r"f3\.tif is damaged") as caught:
        stack[3]  # type: ignore[index]
    assert not any(f"f{index}" in str(caught.value) for index in (0, 1, 2, 4))


def test_too_little_memory_is_no_damage(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: Any, **__: Any) -> None:
        raise MemoryError

    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(noise(8, 9)))
    stack = read(tmp_path / "a.png")
    monkeypatch.setattr(imagecodecs, "png_decode", greedy)
    with pytest.raises(MemoryError):
        stack[0]


@pytest.mark.parametrize(
    ("tag", "value", "sentence"),
    [
        ("Compression", 34676, "its compression, SGILOG, is not supported"),
        ("Compression", 32809, "its compression, THUNDERSCAN, is not supported"),
        ("PlanarConfiguration", (2, 6), "its colours, YCbCr in tiles or planes without JPEG"),
    ],
)
def test_what_is_not_supported_is_not_called_damaged(
    tmp_path: Path, noise: Noise, tag: str, value: Any, sentence: str
) -> None:
    pixels = noise(8, 9, 3, dtype="uint8")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        if isinstance(value, tuple):
            value, colours = value
            tif.pages.first.tags["PhotometricInterpretation"].overwrite(colours)
        tif.pages.first.tags[tag].overwrite(value)
    with pytest.raises(
        ValueError, match=rf"a\.tif cannot be read: {sentence}.*ordinary TIFF"
    ) as found:
        read(tmp_path / "a.tif")
    assert "damaged" not in str(found.value)


@pytest.mark.parametrize("error", [AttributeError, TypeError, AssertionError, RuntimeError])
@pytest.mark.parametrize(
    ("name", "module", "function"),
    [
        ("a.tif", tiff_read, "contents_of"),
        ("a.tif", tiff_pages, "_layout"),
        ("a.jpg", jpeg, "header_of"),
        ("a.npy", npy, "contents_of"),
        ("a.zarr", ome_zarr, "named_contents"),
    ],
)
def test_an_error_of_the_program_is_not_called_damage(
    tmp_path: Path,
    noise: Noise,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    name: str,
    module: Any,
    function: str,
) -> None:
    def wrong(*_: Any, **__: Any) -> None:
        raise error("a slip of ours")

    if name == "a.npy":
        np.save(tmp_path / name, noise(8, 9))
    else:
        write(tmp_path / name, noise(8, 9, dtype="uint8"))
    monkeypatch.setattr(module, function, wrong)
    with pytest.raises(error, match=r"^a slip of ours$"):
        read(tmp_path / name)


def test_an_error_in_writing_exif_is_not_called_damage(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: Any) -> None:
        raise TypeError("a slip of ours")

    Image.fromarray(noise(8, 9, dtype="uint8")).save(tmp_path / "a.jpg", exif=EXIF)
    monkeypatch.setattr(Origin, "to_bytes", wrong)
    with pytest.raises(TypeError, match="a slip of ours"):
        write(tmp_path / "b.tif", read(tmp_path / "a.jpg"))


ASCII, WIDTH, STRIPS = 2, 256, 273


@pytest.mark.parametrize("tag", [WIDTH, STRIPS])
def test_numbers_that_are_stored_as_text(tmp_path: Path, noise: Noise, tag: int) -> None:
    """Tifffile compares them with numbers, which is a TypeError."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(8, 9), metadata=None, byteorder="<")
    data = path.read_bytes()
    place = data.index(tag.to_bytes(2, "little"), 8)
    path.write_bytes(data[: place + 2] + ASCII.to_bytes(2, "little") + data[place + 4 :])
    with pytest.raises(UserError, match=r"a\.tif is damaged"):
        np.asarray(read(path))


@pytest.mark.parametrize("part", ["header", "sides", "pixels"])
def test_damage_of_compressed_fits(tmp_path: Path, noise: Noise, part: str) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    path = tmp_path / "a.fits"
    image = fits.CompImageHDU(noise(90, 110, dtype="int16"))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    data = bytearray(path.read_bytes())
    if part == "header":
        place = data.index(b"ZVAL1   =                   32")
        data[place + 27 : place + 30] = b"3 2"
    elif part == "sides":
        place = data.index(b"ZNAXIS1 =                  110")
        data[place + 10 : place + 30] = b"'a text'".ljust(20)
    else:
        data[-8000:-3000] = bytes(5000)
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"a\.fits is damaged"):
        np.asarray(read(path))


def test_the_log_of_tifffile_stays_as_it_is(tmp_path: Path, noise: Noise) -> None:
    logger = logging.getLogger("tifffile")
    before = logger.level, list(logger.handlers), list(logger.filters), logger.propagate
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30), photometric="minisblack")
    np.asarray(read(tmp_path / "a.tif"))
    read_recipe(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags["StripByteCounts"].overwrite(5)
    refusal(tmp_path / "a.tif")
    assert (logger.level, list(logger.handlers), list(logger.filters), logger.propagate) == before


def test_headers_that_go_round_in_circles(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(2, 20, 30), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as tif:
        first, second = (page.offset for page in tif.pages)
        after = second + 2 + 12 * len(tif.pages[1].aspage().tags)
    data = bytearray(path.read_bytes())
    assert data[after : after + 4] == bytes(4)
    data[after : after + 4] = first.to_bytes(4, "little")
    path.write_bytes(data)
    assert len(read(path)) == 2
