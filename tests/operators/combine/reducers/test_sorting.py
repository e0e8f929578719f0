"""Networks of exchanges that put values in order."""

import numpy as np
import pytest

from napari_stack.operators.combine.reducers.sorting import selection_network


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 7, 16, 33])
def test_a_selection_network_brings_ranks_to_their_places(frames):
    # Any exchanges that order all rows of zeros and ones order everything (Knuth's 0-1 principle).
    rng = np.random.default_rng(frames)
    rows = rng.integers(0, 2, (3000, frames))
    first, last = (frames - 1) // 2, frames // 2
    network = selection_network(frames, first, last)
    for low, high in network:
        pair = np.sort(rows[:, [low, high]], axis=1)
        rows[:, low], rows[:, high] = pair.T
    assert (rows[:, : first + 1].max(axis=1) <= rows[:, last]).all()
    ordered = np.sort(rows, axis=1)
    np.testing.assert_array_equal(rows[:, [first, last]], ordered[:, [first, last]])
    assert len(network) <= len(selection_network(frames, 0, frames - 1))
