"""Folds in strips of rows: neither the strips nor the workers change a pixel."""

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus import frame_statistics
from napari_stack.operators.focus.strip_fold import StripFold
from support.focus_scenes import steps


@pytest.mark.parametrize("colour", [False, True])
def test_strips_and_workers_change_no_pixel(monkeypatch, colour):
    frames, _, _ = steps(noise=5, colour=colour)
    stack = Stack.wrap(frames.astype(np.uint8))
    matrices = np.tile(np.eye(3), (len(frames), 1, 1))
    matrices[:, :2, 2] = np.linspace(-1.3, 2.2, len(frames))[:, np.newaxis]
    stack = apply_transforms(stack, Transforms(matrices))
    whole = focus_stack(stack, run=Run(workers=1))
    monkeypatch.setattr(StripFold, "tall", 32)
    monkeypatch.setattr(frame_statistics, "STRIP", 32)
    for workers in (1, 5):
        parts = focus_stack(stack, run=Run(workers=workers))
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(one, other)
