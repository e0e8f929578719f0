"""`warm` runs every operator, in silence."""

import numpy as np
import pytest

from napari_stack.operators import CATALOGUE, warm
from napari_stack.run import Cancelled, Run


@pytest.mark.parametrize("operator", CATALOGUE)
def test_every_operator_is_warmed_without_a_word(operator):
    warm(operator)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_the_operator_meets_pixels_of_the_type_that_will_come(dtype, monkeypatch):
    met = []

    def look(stack, *, run):
        met.append((stack.dtype, stack.shape, stack.rgb))

    monkeypatch.setitem(CATALOGUE, "look", look)
    warm("look", dtype=dtype)
    warm("look", dtype=dtype, colours=True)
    assert met == [(dtype, (9, 96, 96), False), (dtype, (9, 96, 96, 3), True)]


def test_warming_can_be_stopped():
    def tick(done, total, what):
        raise Cancelled

    with pytest.raises(Cancelled):
        warm("combine", run=Run(tick=tick))


def test_an_unknown_operator_is_refused():
    with pytest.raises(ValueError, match=r"operator must be one of register, .*, got 'bake'"):
        warm("bake")
