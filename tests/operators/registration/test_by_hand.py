"""Frames placed by pairs of points: models, refinement, what the pixels do not confirm."""

import json
import warnings

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.notices import FailedFrames
from napari_stack.operators.registration.by_hand import FEWEST, fit_points

SIZE = (168, 210)
CORNERS = np.array([[40, 35], [170, 40], [160, 130], [50, 125.0], [105, 75]])
#: Nobody clicks better.
CLICKS = np.array([[1.5, -1], [-1, -1.5], [0.5, 1.5], [-1.5, 0.5], [1, 1]])


def moved(matrix, points):
    whole = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return whole[:, :2] / whole[:, 2:]


def turned(degrees, scale=(1.0, 1.0), shear=0.0, keystone=0.0):
    turn = np.deg2rad(degrees)
    inner = np.array(
        [[np.cos(turn), -np.sin(turn), 6], [np.sin(turn), np.cos(turn), -4], [keystone, 0, 1]]
    ) @ [[scale[0], shear, 0], [0, scale[1], 0], [0, 0, 1]]
    centre = np.array([[1, 0, 104.5], [0, 1, 83.5], [0, 0, 1.0]])
    return centre @ inner @ np.linalg.inv(centre)


SHEARED = turned(70, (1.4, 0.75), 0.4)


def pairs_of(matrix, count=4, clicks=1.0):
    return np.column_stack([CORNERS, moved(matrix, CORNERS) + clicks * CLICKS])[:count]


@pytest.fixture(scope="module")
def lost():
    """Four frames of cells; 1 is turned and sheared too far, and 3 shows nothing but noise."""
    still = np.asarray(samples.drifting_cells(3, SIZE, shift=3.0, rotation=0.0, scale=0.0)[0])
    frames, first = list(still), ns.Stack.wrap(still[[1]])
    place = ns.Transforms(SHEARED[None]).inverse()
    frames.insert(1, ns.apply_transforms(first, place, border="reflect")[0])
    noise = np.random.default_rng(0).normal(900, 200, SIZE).astype(np.uint16)
    return ns.Stack.wrap(np.stack([*frames[:3], noise]))  # 2 is the reference


@pytest.mark.parametrize(
    ("transform", "matrix"),
    [
        ("translation", [[1, 0, 7], [0, 1, -3.5], [0, 0, 1]]),
        ("rigid", turned(25)),
        ("similarity", turned(-160, (1.3, 1.3))),
        ("affine", SHEARED),
        ("homography", turned(30, (1.1, 1.1), 0.2, 1e-3)),
    ],
)
def test_models_are_fitted_to_as_few_pairs_as_they_need_and_to_more(transform, matrix):
    matrix = np.array(matrix)
    for count in (FEWEST[transform], 5):
        found, fitted = fit_points(pairs_of(matrix, count, clicks=0), transform, SIZE)
        assert found == transform
        np.testing.assert_allclose(moved(fitted, CORNERS), moved(matrix, CORNERS), atol=1e-6)


def test_a_rigid_fit_of_scaled_points_is_the_nearest_rotation():
    _, fitted = fit_points(pairs_of(turned(25, (1.1, 1.1)), 5, clicks=0), "rigid", SIZE)
    assert np.linalg.det(fitted[:2, :2]) == pytest.approx(1)
    assert np.rad2deg(np.arctan2(fitted[1, 0], fitted[0, 0])) == pytest.approx(25)


@pytest.mark.parametrize(
    ("points", "wanted", "found"),
    [
        (CORNERS[:1], "homography", "translation"),
        (CORNERS[:2], "homography", "similarity"),
        (CORNERS[:3], "homography", "affine"),
        (CORNERS[:1], "rigid", "translation"),
        ([[5, 5], [5, 5]], "similarity", "translation"),
        ([[10, 10], [60, 40], [110, 70], [160, 100]], "affine", "similarity"),  # on one line
        ([[10, 10], [60, 40], [110, 70], [160, 20]], "homography", "affine"),  # but for one
    ],
)
def test_points_give_the_richest_model_that_they_can(points, wanted, found):
    points = np.array(points, float)
    pairs = np.column_stack([points, points + np.array([3, -2])])
    model, matrix = fit_points(pairs, wanted, SIZE)
    assert model == found
    np.testing.assert_allclose(moved(matrix, points), points + np.array([3, -2]), atol=1e-6)


def test_a_lost_frame_is_refined_from_its_points(lost):
    with pytest.warns(FailedFrames, match=r"^2 of 4 frames could not be registered: 1, 3$"):
        before = ns.measure_transforms(lost, transform="affine")
    with pytest.warns(FailedFrames, match=r"^1 of 4 frames could not be registered: 3$") as record:
        after = ns.measure_transforms(lost, transform="affine", points={1: pairs_of(SHEARED)})
    assert len(record) == 1
    assert before.failed.tolist() == [False, True, False, True]
    assert after.failed.tolist() == [False, False, False, True]
    rest = moved(after.matrices[1], CORNERS) - moved(SHEARED, CORNERS)
    assert np.abs(rest).max() < 0.3  # the clicks miss by 1.5
    assert after.quality[1] > 0.5
    np.testing.assert_array_equal(after.matrices[[0, 2]], before.matrices[[0, 2]])
    np.testing.assert_array_equal(after.quality[[0, 2, 3]], before.quality[[0, 2, 3]])


