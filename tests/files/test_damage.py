"""Damaged files: an error that names the file, and never a crash."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.files import read
from napari_stack.hyperstack import Hyperstack

Noise = Callable[..., NDArray[Any]]

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


def damaged(data: bytes, generator: random.Random) -> bytes:
    """Cut off, or change some bytes: anywhere, in the header, or to a huge number."""
    result = bytearray(data)
    kind = generator.randrange(4)
    if kind == 0:
        return data[: generator.randrange(len(data))]
    for _ in range(generator.randrange(1, 8)):
        end = len(result) if kind == 1 else min(len(result), 400)
        place = generator.randrange(end - 4)
        if kind == 3:
            result[place : place + 4] = b"\xff\xff\xff\x7f"
        else:
            result[place] = generator.choice([0, 1, 127, 128, 255])
    return bytes(result)


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
    generator = random.Random(kind)
    refused = 0
    for _ in range(60):
        path.write_bytes(damaged(data, generator))
        if (error := refusal(path)) is not None:
            refused += 1
            assert "damaged.tif" in str(error)
            assert len(str(error)) < 500 + len(str(path))
    assert refused > 10


def refusal(path: Path) -> Exception | None:
    """Read a file; return what it is refused with."""
    try:
        found = read(path)
        frames = found.frames if isinstance(found, Hyperstack) else found
        assert np.asarray(frames[0]).shape == frames.shape[1:]
        frames.source.read(len(frames) - 1, slice(0, 1))
    except (ValueError, OSError) as error:
        return error
    return None


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
        ("Compression", 6, "its compression, JPEG of the old kind, is not supported"),
        ("PhotometricInterpretation", 6, "its colours, YCbCr not compressed by JPEG"),
    ],
)
def test_what_is_not_supported_is_not_called_damaged(
    tmp_path: Path, noise: Noise, tag: str, value: int, sentence: str
) -> None:
    pixels = noise(8, 9, 3, dtype="uint8")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tif.pages.first.tags[tag].overwrite(value)
    with pytest.raises(
        ValueError, match=rf"a\.tif cannot be read: {sentence}.*ordinary TIFF"
    ) as found:
        read(tmp_path / "a.tif")
    assert "damaged" not in str(found.value)


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
