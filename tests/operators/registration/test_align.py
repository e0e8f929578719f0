"""Registration of one frame against another, on textures whose truth is exact."""

import pickle
import runpy
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from napari_stack.operators.registration.methods import Features
from napari_stack.operators.registration.refinement.gauss_newton import level_to_frame
from napari_stack.operators.registration.search.align import align, align_by, prepare

ROOT = Path(__file__).parents[3]
_analytic = runpy.run_path(str(ROOT / "benchmarks" / "analytic_textures.py"))
cells, natural = _analytic["cells"], _analytic["natural"]
similarity, pair, corner_error = (_analytic[k] for k in ("similarity", "pair", "corner_error"))

SHAPE = (384, 448)
#: Where that shows the same.
MIDDLE = (288, 336)


@cache
def texture(name, seed=0):
    return cells(seed, 500, 900) if name == "cells" else natural(seed, 300)


def drift(rng, transform="similarity", shift=12.0, shape=SHAPE):
    at = tuple(rng.uniform(-shift, shift, 2))
    if transform == "translation":
        return similarity(at, 0, 1, shape)
    return similarity(at, rng.uniform(-2, 2), 1 + rng.uniform(-0.01, 0.01), shape)


def register(first, second, transform="similarity", **options):
    return align(prepare(first), prepare(second), transform=transform, **options)


@pytest.fixture(scope="module")
def scene():
    """A pair that is easy to register, and its truth."""
    truth = drift(np.random.default_rng(5), shift=30)
    first, second = pair(texture("cells"), truth, SHAPE, 5, 0)
    return first, second, truth


@pytest.mark.parametrize("name", ["cells", "natural"])
@pytest.mark.parametrize("transform", ["translation", "similarity"])
@pytest.mark.parametrize("seed", range(2))
def test_known_transform_is_found(name, transform, seed):
    truth = drift(np.random.default_rng(seed), transform)
    found = register(*pair(texture(name, seed), truth, SHAPE, 5, seed), transform)
    assert found.verified
    assert 0.5 <= found.quality <= 1
    assert corner_error(found.matrix, truth, SHAPE) < 0.05
    if transform == "translation":
        np.testing.assert_array_equal(found.matrix[:2, :2], np.eye(2))


@pytest.mark.parametrize("name", ["cells", "natural"])
def test_accuracy_on_a_megapixel(name):
    shape = (1024, 1024)
    scene = cells(1) if name == "cells" else natural(1)
    rng = np.random.default_rng(77)
    shift, scale = tuple(rng.uniform(-12, 12, 2)), 1 + rng.uniform(-0.01, 0.01)
    truth = similarity(shift, rng.uniform(-2, 2), scale, shape)
    found = register(*pair(scene, truth, shape, 5, 0))
    assert found.verified
    assert corner_error(found.matrix, truth, shape) <= 0.02


@pytest.mark.parametrize(
    ("name", "shift", "degrees", "scale"),
    [
        ("natural", (150, -45), 0, 1),
        ("cells", (40, 30), 12, 1.1),
        ("natural", (-30, 20), -12, 0.9),
        ("cells", (5, 9), 90, 1),
        ("natural", (9, 5), 180, 1),
    ],
)
def test_large_drift_is_found(name, shift, degrees, scale):
    truth = similarity(shift, degrees, scale, MIDDLE)
    found = register(*pair(texture(name), truth, MIDDLE, 5, 0))
    assert found.verified
    assert corner_error(found.matrix, truth, MIDDLE) < 0.2


def test_swapping_the_frames_inverts_the_matrix(scene):
    first, second, _ = scene
    forth, back = register(first, second), register(second, first)
    assert corner_error(forth.matrix @ back.matrix, np.eye(3), SHAPE) < 0.01


@pytest.mark.parametrize("transform", ["translation", "similarity"])
def test_a_frame_lies_on_itself(scene, transform):
    found = register(scene[0], scene[0], transform)
    assert found.verified
    np.testing.assert_allclose(found.matrix, np.eye(3), atol=1e-6)


def test_gain_and_offset_do_not_matter(scene):
    first, second, truth = scene
    found = register(first, 0.25 * second + 1000)
    assert corner_error(found.matrix, truth, SHAPE) < 0.05


def test_values_of_any_size_and_either_precision(scene):
    first, second, truth = scene
    wide = register(first.astype(np.float64) + 1e9, second.astype(np.float64) + 1e9)
    tiny = register(first * np.float32(1e-20), second * np.float32(1e-20))
    for found in (wide, tiny):
        assert corner_error(found.matrix, truth, SHAPE) < 0.05


def test_strong_noise(scene):
    first, second, truth = scene
    rng = np.random.default_rng(77)
    noise = 2 * first.std()
    noisy = [(f + rng.normal(0, noise, SHAPE)).astype(np.float32) for f in (first, second)]
    found = register(*noisy)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 1


