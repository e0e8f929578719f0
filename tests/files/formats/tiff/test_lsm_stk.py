"""LSM and STK, laid out as Zeiss and MetaMorph do, against what tifffile reads of them."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tifffile.tifffile import TIFF

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise
from support.tiff_by_hand import write_tiff


def _write_lsm(path: Path, pixels: Any, *, packed: bool = False) -> None:
    """Write (t, z, c, y, x): a page for all channels, and after each a small copy."""
    times, planes, channels, height, width = pixels.shape
    stamps = struct.pack("<ii3d", 8 + 8 * 3, 3, 100.0, 102.5, 110.0)
    names = b"".join(
        struct.pack("<I", len(n) + 1) + n + b"\0" for n in (b"Ch1-T1", b"Ch2-T2", b"BF")
    )
    colours = struct.pack("<6I", 36 + len(names), 3, 3, 24, 36, 0)
    colours += bytes([0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0]) + names
    info = np.zeros(1, [(n or "rest", t) for n, t in TIFF.CZ_LSMINFO])
    values = {
        "MagicNumber": 67127628, "StructureSize": info.itemsize, "DimensionX": width,
        "DimensionY": height, "DimensionZ": planes, "DimensionChannels": channels,
        "DimensionTime": times, "VoxelSizeX": 1e-7, "VoxelSizeY": 2e-7, "VoxelSizeZ": 5e-7,
        "ScanType": 6, "OffsetTimeStamps": 8, "OffsetChannelColors": 8 + len(stamps),
    }  # fmt: skip
    for name, value in values.items():
        info[name] = value
    small = pixels[0, 0, 0, ::4, ::4]
    pages = []
    for page in pixels.reshape(-1, channels, height, width):
        tags: dict[int, Any] = {
            254: (4, [0]), 256: (3, [width]), 257: (3, [height]),
            258: (3, [8 * page.itemsize] * channels), 259: (3, [5 if packed else 1]),
            262: (3, [1]), 277: (3, [channels]), 278: (3, [height]), 284: (3, [2]),
        }  # fmt: skip
        if not pages:
            tags[34412] = (1, info.itemsize, info.tobytes())
        strips = [plane.astype("<u2").tobytes() for plane in page]
        if packed:
            strips = [bytes(_lzw(strip)) for strip in strips]
        pages.append((tags, strips))
        copy = {
            254: (4, [1]), 256: (3, [small.shape[1]]), 257: (3, [small.shape[0]]),
            258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1]), 278: (3, [small.shape[0]]),
        }  # fmt: skip
        pages.append((copy, [small.astype(np.uint8).tobytes()]))
    write_tiff(path, pages, stamps + colours)


def _lzw(data: bytes) -> bytes:
    import imagecodecs

    return imagecodecs.lzw_encode(data)  # type: ignore[no-any-return]


@pytest.mark.parametrize("packed", [False, True])
def test_an_lsm(tmp_path: Path, noise: Noise, packed: bool) -> None:
    path, pixels = tmp_path / "a.lsm", noise(3, 2, 3, 20, 30, dtype=np.uint16)
    _write_lsm(path, pixels, packed=packed)
    np.testing.assert_array_equal(tifffile.imread(path), pixels)
    data = read(tmp_path)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    np.testing.assert_array_equal(data.frames.render(5, slice(3, 9)), pixels[0, 1, 2, 3:9])
    t, z, c, y, x = data.axes
    assert (t.name, t.unit, t.positions) == ("t", "s", (100.0, 102.5, 110.0))
    assert (z.name, z.step, z.unit) == ("z", pytest.approx(0.5), "um")
    assert (c.name, c.labels) == ("c", ("Ch1-T1", "Ch2-T2", "BF"))
    assert [look.colours[1] for look in c.looks] == ["#00ff00", "#ff0000", "#ffffff"]
    assert (y.step, x.step, x.unit) == (pytest.approx(0.2), pytest.approx(0.1), "um")


def _write_stk(path: Path, pixels: Any, distance: int) -> None:
    """Write (n, y, x): one header, the planes behind each other, 250 ms apart."""
    count, height, width = pixels.shape
    planes = b"".join(
        struct.pack("<6I", distance, 10, 2458850, 1000 + 250 * n, 2458850, 1000 + 250 * n)
        for n in range(count)
    )
    fraction, unit = struct.pack("<2I", 16, 100), struct.pack("<I", 3) + b"um\0"
    blocks = fraction + unit
    values = struct.pack("<6I", 4, 8, 5, 8, 6, 8 + len(fraction))  # both sizes, and their unit
    tags = {
        256: (3, [width]), 257: (3, [height]), 258: (3, [16]), 259: (3, [1]), 262: (3, [1]),
        277: (3, [1]), 278: (3, [height]), 33628: (4, 3, values), 33629: (5, count, planes),
    }  # fmt: skip
    first, *others = [plane.astype("<u2").tobytes() for plane in pixels]
    write_tiff(path, [(tags, [first])], blocks)
    data = path.read_bytes()  # the other planes follow the first, and the header all of them
    at = data.index(first) + len(first)
    head = b"".join(others)
    with tifffile.TiffFile(path) as tif:
        moved = [(tag, entry.valueoffset) for tag, entry in
                 ((t.code, t) for t in tif.pages.first.tags) if tag in (33628, 33629)]  # fmt: skip
        start = tif.pages.first.offset
    new = bytearray(data[:at] + head + data[at:])
    struct.pack_into("<I", new, 4, start + len(head))
    (number,) = struct.unpack_from("<H", new, start + len(head))
    for entry in range(number):
        place = start + len(head) + 2 + 12 * entry
        (tag,) = struct.unpack_from("<H", new, place)
        for code, offset in moved:
            if tag == code:
                struct.pack_into("<I", new, place + 8, offset + len(head))
    path.write_bytes(new)


@pytest.mark.parametrize(("distance", "name"), [(15, "z"), (0, "t")])
def test_an_stk(tmp_path: Path, noise: Noise, distance: int, name: str) -> None:
    path, pixels = tmp_path / "a.stk", noise(4, 20, 30, dtype=np.uint16)
    _write_stk(path, pixels, distance)
    np.testing.assert_array_equal(tifffile.imread(path), pixels)
    stack = read(tmp_path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), pixels)
    first, y, x = stack.axes
    step, unit = (1.5, "um") if distance else (0.25, "s")
    assert (first.name, first.step, first.unit) == (name, pytest.approx(step), unit)
    assert (y.step, x.step, x.unit) == (pytest.approx(0.16), pytest.approx(0.16), "um")
