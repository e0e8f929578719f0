"""Frames in which parts move differently: which motion is taken, and when neither is."""

import numpy as np
import pytest

from napari_stack import Stack, measure_transforms
from napari_stack.operators.registration.search.evidence import preferred

SIDE = 160
HOW = {"transform": "translation", "method": "intensity", "reference": 0}


def cloud(rng):
    """Structure of all sizes."""
    k = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE)] * 2))
    k[0, 0] = 1
    image = np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) * k**-1.5).real
    return image / image.std()


def frames(share, gain, move, seed=0):
    """Two frames at rest, before which a square moves that covers a share of them."""
    rng = np.random.default_rng(seed)
    back, front = cloud(rng), gain * cloud(rng)
    half = np.sqrt(share) * SIDE / 2
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    made = [
        np.where(
            (abs(y) < half) & (abs(x + move / 2 - s) < half), np.roll(front, s, 1), back
        )
        for s in (0, move)
    ]  # fmt: skip
    return Stack.wrap(np.stack(made) * 40 + 128 + rng.normal(0, 2, (2, SIDE, SIDE)))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("move", [6, 14])
@pytest.mark.parametrize("gain", [1, 2])
def test_a_foreground_does_not_pull_the_scene(move, gain):
    found = measure_transforms(frames(0.15, gain, move), **HOW)
    assert found.failed[1] or np.hypot(*found.matrices[1, :2, 2]) < 0.6


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_background_is_taken_where_the_foreground_is_larger():
    stack = frames(0.5, 1, 14)
    largest, background = (
        measure_transforms(stack, follow=follow, **HOW) for follow in ("largest", "background")
    )
    assert not background.failed[1]
    np.testing.assert_allclose(background.matrices[1, :2, 2], 0, atol=0.3)
    if not largest.failed[1]:
        np.testing.assert_allclose(largest.matrices[1, :2, 2], [14, 0], atol=0.3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_foreground_of_half_the_frame_is_either_motion_or_flagged():
    for seed in range(2):
        found = measure_transforms(frames(0.42, 1.5, 10, seed), **HOW)
        shift = found.matrices[1, :2, 2]
        assert found.failed[1] or min(np.hypot(*shift), np.hypot(*(shift - [10, 0]))) < 0.5


def test_what_neither_alignment_explains_has_no_say():
    """Half a frame fits the first alignment, the other half neither, by chance the second more."""
    first, second = (np.full((20, 40), v, np.float32) for v in (0.1, 0.3))
    first[:, :20] = 0.9
    assert preferred(first, second)[0] == 0.5
    assert preferred(first, second, explained=True)[0] == 1.0
    faint = np.full((20, 40), 0.1, np.float32)
    assert preferred(faint, second, explained=True)[0] == 0.0
