"""Kinds of transforms, methods, references, sequences and limits of `measure_transforms`."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Features,
    Fourier,
    Imreg_dft,
    Intensity,
    Phase,
    Transforms,
    apply_transforms,
    measure_transforms,
    register,
)
from napari_stack.operators.registration.refinement.motion_models import nearest

DATA = Path(__file__).parents[4] / "shared" / "data"
SHAPE = (208, 240)


def similarity(shift, degrees, scale):
    centre = np.array([(SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2])
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, centre + shift - linear @ centre
    return matrix


def waves(matrix, seed=0, count=120):
    """Plane waves seen at a matrix: exact under any transform, a perspective included."""
    return _waves(tuple(np.asarray(matrix, float).ravel()), seed, count)


@cache
def _waves(numbers, seed, count):
    matrix = np.reshape(numbers, (3, 3))
    rng = np.random.default_rng(seed)
    frequency = 1 / np.exp(rng.uniform(np.log(5), np.log(200), count))
    turn, phase = rng.uniform(0, np.pi, count), rng.uniform(0, 6.3, count)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    u, v, w = np.tensordot(np.linalg.inv(matrix), np.stack([x, y, np.ones_like(x)]), 1)
    u, v = u / w, v / w
    image = sum(
        np.cos(2 * np.pi * f * (u * np.cos(t) + v * np.sin(t)) + p)
        for f, t, p in zip(frequency, turn, phase, strict=True)
    )
    return 128 + 40 * np.sqrt(2 / count) * image


def truths(kind, count=3):
    """Matrices of a kind, the reference in the middle."""
    rng = np.random.default_rng(9)
    made = []
    for _ in range(count):
        scale = 1 if kind in ("translation", "rigid") else 1 + rng.uniform(-0.02, 0.02)
        degrees = 0 if kind == "translation" else rng.uniform(-3, 3)
        matrix = similarity(rng.uniform(-9, 9, 2), degrees, scale)
        if kind in ("affine", "homography"):
            matrix = matrix @ np.array([[1.01, 0.012, -1], [-0.004, 0.993, 1], [0, 0, 1]])
        if kind == "homography":
            matrix[2, :2] = rng.uniform(-1e-4, 1e-4, 2)
        made.append(matrix)
    made[count // 2] = np.eye(3)
    return np.stack(made)


def series(matrices, noise=3):
    rng = np.random.default_rng(1)
    frames = [waves(m) + rng.normal(0, noise, SHAPE) for m in matrices]
    return Stack.wrap(np.stack(frames).astype(np.float32))


def errors(found, truth):
    height, width = SHAPE
    x, y = np.meshgrid([0, width - 1], [0, height - 1])
    corners = np.stack([x.ravel(), y.ravel(), np.ones(4)])
    one, two = found @ corners, truth @ corners
    rest = one[:, :2] / one[:, 2:] - two[:, :2] / two[:, 2:]
    return np.hypot(rest[:, 0], rest[:, 1]).mean(axis=1)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        *(("intensity", k) for k in ("translation", "rigid", "similarity", "affine", "homography")),
        *(("features", k) for k in ("rigid", "homography")),
    ],
)
def test_every_kind_of_transform_is_found(kind, method):
    truth = truths(kind)
    transforms = measure_transforms(series(truth), transform=kind, method=method)
    assert not transforms.failed.any()
    limit = {"intensity": 0.1, "features": 1.5}[method]
    assert errors(transforms.matrices, truth).max() < limit
    linear = transforms.matrices[:, :2, :2]
    if kind == "rigid":
        np.testing.assert_allclose(linear @ linear.transpose(0, 2, 1), [np.eye(2)] * 3, atol=1e-9)
    if kind == "similarity":
        np.testing.assert_allclose(linear[:, 0, 0], linear[:, 1, 1], atol=1e-12)
    if kind != "homography":
        np.testing.assert_array_equal(transforms.matrices[:, 2], [[0, 0, 1]] * 3)


@pytest.mark.parametrize("method", ["phase", "fourier", "imreg_dft", Phase(20)])
def test_shifts_by_spectra(method):
    truth = truths("translation")
    found = measure_transforms(series(truth), transform="translation", method=method)
    assert not found.failed.any()
    limit = 0.5 if method == "imreg_dft" else 0.05
    assert errors(found.matrices, truth).max() < limit


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("rigid", "fourier"),
        ("similarity", "fourier"),
        ("rigid", "imreg_dft"),
        ("similarity", "imreg_dft"),
        ("rigid", Fourier(iterations=1)),
        ("similarity", Imreg_dft(2)),
    ],
)
def test_rotations_by_spectra(kind, method):
    truth = truths(kind)
    found = measure_transforms(series(truth), transform=kind, method=method)
    assert not found.failed.any()
    assert errors(found.matrices, truth).max() < 1.5
    if kind == "rigid":
        np.testing.assert_allclose(np.linalg.det(found.matrices), 1, atol=1e-9)


def test_constraints_of_imreg_dft():
    truth = truths("translation", 3)
    method = Imreg_dft(angle_spread=0, scale_spread=0, shift_spread=20)
    found = measure_transforms(series(truth), method=method)
    np.testing.assert_allclose(found.matrices[:, :2, :2], [np.eye(2)] * 3, atol=1e-3)


@pytest.mark.parametrize(
    "method",
    [
        Features(matcher="flann"),
        Features(matcher="flann", index="k-means"),
        Features("ORB", matcher="flann"),
        Features("SIFT", descriptor="ORB"),
        Features(estimator="MAGSAC", threshold=2.0),
    ],
)
def test_options_of_features(method):
    truth = truths("affine", 3)
    stack = series(truth)
    found = measure_transforms(stack, transform="affine", method=method)
    assert not found.failed.any()
    assert errors(found.matrices, truth).max() < 2
    if method.index == "k-means" or method.estimator == "MAGSAC":  # these draw at random
        again = measure_transforms(stack, transform="affine", method=method, run=Run(workers=1))
        np.testing.assert_allclose(found.matrices, again.matrices, atol=1e-9)


def test_what_a_method_cannot_do_is_said():
    stack = series(truths("translation", 2))
    with pytest.raises(ValueError, match="'phase' cannot measure transform='similarity': choose"):
        measure_transforms(stack, method="phase")
    with pytest.raises(ValueError, match="'fourier' cannot measure transform='affine'"):
        measure_transforms(stack, method="fourier", transform="affine")
    with pytest.raises(ValueError, match=r"this build of OpenCV .* has no SURF: choose 'SIFT'"):
        measure_transforms(stack, method=Features("SURF"))
    with pytest.raises(ValueError, match="iterations must be a whole number in the range 1 to"):
        Intensity(0)


def test_akaze_describes_its_own_points_only(monkeypatch):
    import cv2

    monkeypatch.setattr(cv2, "AKAZE_create", cv2.ORB_create, raising=False)
    with pytest.raises(ValueError, match="'AKAZE' describes points of 'AKAZE' only, not of 'ORB'"):
        measure_transforms(
            series(truths("translation", 2)), method=Features("ORB", descriptor="AKAZE")
        )


@pytest.fixture(scope="module")
def drift():
    return samples.drifting_cells(frames=7, size=(184, 216))


def relative_errors(transforms, truth, size):
    """Corner errors, whatever frame the matrices refer to."""
    matrices = transforms.matrices @ np.linalg.inv(transforms.matrices[3])
    height, width = size
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1.0]]).T
    rest = (matrices @ corners - truth @ corners)[:, :2]
    return np.hypot(rest[:, 0], rest[:, 1]).mean(axis=1)


@pytest.mark.parametrize("options", [{"reference": "mean"}, {"sequence": "previous"}])
def test_other_ways_find_the_same(drift, options):
    stack, truth = drift
    transforms = measure_transforms(stack, **options)
    assert not transforms.failed.any()
    assert relative_errors(transforms, truth["matrices"], stack.shape[1:]).max() < 0.15


def test_the_sharpest_frame_is_the_reference(drift):
    import cv2

    data = np.asarray(drift[0]).astype(np.float32)
    for i in (0, 1, 2, 3, 4, 6):
        data[i] = cv2.GaussianBlur(data[i], (0, 0), 1.5)
    found = measure_transforms(Stack.wrap(data), reference="sharpest")
    np.testing.assert_array_equal(found.matrices[5], np.eye(3))
    unused = replace(Stack.wrap(data), used=np.arange(7) != 5)
    found = measure_transforms(unused, reference="sharpest")
    assert not np.array_equal(found.matrices[5], np.eye(3))


def test_a_bad_frame_does_not_break_the_chain(drift):
    stack, truth = drift
    data = np.asarray(stack)[:, :160, :190].copy()
    data[1], data[4] = 700, np.random.default_rng(0).integers(0, 4000, data[4].shape)
    found = measure_transforms(Stack.wrap(data), sequence="previous")
    assert found.failed.tolist() == [False, True, False, False, True, False, False]
    good = ~found.failed
    assert relative_errors(found, truth["matrices"], data.shape[1:])[good].max() < 0.15
    mean = measure_transforms(Stack.wrap(data[:4]), reference="mean")
    assert mean.failed.tolist() == [False, True, False, False]


def test_direct_does_not_chain():
    rng = np.random.default_rng(1)
    import cv2

    wide = cv2.GaussianBlur(rng.normal(size=(160, 480)).astype(np.float32), (0, 0), 2)
    stack = Stack.wrap(np.stack([wide[:, s : s + 220] for s in (0, 130, 260)]))
    options = {"transform": "translation", "method": "intensity", "reference": "last"}
    direct = measure_transforms(stack, sequence="direct", **options)
    assert direct.failed.tolist() == [True, False, False]
    assert not measure_transforms(stack, **options).failed.any()


def test_limits(drift):
    stack = drift[0].select([1, 3, 5])
    found = measure_transforms(stack, method="intensity").decomposed()
    size = np.hypot(*found.shift.T)
    limit = float(np.sort(size)[1:].mean())
    limited = measure_transforms(stack, method="intensity", largest_shift=limit, sequence="direct")
    np.testing.assert_array_equal(limited.failed, size > limit)
    assert limited.failed.sum() == 1
    turned = measure_transforms(stack, method="intensity", largest_rotation=0)
    assert turned.failed.sum() == 2
    assert not measure_transforms(stack, largest_rotation=5, largest_scale=1.2).failed.any()


def test_a_moving_average_helps_where_noise_is_strong():
    """For frames further off than the average is long: nearer ones share their noise."""
    truth = np.stack([similarity((0.3 * i, -0.2 * i), 0, 1) for i in range(-5, 6)])
    stack = series(truth, noise=200)
    options = {"transform": "translation", "method": "intensity", "sequence": "direct"}
    plain, smooth = (measure_transforms(stack, moving_average=n, **options) for n in (1, 5))
    far = [0, 1, 9, 10]
    assert smooth.failed[far].sum() <= plain.failed[far].sum()
    worst = [errors(t.matrices, truth)[far].mean() for t in (plain, smooth)]
    assert worst[1] < worst[0]


def test_failed_frames_are_left_out_kept_or_interpolated(drift):
    data = np.asarray(drift[0]).copy()
    data[1] = 700
    stack = Stack.wrap(data)
    transforms = measure_transforms(stack)
    out, kept, between = (
        apply_transforms(stack, transforms, failed=f) for f in ("leave out", "keep", "interpolate")
    )
    assert out.used.tolist() == [True, False] + 5 * [True]
    assert kept.used.all()
    np.testing.assert_array_equal(kept[1], data[1])
    assert between.used.all()
    middle = (transforms.matrices[0] + transforms.matrices[2]) / 2
    np.testing.assert_allclose(between.transforms.matrices[1], middle)
    assert register(stack, failed="keep").used.all()
    with pytest.raises(ValueError, match="all frames have failed"):
        Transforms(np.stack([np.eye(3)]), failed=np.ones(1, bool)).interpolated()


def test_sizes_and_units_go_with_the_transforms(drift):
    axes = (Axis("t"), Axis("y", 0.5, "um"), Axis("x", 0.5, "um"))
    found = measure_transforms(replace(drift[0], axes=axes))
    assert (found.size, found.pixel) == ((184, 216), (0.5, 0.5, "um"))
    plain = measure_transforms(drift[0]).decomposed()
    np.testing.assert_allclose(found.decomposed().shift, plain.shift / 2)
    assert (found.decomposed().unit, plain.unit) == ("um", "pixel")


@pytest.mark.parametrize("share", [0.3, 0.5, 1.0])
def test_a_disc_does_not_hide_a_rotation(share):
    """Alone it gives a clear peak at any rotation: the rest of the scene must be heard."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    disc = 150.0 * (np.hypot(x - 150, y - 130) < 60)
    truth = np.stack([np.eye(3), similarity((0, 0), 20, 1)])
    stack = Stack.wrap(np.stack([disc + share * waves(m) for m in truth]).astype(np.float32))
    found = measure_transforms(stack, reference=0)
    assert found.failed[1] or errors(found.matrices, truth).max() < 0.5
    assert not (share == 1 and found.failed.any())