@pytest.mark.parametrize("share", [0.001, 0.01])
def test_hot_pixels_do_not_lock_the_frames_together(scene, share):
    first, second, truth = scene
    rng = np.random.default_rng(77)
    hot = np.where(rng.random(SHAPE) < share, rng.uniform(30, 150, SHAPE), 0).astype(np.float32)
    found = register(first + hot, second + hot)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 0.1


def test_hot_pixels_in_dim_frames_do_not_lock_them_together(scene):
    first, second, truth = scene
    rng = np.random.default_rng(77)
    hot = 200.0 * (rng.random(SHAPE) < 0.005)
    dim = [(0.1 * f + rng.normal(0, 5, SHAPE) + hot).astype(np.float32) for f in (first, second)]
    found = register(*dim)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 1


def test_bad_columns_and_rows_do_not_lock_the_frames_together(scene):
    first, second, truth = (np.array(a) for a in scene)
    rng = np.random.default_rng(77)
    for frame in (first, second):
        frame[:, [50, 51, 200, 333]] = 255
        frame[[20, 190, 300]] = 0
        frame[:, 120] += 40
        frame += rng.normal(0, 1, SHAPE).astype(np.float32)
    found = register(first, second)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 0.1


def test_vignetting_does_not_lock_the_frames_together(scene):
    first, second, truth = scene
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] - np.array(SHAPE).reshape(2, 1, 1) / 2
    fall = (1 / (1 + (x**2 + y**2) / 250**2) ** 2).astype(np.float32)
    found = register(first * fall, second * fall)
    assert corner_error(found.matrix, truth, SHAPE) < 0.15


#: Of frames in which all of the search fails: it tries the more the larger they are.
SMALL = (192, 224)


def _without_structure():
    y, x = np.mgrid[: SMALL[0], : SMALL[1]]
    spot = np.zeros(SMALL)
    spot[100, 100] = 255
    return {
        "zero": np.zeros(SMALL),
        "saturated": np.full(SMALL, 65535.0),
        "nan": np.full(SMALL, np.nan),
        "infinite": np.full(SMALL, np.inf),
        "nearly all nan": np.where(x < 3, 1.0, np.nan),
        "ramp": x + 2.0 * y,
        "hot pixel": spot,
        "edge": np.where(x > 100, 255.0, 0.0),
        "huge": np.full(SMALL, 1e38),
        "noise": np.random.default_rng(99).normal(0, 1, SMALL),
    }


@pytest.mark.parametrize(
    ("transform", "kind"),
    [("similarity", kind) for kind in _without_structure()]
    + [("translation", kind) for kind in ("zero", "nan", "ramp", "hot pixel", "noise")],
)
def test_frames_without_structure_are_not_verified(scene, kind, transform):
    empty = _without_structure()[kind].astype(np.float32)
    full = scene[0][: SMALL[0], : SMALL[1]]
    for first, second in ((full, empty), (empty, full)):
        found = register(first, second, transform)
        assert not found.verified
        assert 0 <= found.quality < 0.5
        np.testing.assert_array_equal(found.matrix, np.eye(3))


@pytest.mark.parametrize("name", ["cells", "natural"])
def test_unrelated_frames_are_not_verified(name):
    first = pair(texture(name), np.eye(3), SMALL, 5, 0)[0]
    second = pair(texture(name, 50), np.eye(3), SMALL, 5, 50)[0]
    assert not register(first, second).verified


@pytest.mark.parametrize("period", [12, 40])
def test_periodic_pattern_is_right_or_flagged(period):
    y, x = np.mgrid[: SMALL[0], : SMALL[1]].astype(float)
    rng = np.random.default_rng(period)
    for dx, dy in ((3.3, -2.1), (25.0, 31.0)):
        truth = similarity((dx, dy), 0, 1, SMALL)
        frames = [
            np.cos(2 * np.pi * (x - u) / period) + np.cos(2 * np.pi * (y - v) / period)
            for u, v in ((0, 0), (dx, dy))
        ]
        found = register(*(f + rng.normal(0, 0.1, SMALL) for f in frames))
        assert not found.verified or corner_error(found.matrix, truth, SMALL) < 0.5


def test_a_grid_is_not_found_a_quarter_turn_away():
    """Its whitened correlation has one peak, for the borders of both frames coincide."""
    shape, period, angle = (1024, 1024), 48.1, 2.41
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    axes = [(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))]
    truth = similarity((30, -20), -12, 1.1, shape)
    frames = []
    for seed, matrix in enumerate((np.eye(3), truth)):
        back = np.linalg.inv(matrix)
        px = back[0, 0] * x + back[0, 1] * y + back[0, 2]
        py = back[1, 0] * x + back[1, 1] * y + back[1, 2]
        waves = sum(30 * np.cos(2 * np.pi * (a * px + b * py) / period) for a, b in axes)
        frames.append(waves + np.random.default_rng(seed).normal(128, 5, shape))
    found = register(*frames)
    assert not found.verified or corner_error(found.matrix, truth, shape) < 0.5


