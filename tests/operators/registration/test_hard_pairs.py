"""Pairs of every kind that registration was once wrong about: right, or flagged."""

import runpy
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from napari_stack import Stack, measure_transforms
from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.preprocess import prepare
from napari_stack.operators.registration.refinement.gauss_newton import Refined
from napari_stack.operators.registration.search import align as align_module
from napari_stack.operators.registration.search.correlation import repeated, spectrum_of
from napari_stack.operators.registration.search.fourier_mellin import shifted
from napari_stack.operators.registration.search.guesses import Guesses
from napari_stack.operators.registration.search.hypotheses import Search
from napari_stack.operators.registration.search.judgement import strayed

_BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
_pairs = runpy.run_path(str(_BENCHMARKS / "registration_pairs.py"))
error_of, make = _pairs["error_of"], _pairs["make"]
with mock.patch.object(sys, "path", [str(_BENCHMARKS), *sys.path]):
    _unrelated = runpy.run_path(str(_BENCHMARKS / "registration_unrelated.py"))

#: Error in px above which a result that was not flagged is silently wrong.
WRONG = 4.0
SEEDS = range(900, 902)


def told(pair, transform):
    """Measure a pair; say whether the answer is right, loose, flagged or wrong."""
    found = measure_transforms(
        Stack.wrap(pair.frames), reference=0, transform=transform, region=pair.region
    )
    if found.failed[1]:
        return "flagged"
    if pair.matrix is None:
        return "wrong"
    error = error_of(found.matrices[1], pair.matrix, pair.frames.shape[1:], pair.region)
    return "right" if error < pair.tolerance else "loose" if error < WRONG else "wrong"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("kind", "least", "transform"),
    [
        ("clean", 2, "similarity"),
        ("clean", 2, "homography"),
        ("mixed", 1, "translation"),
        ("mixed", 1, "similarity"),
        ("mover", 0, "translation"),
        ("mover", 0, "homography"),
        ("discs", 1, "similarity"),
        ("discs", 1, "translation"),
        ("spots", 0, "similarity"),
        ("spots", 0, "translation"),
        ("region", 1, "translation"),
        ("region", 1, "similarity"),
        ("keystone", 2, "similarity"),
        ("keystone", 2, "homography"),
        ("sliver", 1, "translation"),
        ("sliver", 1, "homography"),
        ("small", 1, "translation"),
        ("small", 1, "similarity"),
        ("pattern", 1, "translation"),
        ("pattern", 1, "homography"),
    ],
)
def test_pairs_are_right_or_flagged(kind, least, transform):
    """The benchmark `registration_trials` tries every kind with every transform, at length."""
    tally = Counter(told(make(kind, transform, seed), transform) for seed in SEEDS)
    assert tally["wrong"] == 0
    assert tally["right"] >= least


@pytest.mark.parametrize("transform", ["translation", "rigid", "affine", "homography"])
def test_frames_with_nothing_in_common_are_flagged(transform):
    """The benchmark `registration_unrelated` tries thousands."""
    files = _unrelated["photographs"](None)
    for number in range(2):
        frames, _ = _unrelated["unrelated"](number, files)
        assert not _unrelated["accepted"](frames, transform)[0]


def test_frames_with_nothing_in_common_are_not_searched_at_length():
    """A turned frame is; and where key points are not wanted nothing is left out."""
    frames = make("unrelated", "rigid", 505).frames
    others = make("mixed", "rigid", 502).frames  # turned, with a grid
    for pair, expected in ((frames, False), (others, True)):
        search = Search(*(prepare(np.float32(frame)) for frame in pair), "rigid")
        search.go(None, Features())
        assert bool(search.tried) == expected
    alone = Search(*(prepare(np.float32(frame)) for frame in frames), "rigid")
    alone.go(None, None)
    assert alone.tried


def test_key_points_are_asked_where_spectra_show_nothing():
    """A turned frame, dark, that shares 59 % with the other."""
    pair = make("mixed", "similarity", 504)
    frames = [prepare(np.float32(frame)) for frame in pair.frames]
    assert not Guesses(*frames, "similarity").promise([])
    assert told(pair, "similarity") == "right"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("transform", ["rigid", "similarity"])
def test_a_turn_that_one_round_spot_cannot_tell_is_not_claimed(transform):
    y, x = np.mgrid[:128, :128]
    found = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        px, py = rng.uniform(30, 98, 2)
        frames = [
            100 + 90 * np.exp(-0.5 * ((x - px - dx) ** 2 + (y - py - dy) ** 2) / 2.5**2)
            + rng.normal(0, 1, x.shape)
            for dx, dy in ((0, 0), (3.4, -4.5))
        ]  # fmt: skip
        measured = measure_transforms(
            Stack.wrap(np.stack(frames)), reference=0, transform=transform
        )
        found += [measured.matrices[1]] * (not measured.failed[1])
    for matrix in found:
        np.testing.assert_array_equal(matrix[:2, :2], np.eye(2))
        np.testing.assert_allclose(matrix[:2, 2], [3.4, -4.5], atol=0.3)


