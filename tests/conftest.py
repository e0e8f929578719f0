"""What the tests of files share."""

import gc
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

# The processes that run the tests keep all processors busy.
os.environ["NAPARI_STACK_COMPILE_AHEAD"] = "0"


def pytest_configure(config: pytest.Config) -> None:
    """Let every second process begin with the last folder.

    pytest rewrites the assertions of each file, which takes longer than all imports together. So
    two processes meet in the middle, and each reads what the other has rewritten.
    """
    here, worker = Path(__file__).parent, os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if int(worker[2:]) % 2 and [Path(place).resolve() for place in config.args] == [here]:
        found = [*here.glob("*/"), *here.glob("test_*.py")]
        config.args[:] = sorted(map(str, found), reverse=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Do not look for garbage while all files are imported, of which nothing goes again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files by name: the order is to be the same in all processes."""
    items.sort(key=lambda item: item.path)


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
