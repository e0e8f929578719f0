"""Matches by products of matrices are OpenCV's brute-force matches."""

import cv2
import numpy as np
import pytest

from napari_stack.operators.registration.search.descriptors import are_exact, matched


@pytest.mark.parametrize(("ours", "theirs"), [(300, 257), (1, 2), (129, 500)])
def test_matches_are_those_one_by_one(ours, theirs):
    rng = np.random.default_rng(ours)
    one = rng.integers(0, 120, (ours, 128)).astype(np.float32)
    other = rng.integers(0, 120, (theirs, 128)).astype(np.float32)
    some = min(ours, theirs) // 2
    other[:some] = one[:some][::-1] + rng.integers(0, 30, (some, 128))
    other[-1] = other[0]  # of two alike neither is nearer
    assert are_exact(one, other)
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(one, other, k=2)
    expected = [(a.queryIdx, a.trainIdx) for a, b in pairs if a.distance < 0.75 * b.distance]
    found = [side.tolist() for side in matched(one, other, 0.75)]
    assert list(zip(*found, strict=True)) == expected
    assert len(expected) >= some - 1


def test_what_is_not_whole_or_large_is_not_exact():
    rng = np.random.default_rng(7)
    whole = rng.integers(0, 120, (9, 64)).astype(np.float32)
    assert not are_exact(whole, whole + 0.5)
    assert not are_exact(whole * 100, whole)
    assert not are_exact(whole.astype(np.uint8), whole)