def test_points_that_the_pixels_do_not_confirm_count_alone(lost):
    given = turned(10, (1.05, 1.05))
    with pytest.warns(UserWarning, match="of 4 frames (placed|with)") as record:
        found = ns.measure_transforms(
            lost, transform="similarity", method="features",
            points={3: pairs_of(given), 1: pairs_of(SHEARED)},
        )  # fmt: skip
    told = [str(warning.message) for warning in record]
    assert "of 4 frames placed by their points alone" in told[0]
    assert "(quality 0)" in told[0]
    assert not found.failed.any()
    assert found.quality[3] == 0
    _, expected = fit_points(pairs_of(given), "similarity", SIZE)
    np.testing.assert_allclose(found.matrices[3], expected)


def test_too_few_points_and_points_that_do_not_agree_are_told(lost):
    shuffled = pairs_of(SHEARED)
    shuffled[:, 2:] = shuffled[[1, 0, 3, 2], 2:]
    with pytest.warns(UserWarning, match="of 4 frames (placed|with)") as record:
        found = ns.measure_transforms(
            lost, transform="affine", method="features",
            points={1: shuffled, 3: pairs_of(turned(10), 2)},
        )  # fmt: skip
    told = " | ".join(str(warning.message) for warning in record)
    assert "2 of 4 frames placed by their points alone" in told
    assert "placed by a similarity only: affine needs 3 pairs of points" in told
    assert "1 of 4 frames with pairs of points that do not agree" in told
    assert found.quality[[1, 3]].tolist() == [0, 0]


def test_a_frame_that_is_found_at_its_points_stays_as_it_was_found():
    stack, _ = samples.drifting_cells(3, SIZE)
    plain = ns.measure_transforms(stack, transform="rigid")
    points = {0: np.column_stack([CORNERS, moved(plain.matrices[0], CORNERS) + CLICKS])}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # also what the tests leave alone elsewhere
        helped = ns.measure_transforms(stack, transform="rigid", points=points)
    np.testing.assert_allclose(helped.matrices, plain.matrices, atol=0.02)
    assert helped.quality[0] > 0.5


def test_methods_without_a_start_are_helped_as_well(lost):
    found = ns.measure_transforms(
        lost.select([0, 1, 2]), transform="affine", method="features", reference=2,
        points={1: pairs_of(SHEARED)},
    )  # fmt: skip
    assert np.abs(moved(found.matrices[1], CORNERS) - moved(SHEARED, CORNERS)).max() < 0.3


def test_against_a_mean(lost):
    found = ns.measure_transforms(
        lost.select([0, 2, 2, 1]), transform="affine", method="features", reference="mean",
        points={3: pairs_of(SHEARED)},
    )  # fmt: skip
    apart = found.matrices[3] @ np.linalg.inv(found.matrices[2])
    assert np.abs(moved(apart, CORNERS) - moved(SHEARED, CORNERS)).max() < 0.3


@pytest.mark.parametrize(
    ("frame", "message"), [(2, "frame 2, which is the reference"), (9, "frame 9, which is not")]
)
def test_other_frames_are_refused(lost, frame, message):
    with pytest.raises(ValueError, match=message):
        ns.register(lost, transform="affine", points={frame: pairs_of(SHEARED)})


def test_points_are_kept_in_recipe_and_script(lost):
    points = {1: pairs_of(SHEARED)}
    three = lost.select([2, 1, 0])
    how = {"transform": "affine", "method": "features"}
    options = {**how, "reference": 0, "points": points}
    step = ns.Step("register", options)
    recipe = ns.Recipe.from_json(json.loads(json.dumps(ns.Recipe([step]).to_json())))
    direct = ns.register(three, **options)
    replayed = recipe.run(three)["register"]
    np.testing.assert_array_equal(replayed.transforms.matrices, direct.transforms.matrices)
    script = ns.Recipe([step]).to_script("frames.tif")
    assert "points=[[1, 40.0, 35.0, " in script


def test_each_position_of_a_hyperstack_is_told_once(lost):
    data = np.stack([np.asarray(lost.select([2, 3]))] * 2)  # the noise is looked for in vain
    hyper = ns.Hyperstack.wrap(data, axes=("p", "t", "y", "x")).along("t")
    with pytest.warns(FailedFrames) as record:
        hyper.map(ns.register, measure_each=True, transform="rigid")
    assert len(record) == 1
    text = str(record[0].message)
    assert text.endswith("of 4 frames could not be registered, at 2 of 2 positions")
    with pytest.warns(FailedFrames, match=r"^1 of 2 frames could not be registered: ") as record:
        hyper.map(ns.register, transform="rigid")
    assert len(record) == 1
