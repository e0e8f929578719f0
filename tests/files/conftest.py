"""What the tests of files share."""

from pathlib import Path
from typing import Any

import pytest
import tifffile
from numpy.typing import NDArray

from support.pixels import Noise


@pytest.fixture
def series(tmp_path: Path, noise: Noise) -> tuple[Path, NDArray[Any]]:
    pixels = noise(12, 20, 30)
    for index, frame in enumerate(pixels):
        tifffile.imwrite(tmp_path / f"f{index}.tif", frame)
    return tmp_path, pixels
