"""The samples keep the truth that they state."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, map_coordinates

from napari_stack import samples
from napari_stack.samples import _scenes

SMALL = (96, 120)


def moved(frame, matrix):
    """Frame read at the places to which a matrix takes the pixels; NaN outside."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    px, py = (matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] for k in (0, 1))
    return map_coordinates(frame.astype(float), [py, px], order=5, cval=np.nan)


@pytest.mark.parametrize(
    "make",
    [
        samples.drifting_cells,
        samples.cosmic_rays,
        samples.vignetted,
        samples.focus_series,
        samples.shaded,
        samples.flickering,
        samples.bleaching,
        samples.hot_pixels,
        samples.deforming,
        samples.scanned,
    ],
)
@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 4095), ("float32", 1)])
def test_same_seed_same_pixels(make, dtype, top):
    stack, truth = make(3, SMALL, 5, dtype=dtype)
    assert stack.shape == (3, *SMALL)
    assert stack.dtype == np.dtype(dtype)
    if dtype == "uint16":  # seeds know nothing of types
        np.testing.assert_array_equal(stack, make(3, SMALL, 5, dtype=dtype)[0])
        assert not np.array_equal(stack, make(3, SMALL, 6, dtype=dtype)[0])
    clean = truth["clean" if "clean" in truth else "image"]
    assert clean.min() > 0.02 * top
    assert clean.max() < 0.98 * top


@pytest.mark.parametrize("scene", ["cells", "waves"])
def test_a_scene_moves_exactly_with_its_matrix(scene):
    rng = np.random.default_rng(0)
    field = _scenes.cells(rng, SMALL) if scene == "cells" else _scenes.waves(rng, 30, 4, 50, 0.1)
    rest = (SMALL,) if scene == "cells" else (SMALL, (0, 0))
    shift = np.array([[1.0, 0, 7], [0, 1, -4], [0, 0, 1]])
    still, drifted = field(np.eye(3), *rest), field(shift, *rest)
    np.testing.assert_allclose(drifted[:-4, 7:], still[4:, :-7], atol=1e-12)


def test_matrices_lead_from_the_reference_to_each_frame():
    stack, truth = samples.drifting_cells(5, (160, 200), noise=0, dtype="float32")
    for frame, matrix in zip(stack, truth["matrices"], strict=True):
        difference = moved(frame, matrix) - truth["clean"]
        assert np.isfinite(difference).mean() > 0.7
        assert np.nanmax(abs(difference[8:-8, 8:-8])) < 0.02  # a spline's error, not the truth's