@pytest.mark.parametrize("shape", [(47, 300), (32, 32), (40, 40)])
def test_small_frames_have_structure(shape):
    rng = np.random.default_rng(3)
    scene = make("clean", "translation", 5).frames[0][: shape[0] + 8, : shape[1] + 8]
    if scene.shape[1] < shape[1] + 8:
        scene = np.tile(scene, (1, 2))[:, : shape[1] + 8]
    first, second = scene[4:-4, 4:-4], scene[2:-6, 3:-5]
    frames = np.stack([first, second]) + rng.normal(0, 1, (2, *first.shape))
    found = measure_transforms(Stack.wrap(frames), reference=0, transform="translation")
    assert not found.failed[1]
    np.testing.assert_allclose(found.matrices[1][:2, 2], [1, 2], atol=0.3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_bad_frame_never_aborts_a_stack():
    first, second = make("clean", "translation", 7).frames
    bad = [
        np.zeros_like(first),
        np.full_like(first, 255),
        np.where(np.eye(*first.shape) > 0, 255, 0),
    ]
    frames = np.stack([first, *bad, second]).astype(np.uint8)
    for transform in ("translation", "homography"):
        found = measure_transforms(Stack.wrap(frames), reference=0, transform=transform)
        np.testing.assert_array_equal(found.failed, [False, True, True, True, False])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_faint_scene_is_not_lost_behind_a_strong_foreground():
    """Blurred, and seen around a strong texture on 39 % of what the two have in common."""
    assert told(make("mover", "translation", 908), "translation") in ("right", "flagged")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_dust_is_no_scene():
    """What little of two different scenes agrees is the dust of the sensor."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:160, :160]
    dust = np.ones((160, 160))
    for cy, cx in rng.uniform(10, 150, (14, 2)):
        dust *= 1 - 0.4 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 40)
    scenes = [120 + 12 * _pairs["cloud"](rng, 160) for _ in range(2)]
    frames = [scene * dust + rng.normal(0, 1, (160, 160)) for scene in scenes]
    for transform in ("translation", "affine"):
        found = measure_transforms(Stack.wrap(np.array(frames)), reference=0, transform=transform)
        assert found.failed[1]


def test_a_grid_repeats_in_all_directions():
    y, x = np.mgrid[:96, :96]
    grid = np.float32(np.cos(2 * np.pi * (x + y / 3) / 12) + np.cos(2 * np.pi * (y - x / 3) / 12))
    spectrum = spectrum_of(grid, 1.0)
    found = repeated(spectrum, spectrum, 4, 0.7)
    assert len(found) == 4
    turned = np.array([[1, 1 / 3], [-1 / 3, 1]]) / 12
    periods = np.array([turned @ (peak.x, peak.y) for peak in found])
    np.testing.assert_allclose(periods, np.round(periods), atol=0.1)
    assert np.linalg.matrix_rank(np.round(periods)) == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("transform", ["translation", "affine"])
def test_a_shift_along_edges_that_are_all_parallel_is_not_claimed(transform):
    """Noise told it, 18 px off at a quality of 0.95."""
    rng = np.random.default_rng(2)
    shift = rng.uniform(-12, 12, 2)
    y, x = np.mgrid[:200, :240]
    frames = []
    for dx, dy in ((0, 0), shift):
        across = y - dy + 0.3 * (x - dx)
        waves = 40 * np.sin(across / 37 * 2 * np.pi) + 30 * np.sin(across / 19.3 * 2 * np.pi + 1)
        frames.append(100 + waves + rng.normal(0, 2, x.shape))
    found = measure_transforms(Stack.wrap(np.array(frames)), reference=0, transform=transform)
    assert found.failed[1]


def test_a_refinement_that_leads_to_a_worse_place_is_not_believed(monkeypatch):
    """Dust on a faint scene led one of them 4.9 px away, in spite of a quality of 0.97."""
    pair = make("clean", "translation", 11)
    reference, moving = (prepare(np.float32(frame)) for frame in pair.frames)
    near, far = (pair.matrix @ shifted(dx, 0.0) for dx in (0.7, 6.0))
    assert strayed(reference, moving, pair.matrix, far)
    assert not strayed(reference, moving, pair.matrix, near)
    assert not strayed(reference, moving, far, pair.matrix)
    fine = align_module.refine

    def led_away(*frames, **how):
        return Refined(fine(*frames, **how).matrix @ shifted(6.0, 0.0), shares=((1, 1.0),))

    monkeypatch.setattr(align_module, "refine", led_away)
    found = align_module.align(reference, moving, transform="translation")
    assert found.verified
    assert error_of(found.matrix, pair.matrix, reference.shape) < 1