def test_the_nearest_of_a_kind_moves_the_centre_alike():
    matrix = truths("homography", 3)[0]
    centre = [(SHAPE[1] - 1) / 2, (SHAPE[0] - 1) / 2, 1]
    for kind in ("translation", "rigid", "similarity"):
        moved, expected = nearest(matrix, kind, SHAPE) @ centre, matrix @ centre
        np.testing.assert_allclose(moved, expected / expected[2])


@pytest.mark.skipif(not DATA.exists(), reason="the sample files are not here")
@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_landmarks(kind):
    """The landmarks were set by hand: no affine transform comes nearer than 1 px to half."""
    from napari_stack import read

    names = [DATA / "landmarks" / f"artificial_{n}" for n in (f"moving-{kind}", "reference")]
    stack = read([f"{name}.jpg" for name in names])
    points = [np.loadtxt(f"{n}.csv", delimiter=",", skiprows=1)[:, 1:] for n in names]
    found = measure_transforms(stack, transform=kind, reference="last")
    assert not found.failed.any()
    moved = found.matrices[0] @ np.c_[points[1], np.ones(len(points[1]))].T
    distance = np.hypot(*(moved[:2] / moved[2] - points[0].T))
    assert np.median(distance) < 1.5


@pytest.mark.skipif(not DATA.exists(), reason="the sample files are not here")
def test_bands_of_one_capture_lie_alike():
    from napari_stack import read

    stack = read(DATA / "multiband", stop=3)
    options = {"transform": "homography", "working_size": 640}
    found, other = (measure_transforms(stack, method=m, **options) for m in ("auto", "features"))
    assert not found.failed.any()
    corners = np.array([[0, 0, 1], [1279, 0, 1], [0, 959, 1], [1279, 959, 1.0]]).T
    one, two = found.matrices @ corners, other.matrices @ corners
    rest = one[:, :2] / one[:, 2:] - two[:, :2] / two[:, 2:]
    assert np.hypot(rest[:, 0], rest[:, 1]).max() < 4


@pytest.mark.skipif(not DATA.exists(), reason="the sample files are not here")
def test_a_breathing_series_closes():
    from napari_stack import read

    stack = read(DATA / "focus_pcb" / "depth_series", start=2, stop=6)
    found = [measure_transforms(stack, working_size=480, reference=r) for r in (1, 2)]
    assert not any(f.failed.any() for f in found)
    height, width = stack.shape[1:3]
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width, height, 1.0]]).T
    over = found[0].matrices @ found[1].matrices[1]
    rest = ((over - found[1].matrices) @ corners)[:, :2]
    assert np.median(np.hypot(rest[:, 0], rest[:, 1]).mean(axis=1)) < 1
