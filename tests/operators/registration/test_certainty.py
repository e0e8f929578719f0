"""When a search may end: frames that match everywhere, if nowhere clearly."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack.operators.registration.search import hypotheses
from napari_stack.operators.registration.search.align import align, prepare
from napari_stack.operators.registration.search.certainty import certain, even
from napari_stack.operators.registration.search.evidence import gather
from napari_stack.operators.registration.search.fourier_mellin import shifted

SIDE, SHIFT, NOISE = 256, 5, 3.5


@pytest.fixture(scope="module")
def pictures():
    """A scene and another one, both of fine structure."""
    rng = np.random.default_rng(8)
    scenes = (ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE + SHIFT)), 1.5) for _ in range(2))
    return [scene / scene.std() for scene in scenes]


def frames(pictures, hidden):
    """Two frames in strong noise; a square part shows another scene, which stays."""
    rng = np.random.default_rng(9)
    made = []
    for first in (0, SHIFT):
        frame = pictures[0][:, first : first + SIDE].copy()
        frame[:hidden, :hidden] = pictures[1][:hidden, :hidden]
        made.append(prepare((frame + rng.normal(0, NOISE, frame.shape)).astype(np.float32)))
    return made


def test_frames_that_match_everywhere_if_nowhere_clearly_are_searched_no_further(
    pictures, monkeypatch
):
    fixed, moving = frames(pictures, 0)
    evidence = gather(fixed, moving, shifted(-SHIFT, 0))
    assert even(evidence)
    assert not certain(evidence)
    asked = []
    monkeypatch.setattr(hypotheses, "match_features", lambda *_, **__: asked.append(1) or [])
    found = align(fixed, moving, transform="translation")
    assert not asked
    assert found.verified
    np.testing.assert_allclose(found.matrix[:2, 2], [-SHIFT, 0], atol=0.2)


def test_where_a_part_moves_otherwise_tiles_tell(pictures):
    fixed, moving = frames(pictures, SIDE // 3)
    assert not even(gather(fixed, moving, shifted(-SHIFT, 0)))
