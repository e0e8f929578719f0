"""Covariances of motion, beside the spread of matrices that are drawn with them."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.operators import Transforms, apply_transforms, transform_frames

SIZE = (60, 80)
CENTRE = np.array([[39.5, 29.5]])
POINTS = np.array([[0.0, 0.0], [79.0, 0.0], [40.0, 59.0]])


def spread(seed, scale=1.0):
    """Make a covariance (8, 8) of the entries of a matrix: each of its own size, correlated."""
    rng = np.random.default_rng(seed)
    sizes = np.array([1e-4, 1e-4, 1e-2, 1e-4, 1e-4, 1e-2, 1e-6, 1e-6])
    root = sizes[:, None] * rng.normal(size=(8, 8)) * scale
    return root @ root.T


def tilted():
    """Three matrices: a shift, a turn with scale, a perspective; the last frame has failed."""
    c, s = 1.1 * np.cos(0.3), 1.1 * np.sin(0.3)
    matrices = np.array(
        [
            [[1, 0, 4.5], [0, 1, -2], [0, 0, 1]],
            [[c, -s, 7], [s, c, 3], [0, 0, 1]],
            [[1, 0.1, 2], [-0.05, 0.9, 1], [1e-4, -2e-4, 1]],
            np.eye(3),
        ]
    )
    covariances = np.stack([spread(i) for i in range(4)])
    failed = np.array([False, False, False, True])
    return Transforms(matrices, None, failed, SIZE, entry_covariance=covariances)


def drawn(transforms, index, count=4000, seed=0):
    """Draw matrices of a frame with its covariance."""
    rng = np.random.default_rng(seed)
    covariance = transforms.entry_covariance[index]
    entries = transforms.matrices[index].ravel()[:8]
    many = rng.multivariate_normal(entries, covariance, count, method="eigh")
    return np.column_stack([many, np.ones(count)]).reshape(-1, 3, 3)


def places(matrices, points):
    moved = np.einsum("nij,pj->npi", matrices, np.column_stack([points, np.ones(len(points))]))
    return moved[..., :2] / moved[..., 2:]


def assert_spread(found, many, points):
    """Compare covariances (points, 2, 2) with those of where many matrices take the points."""
    expected = np.array([np.cov(place.T) for place in places(many, points).swapaxes(0, 1)])
    size = np.sqrt(np.einsum("pii->p", expected))[:, None, None] ** 2
    np.testing.assert_allclose(found / size, expected / size, atol=0.06)


@pytest.mark.parametrize("index", range(3))
def test_points_spread_as_told(index):
    found = tilted().uncertainty(POINTS)
    assert found.shape == (4, 3, 2, 2)
    assert_spread(found[index], drawn(tilted(), index), POINTS)


def test_the_covariance_is_that_at_the_centre():
    assert tilted().covariance.shape == (4, 2, 2)
    np.testing.assert_array_equal(tilted().covariance, tilted().uncertainty(CENTRE)[:, 0])


@pytest.mark.parametrize("index", range(3))
def test_products_and_inverses_spread_as_told(index):
    one, two = tilted(), tilted().select(np.array([1, 2, 0, 3]))
    many, more = drawn(one, index), drawn(two, index, seed=1)
    assert_spread(one.then(two).uncertainty(POINTS)[index], many @ more, POINTS)
    back = np.linalg.inv(many)
    back /= back[:, 2:, 2:]
    assert_spread(one.inverse().uncertainty(POINTS)[index], back, POINTS)


def test_what_is_not_known_is_nan_and_what_is_exact_is_zero():
    assert np.isnan(tilted().covariance[3]).all()  # it failed
    assert np.isfinite(tilted().covariance[:3]).all()
    assert np.isnan(Transforms(np.eye(3)[None]).covariance).all()
    assert (Transforms.exact(np.eye(3), 2).covariance == 0).all()
    filled = tilted().interpolated()
    assert not filled.failed.any()
    assert np.isnan(filled.covariance[3]).all()


def test_frames_keep_theirs():
    chosen = tilted().select(np.array([2, 0]))
    np.testing.assert_array_equal(chosen.covariance, tilted().covariance[[2, 0]])
    joined = chosen.join([tilted()])
    np.testing.assert_array_equal(joined.covariance[2:], tilted().covariance)


def test_equal_are_those_that_are_as_sure():
    assert tilted() == tilted()
    less = replace(tilted(), entry_covariance=4 * tilted().entry_covariance)
    assert tilted() != less
    np.testing.assert_allclose(less.covariance[:3], 4 * tilted().covariance[:3])


def test_a_crop_and_a_turn_afterwards_do_not_change_how_sure_it_is():
    frames = Stack.wrap(np.random.default_rng(0).random((4, *SIZE)))
    moved = apply_transforms(frames, tilted(), failed="keep")
    turned = transform_frames(moved, rotate=180)
    corner = np.array([[79.0, 59.0]])
    np.testing.assert_allclose(
        turned.transforms.uncertainty(corner)[:3], tilted().uncertainty(np.zeros((1, 2)))[:3]
    )


@pytest.mark.parametrize("ending", ["json", "npz", "csv"])
def test_a_file_keeps_it(tmp_path, ending):
    tilted().save(tmp_path / f"t.{ending}")
    found = Transforms.load(tmp_path / f"t.{ending}")
    np.testing.assert_array_equal(found.entry_covariance, tilted().entry_covariance)
    if ending != "csv":  # which keeps no size
        assert found == tilted()


@pytest.mark.parametrize("ending", ["txt", "npy"])
def test_a_form_that_cannot_hold_it_says_so(tmp_path, ending):
    plain = Transforms(tilted().matrices[:2], size=SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain.save(tmp_path / f"plain.{ending}")  # nothing is lost
    sure = replace(plain, entry_covariance=tilted().entry_covariance[:2])
    with pytest.warns(UserWarning, match=r"keeps neither the covariance.*save as \.json"):
        sure.save(tmp_path / f"t.{ending}")
    assert np.isnan(Transforms.load(tmp_path / f"t.{ending}").covariance).all()


def test_a_table_tells_the_standard_deviation(tmp_path):
    tilted().save(tmp_path / "t.csv")
    header, first, *_, last = (tmp_path / "t.csv").read_text().splitlines()
    line = dict(zip(header.split(","), first.split(","), strict=True))
    sigma = np.sqrt(np.diag(tilted().covariance[0]))
    assert [float(line["shift_x_sigma"]), float(line["shift_y_sigma"])] == pytest.approx(
        sigma, rel=1e-5
    )
    assert dict(zip(header.split(","), last.split(","), strict=True))["shift_x_sigma"] == ""


def test_json_stays_json(tmp_path):
    tilted().save(tmp_path / "t.json")
    text = (tmp_path / "t.json").read_text()
    frames = json.loads(text, parse_constant=pytest.fail)["frames"]
    assert [len(frame.get("covariance", ())) for frame in frames] == [36, 36, 36, 0]


def test_a_covariance_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"entry_covariance needs the shape \(4, 8, 8\)"):
        replace(tilted(), entry_covariance=np.zeros((4, 2, 2)))
    with pytest.raises(ValueError, match=r"points need the shape \(points, 2\)"):
        tilted().uncertainty(np.zeros(2))


@pytest.mark.parametrize("text", ["", "no arrays"])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "t.npz").write_text(text)
    with pytest.raises(ValueError, match="holds no arrays"):
        Transforms.load(tmp_path / "t.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="lacks the array 'matrices'"):
        Transforms.load(tmp_path / "other.npz")