def test_nan_borders_and_holes(scene):
    first, second, truth = (np.array(a) for a in scene)
    first[:30] = np.nan
    second[:, -50:] = np.nan
    second[np.random.default_rng(0).random(SHAPE) < 0.001] = np.nan
    second[100:150, 100:170] = np.inf
    found = register(first, second)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 0.1


def test_mask_leaves_out_what_moves_otherwise(scene):
    first, second, truth = (np.array(a) for a in scene)
    still = pair(texture("natural", 9), np.eye(3), SHAPE, 0, 0)[0]
    first[:, 200:], second[:, 200:] = 4 * still[:, 200:], 4 * still[:, 200:]
    mask = np.zeros(SHAPE, bool)
    mask[:, :200] = True
    found = align(prepare(first, mask), prepare(second, mask), transform="similarity")
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 0.3
    assert corner_error(register(first, second).matrix, truth, SHAPE) > 5


def test_reduced_frames_give_matrices_of_the_full_frame():
    truth = similarity((6.3, -4.7), 2, 1.02, (900, 1001))
    first, second = pair(texture("natural", 3), truth, (900, 1001), 5, 0)
    prepared = [prepare(f, working_size=500) for f in (first, second)]
    assert prepared[0].factors[0] == 3
    assert prepared[0].levels[0].shape == (300, 333)
    found = align(*prepared, transform="similarity")
    assert corner_error(found.matrix, truth, (900, 1001)) < 0.05


def test_a_reduced_pixel_lies_in_the_middle_of_those_it_is_the_mean_of():
    np.testing.assert_array_equal(level_to_frame(4) @ [0, 2, 1], [1.5, 9.5, 1])


def test_start_reaches_what_is_beyond_the_search():
    truth = similarity((0, 0), 3, 1, SHAPE) @ similarity((330, 0), 0, 1, SHAPE)
    first, second = pair(texture("cells"), truth, SHAPE, 1, 0)
    start = similarity((2, -1), 0, 1, SHAPE) @ truth
    found = register(first, second, start=start)
    assert found.verified
    assert corner_error(found.matrix, truth, SHAPE) < 0.5


def test_a_wrong_start_does_no_harm(scene):
    first, second, truth = scene
    for start in (similarity((150, 90), 40, 1.5, SHAPE), np.full((3, 3), np.nan), np.zeros((3, 3))):
        found = register(first, second, start=start)
        assert corner_error(found.matrix, truth, SHAPE) < 0.05


def test_threads_and_pickles_change_nothing(scene):
    first, second, _ = scene
    prepared = prepare(first), prepare(second)
    expected = align(*prepared, transform="similarity")
    copies = [pickle.loads(pickle.dumps(prepared)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda p: align(*p, transform="similarity"), copies))
    for found in results:
        np.testing.assert_array_equal(found.matrix, expected.matrix)
        assert found.quality == expected.quality


def test_frames_are_left_as_they_are(scene):
    first, second, _ = (np.array(a) for a in scene)
    first.flags.writeable = second.flags.writeable = False
    kept = first.copy()
    register(first, second)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("detector", ["SIFT", "ORB"])
@pytest.mark.parametrize("transform", ["translation", "similarity"])
def test_features(detector, transform):
    truth = drift(np.random.default_rng(7), transform, shape=MIDDLE)
    first, second = pair(texture("cells"), truth, MIDDLE, 2, 0)
    options = {"transform": transform, "method": Features(detector, threshold=3.0)}
    found = align_by(prepare(first), prepare(second), **options)
    assert found.verified
    assert corner_error(found.matrix, truth, MIDDLE) < (0.3 if detector == "SIFT" else 1.5)
    other = prepare(pair(texture("cells", 60), np.eye(3), MIDDLE, 2, 1)[0])
    assert not align_by(prepare(first), other, **options).verified
    assert not align_by(prepare(np.zeros(MIDDLE)), other, **options).verified


def test_what_does_not_fit_is_refused():
    first, other = prepare(np.zeros(SHAPE)), prepare(np.zeros((64, 64)))
    with pytest.raises(ValueError, match="one shape"):
        align(first, other, transform="translation")
    with pytest.raises(ValueError, match="mask"):
        prepare(np.zeros(SHAPE), np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="image"):
        prepare(np.zeros((3, 64, 64)))
    tiny = prepare(np.zeros((5, 7)))
    assert not align(tiny, tiny, transform="similarity").verified
