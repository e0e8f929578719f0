"""Parts of all frames that fit a memory."""

import numpy as np
import pytest

from napari_stack.core.errors import UserError
from napari_stack.operators.focus.occlusion import tiles as module
from napari_stack.operators.focus.occlusion.tiles import MARGIN, tiles, with_margin


@pytest.mark.parametrize("shape", [(400, 500), (4000, 6000), (90, 7000), (7000, 90)])
@pytest.mark.parametrize("frames", [3, 40, 300])
def test_tiles_cover_the_image_once_within_the_memory(shape, frames):
    memory = 2**30
    covered = np.zeros(shape, np.uint8)
    for tile in tiles(shape, frames, 3, memory):
        covered[tile] += 1
        wide, inner = with_margin(tile, shape)
        sides = [side.stop - side.start for side in wide]
        assert np.prod(sides) * 4 * (frames * 11 + 48) <= memory
        for axis in range(2):
            side = np.arange(shape[axis])
            np.testing.assert_array_equal(side[wide[axis]][inner[axis]], side[tile[axis]])
            reach = side[max(tile[axis].start - MARGIN, 0) : tile[axis].stop + MARGIN]
            np.testing.assert_array_equal(side[wide[axis]], reach)
    assert (covered == 1).all()


def test_what_does_not_fit_is_refused_with_what_to_do(monkeypatch):
    with pytest.raises(UserError, match=r"900 frames needs a memory of 2487 MiB.*focus_slabs"):
        tiles((4000, 6000), 900, 3, 2**30)
    assert len(tiles((4000, 6000), 5, 3, 2**20)) > 1  # a little is taken in any case
    monkeypatch.setattr(module, "LEAST_MEMORY", 0)
    with pytest.raises(UserError, match="and the run has 1"):
        tiles((4000, 6000), 5, 3, 2**20)


@pytest.mark.parametrize("shape", [(100, 3000), (3000, 100)])
def test_what_is_narrow_is_cut_across(shape):
    cut = tiles(shape, 20, 3, 2**20)
    assert len(cut) > 1
    assert all(slice(0, 100) in tile for tile in cut)
