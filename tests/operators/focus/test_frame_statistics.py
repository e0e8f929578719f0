"""Gains, noise and depth of the frames of a series, as a fold."""

import numpy as np
import pytest

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.frame_statistics import (
    SharpnessFold,
    Thumbnail,
    gain_to,
    limit_workers,
    measure_frame,
)
from support.focus_scenes import steps


def test_parts_of_a_series_merge():
    frames, _, _ = steps(frames=7, noise=2)
    stack = Stack.wrap(frames)

    def folded(numbers):
        fold = SharpnessFold(stack, ChannelWeights(), Run(executor="elsewhere"), even=True)
        for i in numbers:
            fold.add(i, fold.prepare(stack, i))
        return fold

    first = folded(range(3))
    first.merge(folded(range(3, 7)))
    whole = folded(range(7))
    assert first.statistics() == whole.statistics()
    maps, expected = (fold.depth.maps(uncertain=True) for fold in (first, whole))
    for one, other in zip(maps, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_gains_ignore_cells_into_which_a_bright_edge_spills():
    total = np.full((8, 8), 100, np.float32)
    spilled = total * np.float32(1.02)
    spilled[:2] += 60
    ones = np.ones_like(total)
    reference = Thumbnail(total, ones)
    assert gain_to(reference, Thumbnail(spilled, ones)) == pytest.approx(1 / 1.02, rel=1e-5)
    assert gain_to(reference, Thumbnail(total * 0, ones)) == 1
    assert gain_to(reference, Thumbnail(total * 3, ones)) == pytest.approx(1 / 3)  # exposure
    total = total * np.linspace(1, 4, 8, dtype=np.float32)  # out of proportion: no exposure
    assert gain_to(reference, Thumbnail(total, ones)) == 1


def test_gains_bring_frames_to_their_middle_brightness():
    frames = np.stack([steps()[0][2] * gain for gain in (1.0, 0.9, 1.05)])
    stack = Stack.wrap(frames.astype(np.float32))
    fold = SharpnessFold(stack, ChannelWeights(), Run(), even=True)
    for index in range(3):
        fold.add(index, fold.prepare(stack, index))
    found = fold.statistics()
    levels = [found.apply_gain(frame, i).mean() for i, frame in enumerate(frames)]
    np.testing.assert_allclose(levels, frames[0].mean(), rtol=1e-4)
    assert found.top == pytest.approx(frames[0].max(), rel=1e-4)


def test_frames_below_zero_have_a_largest_darkness():
    found = measure_frame(np.full((40, 50), -3, np.float32), None)
    assert (found.top, found.noise, found.gain) == (3, 0, 1)


def test_short_memory_leaves_fewer_workers():
    stack = Stack.wrap(np.zeros((2, 512, 512), np.uint8))  # 2 MiB a frame while it is measured
    assert limit_workers(Run(workers=4, memory=2**30), stack).workers == 4
    assert limit_workers(Run(workers=4, memory=3 * 2**21), stack).workers == 2
    assert limit_workers(Run(workers=4, memory=2**20), stack).workers == 1
