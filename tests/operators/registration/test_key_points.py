"""Key points: found once a frame, and few of them where few are enough."""

import gc

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search import features


@pytest.fixture(scope="module")
def frames():
    stack, _ = samples.drifting_cells(frames=3, size=(330, 340), rotation=0, scale=0)
    return np.asarray(stack).astype(np.float32)


def test_key_points_of_the_reference_are_found_once(frames, monkeypatch):
    looked, plain = [], features._described
    monkeypatch.setattr(
        features, "_described", lambda *how: looked.append(how[0].shape) or plain(*how)
    )
    reference, *others = (prepare(frame) for frame in frames)
    for moving in others:
        assert features.match_features(reference, moving, "translation", Features())
    assert looked == [(330, 340)] * 3
    known = len(features._KNOWN)
    del reference, others, moving
    gc.collect()
    assert len(features._KNOWN) <= known - 3


def test_few_key_points_of_a_small_level_tell_the_same(frames):
    pair = [prepare(frame) for frame in frames[:2]]
    whole, few = (
        features.match_features(*pair, "translation", Features(), brief=brief)[0]
        for brief in (False, True)
    )
    assert features._smallest(pair[0]) == 1
    np.testing.assert_allclose(few, whole, atol=0.7)
    described = features._strongest(features._known(pair[0], 0, Features()), 20)
    assert len(described[0]) == len(described[1]) == 20
