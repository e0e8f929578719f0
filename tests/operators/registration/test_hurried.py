"""Frames placed in a hurry: they end with a place that pairs tell, or that a patient search found.

What the search and the pairs find is played here: only where a frame goes next is asked.
"""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack import Stack, measure_transforms
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search.align import Alignment
from napari_stack.operators.registration.search.hidden import without
from napari_stack.operators.registration.search.hypotheses import Search
from napari_stack.operators.registration.sequence import measure

#: Rows and columns of the frames; each frame holds its number plus one.
SIZE = (48, 48)


class Played:
    """Searches and pairs that find what they are told to, and note what they were asked.

    Parameters
    ----------
    hurried, lost : collection of int
        Frames that a hurried search leaves, and that no search finds.
    """

    def __init__(self, monkeypatch, hurried, lost=()):
        self.hurried, self.lost = set(hurried), set(lost)
        self.patient, self.paired = [], []
        self.pairs_find = set()
        monkeypatch.setattr(measure, "prepare", lambda image, *_, **__: _Marked(image))
        monkeypatch.setattr(measure, "align", self.align)
        monkeypatch.setattr(measure, "measure_globally", self.globally)

    def align(self, fixed, moving, *, patient=True, **_):
        """Find a frame by a search, at its number in x."""
        if moving.number in self.lost:
            return Alignment(np.eye(3), 0.1, False)
        if not patient and moving.number in self.hurried:
            return Alignment(np.eye(3), 0.0, False, hurried=True)
        if moving.number in self.hurried:
            self.patient.append(moving.number)
        return at(moving.number)

    def globally(self, stack, view, aligner, fixed, begun, direct, frames, run):
        """Find some frames by pairs, at minus their number in x."""
        self.paired = list(frames)
        lost = Alignment(np.eye(3), 0.0, False)
        return {
            i: at(-i) if i in self.pairs_find else direct[i] if direct[i].verified else lost
            for i in frames
        }


class _Marked:
    """A prepared frame that knows its number."""

    def __init__(self, image):
        self.number = int(image[0, 0]) - 1
        self.levels = (image,)


def at(x):
    matrix = np.eye(3)
    matrix[0, 2] = x
    return Alignment(matrix, 0.9, True, covariance=np.eye(8) * 1e-6)


def found_of(count, **how):
    frames = np.ones((count, *SIZE), np.float32) * np.arange(1, count + 1)[:, None, None]
    return measure_transforms(Stack.wrap(frames.astype(np.float32)), **{"reference": 0} | how)


@pytest.mark.parametrize("count", [9, 16, 17])
def test_few_hurried_frames_are_placed_by_pairs_and_the_rest_searched_for_again(count, monkeypatch):
    played = Played(monkeypatch, hurried=[4, 7])
    played.pairs_find = {4}
    found = found_of(count, sequence="auto")
    assert not found.failed.any()
    assert played.patient == [7]
    assert set(played.paired) >= {4, 7}
    assert found.matrices[4, 0, 2] == -4
    assert found.matrices[7, 0, 2] == 7


def test_many_hurried_frames_are_all_searched_for_again_and_need_no_pairs(monkeypatch):
    """A quarter may be told by the pairs: 2 of 8, and not 3."""
    played = Played(monkeypatch, hurried=[2, 4, 7])
    found = found_of(9, sequence="auto")
    assert not found.failed.any()
    assert sorted(played.patient) == [2, 4, 7]
    assert played.paired == []
    np.testing.assert_array_equal(found.matrices[:, 0, 2], range(9))


def test_a_lost_frame_among_hurried_ones_stays_lost_and_the_others_do_not(monkeypatch):
    played = Played(monkeypatch, hurried=[4, 6], lost=[5])
    with pytest.warns(UserWarning, match="5"):
        found = found_of(9, sequence="auto")
    assert np.flatnonzero(found.failed).tolist() == [5]
    assert sorted(played.patient) == [4, 6]


def test_where_nothing_else_is_found_hurried_frames_are_searched_for_again(monkeypatch):
    """One of four is no more than the quarter, but no pair could lead to it."""
    played = Played(monkeypatch, hurried=[4], lost=[1, 2, 3])
    with pytest.warns(UserWarning, match="1, 2"):
        found = found_of(5, sequence="auto")
    assert played.patient == [4]
    assert np.flatnonzero(found.failed).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("count", "how"),
    [
        (2, {"sequence": "auto"}),
        (3, {"sequence": "auto", "reference": 1}),
        (3, {"sequence": "auto"}),
        (9, {"sequence": "direct"}),
        (9, {"sequence": "previous"}),
    ],
)
def test_no_frame_of_few_or_of_another_sequence_ends_hurried(count, how, monkeypatch):
    Played(monkeypatch, hurried=range(count))
    assert not found_of(count, **how).failed.any()


def test_weighing_what_was_found_does_not_change_what_is_searched_next():
    """A hurried search weighs after each hypothesis: a part that is left out stays left out."""
    scene = ndimage.gaussian_filter(np.random.default_rng(2).normal(size=(130, 130)), 2)
    reference, moving = (prepare(np.float32(scene[:, i : i + 128])) for i in (0, 2))
    search = Search(reference, moving, "similarity")
    search.go(None, None)
    part = without(reference, np.ones(reference.coarse.shape, bool))
    search.fixed = part
    again = search._simpler(search.found[0], "translation")
    # Nothing could be refined against the part, of which all is left out.
    assert again is not search.found[0]
    assert search.fixed is part