def test_drift_is_as_large_as_asked_and_none_at_the_reference():
    _, truth = samples.drifting_cells(9, SMALL, 3, shift=6, rotation=2, scale=0.01)
    matrices = truth["matrices"]
    np.testing.assert_array_equal(matrices[4], np.eye(3))
    middle = np.array([(SMALL[1] - 1) / 2, (SMALL[0] - 1) / 2, 1])
    shifts = (matrices @ middle - middle)[:, :2]
    turns = np.rad2deg(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    scales = np.sqrt(np.linalg.det(matrices[:, :2, :2]))
    assert np.hypot(*shifts.T).max() == pytest.approx(6)
    assert abs(turns).max() == pytest.approx(2)
    assert abs(scales - 1).max() == pytest.approx(0.01)


@pytest.mark.parametrize("frames", [1, 2])
def test_few_frames_and_no_drift(frames):
    stack, truth = samples.drifting_cells(frames, SMALL, shift=0, rotation=0, scale=0, noise=0)
    np.testing.assert_array_equal(truth["matrices"], np.broadcast_to(np.eye(3), (frames, 3, 3)))
    np.testing.assert_allclose(stack[0], truth["clean"], atol=0.5)


def test_noise_is_as_strong_as_asked():
    stack, truth = samples.drifting_cells(3, SMALL, noise=0.01, dtype="float32")
    assert np.std(stack[1] - truth["clean"]) == pytest.approx(0.01, rel=0.05)


def test_only_the_mask_is_hit():
    stack, truth = samples.cosmic_rays(6, (200, 200), rays=40, noise=0.01)
    excess = (np.asarray(stack) - truth["clean"]) / 4095
    mask = truth["mask"]
    assert 0.001 < mask.mean() < 0.02
    assert (mask.sum((1, 2)) > 40).all()
    assert abs(excess[~mask]).max() < 0.06
    unclipped = mask & (np.asarray(stack) < 4095)
    assert excess[unclipped].min() > 0.2


def test_cosmic_rays_may_drift():
    _, truth = samples.cosmic_rays(3, SMALL, shift=4, rotation=1)
    _, cells = samples.drifting_cells(3, SMALL, shift=4, rotation=1, scale=0)
    np.testing.assert_array_equal(truth["matrices"], cells["matrices"])


def test_vignette_divides_out():
    stack, truth = samples.vignetted(3, (101, 121), strength=0.4, noise=0, dtype="float32")
    vignette = truth["vignette"]
    assert vignette[50, 60] == 1
    np.testing.assert_allclose(vignette[[0, 0, -1, -1], [0, -1, 0, -1]], 0.6)
    np.testing.assert_allclose(stack[1] / vignette, truth["clean"], rtol=1e-5)


def test_focus_series_is_sharp_where_its_depth_says():
    stack, truth = samples.focus_series(7, (200, 220), noise=0, dtype="float32")
    depth, image = truth["depth"], truth["image"]
    assert depth.min() >= 0
    assert depth.max() <= 6
    errors = abs(np.asarray(stack) - image)
    inner = np.abs(np.gradient(depth)).max(0) < 0.2  # no veil of what lies before it
    away = abs(depth - np.arange(7)[:, np.newaxis, np.newaxis])
    assert np.median(errors[inner & (away < 0.05)]) < 0.002
    assert np.median(errors[inner & (away > 2)]) > 0.02
    nearest = np.take_along_axis(errors, np.rint(depth)[np.newaxis].astype(int), 0)[0]
    assert nearest[inner].mean() < 0.5 * errors.mean(0)[inner].mean()


def test_hairs_veil_the_ground_where_they_are_out_of_focus():
    stack, truth = samples.occluded(7, (120, 140), hairs=3, seed=3, noise=0, dtype="float32")
    depth, away = truth["depth"], abs(np.asarray(stack) - truth["image"])
    hairs, ground = depth > 4.2, depth < 1.5
    assert 0.03 < hairs.mean() < 0.3
    sharp = np.take_along_axis(away, np.rint(depth)[np.newaxis].astype(int), 0)[0]
    assert sharp[hairs].mean() < 0.3 * away[1][hairs].mean()
    apart = distance_transform_edt(ground)
    inner = apart > 1.5
    np.testing.assert_allclose(truth["behind"][inner], truth["image"][inner], atol=1e-12)
    near, far = inner & (apart < 5), apart > 25
    assert sharp[near].mean() > 2 * sharp[far].mean()


@pytest.mark.parametrize("sigma", [0.0, 0.3, 0.6, 1.0, 2.2, 4.9])
def test_defocus_is_a_gaussian(sigma):
    wave = np.cos(2 * np.pi / 8 * np.arange(100)) * np.ones((100, 1))
    blurred = _scenes.Blurred(wave, 5.0, np.s_[30:70, 30:70]).at(np.full((40, 40), sigma))
    expected = wave[30:70, 30:70] * np.exp(-0.5 * (2 * np.pi / 8 * sigma) ** 2)
    np.testing.assert_allclose(blurred, expected, atol=0.02)


def test_breathing_scales_about_the_centre():
    stack, truth = samples.focus_series(3, (120, 140), breathing=0.01, noise=0, dtype="float32")
    matrices = truth["matrices"]
    np.testing.assert_allclose(matrices @ [69.5, 59.5, 1], [[69.5, 59.5, 1]] * 3)
    np.testing.assert_allclose(matrices[:, 0, 0], [0.99, 1, 1.01])
    still, _ = samples.focus_series(3, (120, 140), noise=0, dtype="float32")
    warped = moved(stack[2], matrices[2]) - still[2]
    assert np.nanmean(abs(warped)) < 0.1 * np.mean(abs(stack[2] - still[2]))


def test_hyperstack_has_axes_and_pixel_sizes():
    hyper, truth = samples.hyperstack(size=(48, 64))
    assert hyper.shape == (3, 2, 5, 48, 64)
    assert [axis.name for axis in hyper.axes] == ["t", "c", "z", "y", "x"]
    assert hyper.axis == "z"
    assert [(axis.step, axis.unit) for axis in hyper.axes[2:]] == [
        (2.0, "micrometer"),
        (0.25, "micrometer"),
        (0.25, "micrometer"),
    ]
    assert truth["image"].shape == (3, 2, 48, 64)
    assert truth["depth"].shape == (3, 48, 64)


def test_hyperstack_drifts_over_time():
    _, truth = samples.hyperstack(size=(96, 120))
    for t, matrix in enumerate(truth["matrices"]):
        for c in (0, 1):
            difference = moved(truth["image"][t, c], matrix) - truth["image"][1, c]
            assert np.nanmedian(abs(difference)) < 0.01 * 4095


@pytest.mark.parametrize(("make", "name"), [("flickering", "brightness"), ("bleaching", "decay")])
def test_light_changes_from_frame_to_frame_as_told(make, name):
    stack, truth = getattr(samples, make)(7, SMALL, noise=0, dtype="float32")
    light = truth[name][:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(np.asarray(stack) / light, [truth["clean"]] * 7, rtol=1e-5)
    assert truth[name][3 if make == "flickering" else 0] == 1


def test_recordings_tell_the_shading():
    stack, truth = samples.shaded(3, SMALL, shift=0, noise=0, dtype="float32")
    flat, dark = truth["flat"].astype(float), truth["dark"].astype(float)
    np.testing.assert_allclose((flat - dark) / (flat - dark).mean(), truth["shading"], rtol=1e-5)
    assert truth["shading"].mean() == pytest.approx(1)
    clean = (stack[1] - dark) / truth["shading"]
    np.testing.assert_allclose(
        clean / truth["clean"], clean.mean() / truth["clean"].mean(), rtol=1e-4
    )


def test_defective_pixels_are_those_of_the_mask():
    stack, truth = samples.hot_pixels(3, SMALL, count=40)
    assert truth["mask"].sum() == 40
    data = np.asarray(stack)
    np.testing.assert_array_equal((data != truth["good"]).any(axis=0), truth["mask"])
    rest = ~truth["mask"]
    np.testing.assert_array_equal(data[:, rest], truth["good"][:, rest])
    assert (data[:, truth["mask"]] == 0).all(axis=0).sum() == 10


def test_a_wobbling_stack_is_shifted_by_its_jitter():
    stack, truth = samples.wobbling(6, (48, 64), 2, jitter=2.0, photons=1e6, dtype="float32")
    still, _ = samples.wobbling(6, (48, 64), 2, jitter=0.0, photons=1e6, dtype="float32")
    jitter = truth["jitter"]
    assert np.abs(np.polyfit(np.arange(6), jitter, 1)).max() < 1e-9
    assert np.abs(jitter).max() > 1.5
    np.testing.assert_allclose(np.diff(truth["rods"], axis=1), [[(1.0, 0.4)] * 5] * 4)
    for number in range(6):
        matrix = np.eye(3)
        matrix[:2, 2] = jitter[number]
        back = moved(np.asarray(stack)[number], matrix)[8:-8, 8:-8]
        np.testing.assert_allclose(back, np.asarray(still)[number][8:-8, 8:-8], atol=0.02)


@pytest.mark.parametrize("make", [samples.deforming, samples.scanned])
def test_object_points_are_where_the_truth_says(make):
    stack, truth = make(3, SMALL, 2, photons=1e7, dtype="float32")
    points = truth["points"]
    clean = map_coordinates(truth["clean"], points.T[::-1], order=5)
    for frame, moves in zip(stack, truth["displacements"], strict=True):
        at = points + moves
        inner = ((at > 8) & (at < np.array(SMALL[::-1]) - 8)).all(axis=1)
        seen = map_coordinates(np.asarray(frame, float), at.T[::-1], order=5)
        assert np.abs(seen - clean)[inner].max() < 0.02  # of 1, where a pixel is up to 0.1
    assert np.abs(truth["displacements"]).max() > 1


def test_rows_scanned_backwards_lie_apart():
    _, truth = samples.scanned(4, SMALL, 2, wander=0.1, back=3.0)
    apart = np.diff(truth["row_offsets"][..., 0], axis=1)
    assert np.abs(apart).mean() == pytest.approx(3.0, abs=0.05)


def test_light_of_all_planes_adds_up():
    stack, truth = samples.fluorescent(5, (90, 100), 1, photons=1e6, dtype="float32")
    frames = np.asarray(stack)
    assert frames.mean(axis=(1, 2)) == pytest.approx(truth["image"].mean(), rel=0.05)
    lone = truth["things"]
    sharp = np.take_along_axis(frames, np.rint(truth["depth"])[np.newaxis].astype(int), 0)[0]
    assert abs(sharp - truth["image"])[lone].mean() < abs(frames - truth["image"])[:, lone].mean()


def test_every_layer_of_a_clear_scene_is_sharp_in_its_frame():
    stack, truth = samples.transparent(5, (90, 100), 1, noise=0, dtype="float32")
    assert set(np.unique(truth["depth"])) <= {1, 2, 3}
    dark = truth["image"] < 0.6
    sharp = np.take_along_axis(np.asarray(stack), truth["depth"][np.newaxis], 0)[0]
    blurred = np.asarray(stack)[0]
    assert abs(sharp - truth["image"])[dark].mean() < 0.5 * (blurred - truth["image"])[dark].mean()
