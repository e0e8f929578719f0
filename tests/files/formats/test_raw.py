"""Camera RAW."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.files import read


def test_a_damaged_raw_is_named(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + bytes(100))
    with pytest.raises(ValueError, match=r"a\.nef is damaged"):
        read(tmp_path / "a.nef")


def test_a_raw_photograph(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    import tifffile

    mosaic = np.full((64, 96), 2000, np.uint16)
    mosaic[10:20, 30:40] = 9000
    whole, half = (1, 1), (0, 1)
    tags: list[Any] = [
        (271, "s", 0, "Maker", True), (272, "s", 0, "Model", True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True),  # red green, green blue
        (50706, "B", 4, (1, 4, 0, 0), True), (50707, "B", 4, (1, 1, 0, 0), True),
        (50708, "s", 0, "Camera", True), (50714, "H", 1, 0, True), (50717, "I", 1, 16383, True),
        (50721, "2i", 9, (*whole, *half, *half, *half, *whole, *half, *half, *half, *whole), True),
        (50728, "2I", 3, whole * 3, True), (50778, "H", 1, 21, True),
    ]  # fmt: skip
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, mosaic, photometric="cfa", extratags=tags, metadata=None)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.shape, stack.dtype, stack.rgb) == ((1, 64, 96, 3), np.uint16, True)
    assert np.ptp(stack[0][15, 35].astype(int)) < 10  # grey stays grey
    assert stack[0][15, 35, 1] > 2 * stack[0][40, 60, 1]
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), stack[0][3:9])
    raw = read(path, demosaic=False)
    assert isinstance(raw, Stack)
    assert (raw.shape, raw.dtype, raw.rgb) == ((1, 64, 96), np.uint16, False)
    np.testing.assert_array_equal(raw[0], mosaic)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(raw)).render(0, slice(3, 9)), mosaic[3:9]
    )
