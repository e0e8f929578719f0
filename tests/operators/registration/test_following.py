"""Long recordings: frames between those that were searched for are followed, and checked."""

import numpy as np
import pytest
from scipy import ndimage

from napari_stack import Stack, measure_transforms
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.search.align import ANY, align
from napari_stack.operators.registration.sequence import measure
from napari_stack.operators.registration.sequence.following import _steps
from napari_stack.operators.registration.sequence.track import follow, placed, starts

SIDE, COUNT, NOISE = 112, 70, 4.0
#: A frame of another scene, and one that jumped.
OTHER, JUMPED = 20, 45


@pytest.fixture(scope="module")
def recording():
    """Frames that drift, and their shifts (x, y) against the first."""
    rng = np.random.default_rng(3)
    scenes = [
        ndimage.spline_filter(30 * s / s.std(), 3)
        for s in (ndimage.gaussian_filter(rng.normal(size=(190, 190)), 2) for _ in range(2))
    ]
    shifts = np.cumsum(rng.normal(0, 0.4, (COUNT, 2)), axis=0)
    shifts[JUMPED] += (15, -12)
    shifts -= shifts[0]
    y, x = np.mgrid[:SIDE, :SIDE] + (190 - SIDE) // 2
    frames = [
        ndimage.map_coordinates(scenes[i == OTHER], [y - dy, x - dx], order=3, prefilter=False)
        for i, (dx, dy) in enumerate(shifts)
    ]
    return (np.array(frames) + rng.normal(0, NOISE, (COUNT, SIDE, SIDE))).astype(np.float32), shifts


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_most_frames_are_followed_and_those_that_differ_are_searched_for(recording, monkeypatch):
    searched = []

    def counted(*frames, **how):
        searched.append(1)
        return align(*frames, **how)

    monkeypatch.setattr(measure, "align", counted)
    frames, shifts = recording
    found = measure_transforms(
        Stack.wrap(frames), transform="translation", reference=0, sequence="direct"
    )
    assert np.flatnonzero(found.failed).tolist() == [OTHER]
    good = ~found.failed
    assert np.abs(found.matrices[good, :2, 2] - shifts[good]).max() < 0.12
    assert len(searched) == 3


def test_a_followed_frame_is_as_surely_known_as_one_that_is_searched_for(recording):
    frames, shifts = recording
    fixed, beside, moving = (prepare(frames[i]) for i in (0, 8, 10))
    known = align(fixed, beside, transform="translation")
    place = placed(fixed, beside, known, "translation")
    found = follow(fixed, moving, known.matrix, place, known.quality, "translation", ANY)
    whole = align(fixed, moving, transform="translation")
    np.testing.assert_allclose(found.alignment.matrix, whole.matrix, atol=0.03)
    np.testing.assert_allclose(
        np.sqrt(np.diag(found.alignment.covariance)[[2, 5]]),
        np.sqrt(np.diag(whole.covariance)[[2, 5]]),
        rtol=0.25,
    )
    np.testing.assert_allclose(found.alignment.matrix[:2, 2], shifts[10], atol=0.1)


@pytest.mark.parametrize("index", [OTHER, JUMPED])
def test_a_frame_that_does_not_match_is_not_followed(recording, index):
    frames, _ = recording
    fixed, beside, moving = (prepare(frames[i]) for i in (0, 8, index))
    known = align(fixed, beside, transform="translation")
    place = placed(fixed, beside, known, "translation")
    start = align(fixed, beside, transform="translation").matrix
    assert follow(fixed, moving, start, place, 0.9, "translation", ANY) is None


def test_where_a_frame_jumped_to_its_correlation_tells_unless_the_scene_repeats(recording):
    frames, shifts = recording
    fixed, moving = (prepare(frames[i], brief=True) for i in (0, JUMPED))
    predicted = np.eye(3)
    first, second = starts(fixed, moving, predicted)
    assert first is predicted
    np.testing.assert_allclose(second[:2, 2], shifts[JUMPED], atol=1)
    y, x = np.mgrid[:SIDE, :SIDE]
    noise = np.random.default_rng(1).normal(size=(2, SIDE, SIDE))
    grids = [np.cos(0.7 * x + i) + np.cos(0.7 * y) + 0.1 * noise[i] for i in range(2)]
    one, other = (prepare(grid.astype(np.float32), brief=True) for grid in grids)
    assert len(list(starts(one, other, predicted))) == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_drift_of_a_period_between_two_that_are_compared_is_seen():
    rng, count, period, drift = np.random.default_rng(0), 64, 8, 0.25
    y, x = np.mgrid[:150, :170]
    grid = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    detail = ndimage.gaussian_filter(rng.normal(size=grid.shape), 1.5)
    scene = grid + 0.35 * detail / detail.std()
    frames = [
        ndimage.shift(scene, (0, drift * i), order=1)[20:132, 40:152]
        + rng.normal(0, 0.3, (112, 112))
        for i in range(count)
    ]
    found = measure_transforms(
        Stack.wrap(np.array(frames, np.float32)), transform="translation", reference=0,
        sequence="direct",
    )  # fmt: skip
    good = ~found.failed
    assert good.sum() > count / 2
    np.testing.assert_allclose(found.matrices[good, 0, 2], drift * np.flatnonzero(good), atol=0.3)


def test_levels_that_are_not_wanted_are_left_empty(recording):
    frames, _ = recording
    whole, some = prepare(frames[0], brief=True), prepare(frames[0], brief=True, wanted=(1,))
    assert some.levels[0].size == 0
    np.testing.assert_array_equal(some.levels[1], whole.levels[1])


@pytest.mark.parametrize(
    ("count", "steps"),
    [(40, [16, 1]), (255, [128, 64, 32, 16, 1]), (20_000, [256, 128, 64, 32, 16, 1])],
)
def test_few_frames_of_a_long_recording_are_searched_for(count, steps):
    assert _steps(count) == steps
