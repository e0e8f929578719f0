"""Types of kernels' arguments as text, and back."""

import json

import numpy as np
import pytest
from numba import typeof, types

from napari_stack.core.system.signatures import read, written
from napari_stack.operators.combine.rejection.clip_pixel import Rules

FIXED = np.zeros((3, 2))
FIXED.setflags(write=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((2, 3), np.float32), "float32[2C]"),
        (np.zeros((2, 3), bool)[:, ::2], "bool[2A]"),
        (FIXED.T, "float64[2F!]"),
        (7, "int64"),
        (0.5, "float64"),
        (True, "bool"),
        (None, "none"),
        (np.uint8(1), "uint8"),
        ((1, 2), ["int64", "int64"]),
        ((), []),
        (((1, 2.0), None), [["int64", "float64"], "none"]),
    ],
)
def test_types_come_back(value, text):
    kind = typeof(value)
    assert written(kind) == text
    assert read(json.loads(json.dumps(text))) == kind


def test_named_tuples_come_back():
    kind = typeof(Rules(2.0, 2.0, 0, 1, 5, 1.0))
    ((name, parts),) = written(kind).items()
    assert name == "napari_stack.operators.combine.rejection.clip_pixel:Rules"
    assert parts == [*["float64"] * 2, *["int64"] * 3, "float64"]
    assert read(written(kind)) == kind


def test_a_type_that_is_not_known_is_told():
    with pytest.raises(TypeError, match="unicode_type cannot be written"):
        written(types.unicode_type)
