"""What the tests of files share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

# The processes that run the tests keep all processors busy.
os.environ["NAPARI_STACK_COMPILE_AHEAD"] = "0"


@pytest.fixture
def shared_data() -> Path:
    folder = Path(__file__).parents[1] / "../shared/data"
    if not folder.is_dir():
        pytest.skip("no shared data here")
    return folder.resolve()


@pytest.fixture
def noise() -> Callable[..., NDArray[Any]]:
    """Make pixels of any shape and type, different everywhere."""
    generator = np.random.default_rng(7)

    def make(*shape: int, dtype: str = "uint16") -> NDArray[Any]:
        kind = np.dtype(dtype)
        if kind.kind == "b":
            return generator.random(shape) > 0.5
        if kind.kind == "f":
            return generator.normal(size=shape).astype(kind)
        limits = np.iinfo(kind)
        return generator.integers(limits.min, limits.max, shape, kind, endpoint=True)

    return make
