"""`find_hot_pixels`, `repair_hot_pixels`: defects of known place."""

import numpy as np
import pytest
from scipy import ndimage

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.engine.opencv import cv2
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import (
    HotPixels,
    Transforms,
    apply_hot_pixels,
    apply_transforms,
    find_hot_pixels,
    repair_hot_pixels,
    write_hot_pixels,
)
from napari_stack.operators.corrections.hot_pixel_mask import faintest
from napari_stack.recipe import Step
from napari_stack.recipe.said import said_of


def noisy(frames=6, hot=1000, channels=(), seed=0, low=150, cold=False):
    rng = np.random.default_rng(seed)
    shape = (300, 400, *channels)
    clean = np.full(shape, 1200.0)
    data = rng.normal(clean, 20, (frames, *shape))
    mask = np.zeros(shape, bool)
    mask.ravel()[rng.choice(mask.size, hot, replace=False)] = True
    data[:, mask] += rng.uniform(low, 2500, hot) * (-0.4 if cold else 1)
    return Stack.wrap(np.rint(data.clip(0, 4095)).astype(np.uint16)), mask, clean


def precision_and_recall(found, mask):
    hits = (found & mask).sum()
    return hits / max(found.sum(), 1), hits / mask.sum()


@pytest.mark.parametrize("thresholds", ["auto", "5"])
def test_a_thousand_hot_pixels_in_twelve_bits_of_noise(thresholds):
    stack, mask, clean = noisy()
    found = find_hot_pixels(stack, thresholds=thresholds)
    assert found.shape == (300, 400)
    assert min(precision_and_recall(found, mask)) >= 0.98
    for method in ("mean", "median"):
        repaired = repair_hot_pixels(stack, thresholds=thresholds, method=method)
        error = (repaired.read(0)[0] - clean)[mask]
        assert np.sqrt((error**2).mean()) < 20
        np.testing.assert_array_equal(repaired[0][~found], stack[0][~found])
    assert repaired[0].dtype == np.uint16


def test_cold_pixels_and_the_kind_asked_for():
    stack, mask, _ = noisy(cold=True, low=400)
    assert min(precision_and_recall(find_hot_pixels(stack, kind="cold"), mask)) > 0.98
    assert find_hot_pixels(stack, kind="hot").sum() <= 20


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_thresholds_are_scaled_with_the_range(dtype):
    top = {np.uint8: 255, np.uint16: 4095, np.float32: 1.0}[dtype]
    data = np.full((3, 50, 60), 0.5) * top
    data[:, 20, 30] += 20 / 255 * top
    data[:, 5, 7] += 9 / 255 * top
    data[:, 0, 0] = 0.98 * top if dtype != np.float32 else top
    found = find_hot_pixels(Stack.wrap(data.astype(dtype)), thresholds="13")
    assert found[20, 30]
    assert found[0, 0]
    assert found.sum() == 2


def test_colours_by_channel():
    stack, mask, _ = noisy(channels=(3,), hot=900)
    found = find_hot_pixels(stack)
    assert found.shape == (300, 400, 3)
    assert min(precision_and_recall(found, mask)) > 0.98
    found = find_hot_pixels(stack, thresholds="5, 5, 255")
    assert not found[..., 2].any()
    assert found[..., :2].sum() > 500
    with pytest.raises(ValueError, match="2 thresholds do not fit frames of 3 channels"):
        find_hot_pixels(stack, thresholds="5,5")


def test_a_scene_is_not_taken_for_defects():
    stack, _ = samples.drifting_cells(frames=4, size=(200, 240))
    assert find_hot_pixels(stack).mean() < 1e-3


def test_neighbours_that_are_hot_do_not_count():
    data = np.full((1, 20, 30), 100, np.uint16)
    mask = np.zeros((20, 30), bool)
    mask[0:3, 0:3] = mask[9:14, 10:15] = mask[19, 29] = True
    data[0, mask] = 60000
    for method in ("mean", "median"):
        stack = repair_hot_pixels(Stack.wrap(data), mask=mask, method=method)
        assert (stack[0] == 100).all()
        for rows in (slice(0, 2), slice(10, 12), slice(19, 20)):
            assert (stack.render(0, rows) == 100).all()


def test_a_mask_of_everything_changes_nothing():
    data = np.arange(600, dtype=np.uint16).reshape(1, 20, 30)
    mask = np.ones((20, 30), bool)
    np.testing.assert_array_equal(repair_hot_pixels(Stack.wrap(data), mask=mask)[0], data[0])


def test_pixels_are_repaired_before_they_are_moved():
    data = np.full((3, 40, 50), 100, np.uint16)
    mask = np.zeros((40, 50), bool)
    mask[10, 20] = True
    data[:, mask] = 60000
    matrices = np.tile(np.eye(3), (3, 1, 1))
    matrices[:, 0, 2] = [-3.5, 0, 4.25]
    moved = apply_transforms(Stack.wrap(data), Transforms(matrices))
    for stack in (repair_hot_pixels(moved, mask=mask), repair_hot_pixels(moved)):
        seen, valid = stack.read(0)
        np.testing.assert_allclose(seen[valid], 100, rtol=1e-5)
    with pytest.raises(ValueError, match="a mask of 9 x 9 pixels does not fit frames of 50 x 40"):
        repair_hot_pixels(moved, mask=np.ones((9, 9), bool))


@pytest.mark.parametrize("colours", [True, False])
def test_mosaics_are_repaired_by_pixels_of_the_same_colour(colours):
    levels = np.array([[900, 500], [500, 200]] if colours else [[500, 500], [500, 500]])
    scene = np.tile(levels, (30, 40)) + np.linspace(0, 60, 80)
    frames = np.random.default_rng(0).normal(scene, 3, (4, 60, 80)).astype(np.float32)
    mask = np.zeros((60, 80), bool)
    mask[10, 20] = mask[10, 22] = mask[31, 40] = mask[0, 79] = True
    frames[:, mask] = 4000
    repaired = np.asarray(repair_hot_pixels(Stack.wrap(frames), mask=mask))
    assert np.abs(repaired - scene)[:, mask].max() < 8
    assert repair_hot_pixels(Stack.wrap(frames), mask=mask).corrections[0].step == 1 + colours
    bands = np.concatenate(
        [
            repair_hot_pixels(Stack.wrap(frames), mask=mask).read(1, slice(n, n + 10))[0]
            for n in range(0, 60, 10)
        ]
    )
    np.testing.assert_array_equal(bands, repaired[1])


def test_masks_to_files_and_back(tmp_path):
    mask = np.random.default_rng(0).random((20, 30, 3)) < 0.1
    stack = Stack.wrap(np.full((2, 20, 30, 3), 7, np.uint8))
    for suffix in (".png", ".tif"):
        paths = write_hot_pixels(tmp_path / f"hot{suffix}", mask)
        assert [p.stem for p in paths] == ["hot-rgb", "hot-r", "hot-g", "hot-b"]
        joint = np.asarray(ns.read(paths[0]))[0]
        np.testing.assert_array_equal(joint != 0, mask.any(axis=2))
        channels = [np.asarray(ns.read(path))[0] != 0 for path in paths[1:]]
        np.testing.assert_array_equal(np.stack(channels, axis=-1), mask)
        used = repair_hot_pixels(stack, mask=paths[0]).corrections[0]
        np.testing.assert_array_equal(used.mask, mask.any(axis=2))
    with pytest.raises(FileExistsError):
        write_hot_pixels(tmp_path / "hot.png", mask)
    hot = HotPixels(mask, "median", 5)
    hot.save(tmp_path / "hot.npz")
    assert HotPixels.load(tmp_path / "hot.npz") == hot
    grey = apply_hot_pixels(Stack.wrap(np.zeros((2, 20, 30), np.uint8)), hot)
    assert grey.corrections[0].mask.shape == (20, 30)


def test_it_stops_when_cancelled_and_refuses_what_is_wrong():
    stack, _, _ = noisy(frames=4)

    def tick(done, total, what):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        repair_hot_pixels(stack, run=Run(tick=tick))
    with pytest.raises(ValueError, match="thresholds must be 'auto', a number"):
        find_hot_pixels(stack, thresholds="many")
    with pytest.raises(ValueError, match="blur must be an odd number, got 4"):
        find_hot_pixels(stack, blur=4)


def drifting_stars(frames=16, drift=200, width=1.1, seed=0, colours=False, stars=460):
    """Photons of stars that drift over a sensor of which 0.5 % of the pixels are defective."""
    rng = np.random.default_rng(seed)
    shape = (160, 200)
    places = rng.uniform([-drift, -drift], shape, (stars, 2))
    light = 60 * rng.pareto(1.2, len(places))
    y, x = np.mgrid[: shape[0], : shape[1]]
    clean = np.full((frames, *shape), 150.0)
    for k in range(frames):
        for (a, b), brightness in zip(places + drift * k / (frames - 1), light, strict=True):
            rows = slice(max(int(a) - 5, 0), max(int(a) + 7, 0))
            columns = slice(max(int(b) - 5, 0), max(int(b) + 7, 0))
            square = (y[rows, columns] - a) ** 2 + (x[rows, columns] - b) ** 2
            clean[k, rows, columns] += brightness * np.exp(-square / 2 / width**2)
    if colours:
        clean[:, ::2, ::2] *= 0.6
        clean[:, 1::2, 1::2] *= 0.4
    noise = np.sqrt(clean / 2 + 4)
    mask = rng.random(shape) < 0.005
    data = rng.normal(clean, noise)
    sigma = np.sqrt(np.median(clean, axis=0) / 2 + 4)
    data[:, mask] += sigma[mask] * rng.uniform(5, 30, mask.sum())
    return np.rint(data.clip(0, 4095)).astype(np.uint16), mask


@pytest.mark.parametrize("colours", [False, True])
def test_stars_that_drift_leave_no_trails_in_the_mask(colours):
    data, mask = drifting_stars(colours=colours)
    found = find_hot_pixels(Stack.wrap(data))
    assert min(precision_and_recall(found, mask)) >= 0.98
    # bands of a few rows, and frames that are read whole, give the same
    small = find_hot_pixels(Stack.wrap(data), run=Run(memory=2**20, workers=1))
    np.testing.assert_array_equal(small, found)


def test_whole_numbers_whose_median_has_no_spread():
    rng = np.random.default_rng(0)
    data = np.rint(rng.normal(20, 0.4, (25, 100, 120)))
    mask = rng.random((100, 120)) < 0.01
    data[:, mask] += 3
    for scale in (1, 16):  # as 12 bits shifted up in 16
        found = find_hot_pixels(Stack.wrap((data * scale).astype(np.uint16)))
        assert min(precision_and_recall(found, mask)) >= 0.98


def test_points_of_a_still_scene_are_told_and_those_the_optics_spread_are_kept():
    data, mask = drifting_stars(drift=0, frames=9, stars=60)
    with pytest.warns(UserWarning, match="the scene does not move: points of it cannot be told"):
        found = find_hot_pixels(Stack.wrap(data))
    precision, recall = precision_and_recall(found, mask)
    assert precision > 0.9
    assert recall > 0.9
    sharp, truth = drifting_stars(drift=0, frames=9, width=0.3, stars=300)
    with pytest.warns(UserWarning, match="may be among them; find the defects on dark frames"):
        repaired = repair_hot_pixels(Stack.wrap(sharp))
    assert repaired.corrections[0].mask[truth].mean() > 0.9


def test_pixels_that_blink_in_a_part_of_the_frames():
    data, _ = drifting_stars(frames=20)
    rng = np.random.default_rng(1)
    blinking = rng.random(data.shape[1:]) < 0.002
    some = rng.permuted(np.arange(20)[:, None] < 7, axis=0) & np.ones(blinking.sum(), bool)
    for column in range(some.shape[1]):
        some[:, column] = rng.permutation(some[:, column])
    data[:, blinking] += (some * 200).astype(np.uint16)
    plain = find_hot_pixels(Stack.wrap(data), kind="hot")
    assert plain[blinking].mean() < 0.1
    every = find_hot_pixels(Stack.wrap(data), kind="all")
    assert every[blinking].mean() > 0.95
    alone = find_hot_pixels(Stack.wrap(data), kind="blinking")
    assert min(precision_and_recall(alone, blinking & ~plain)) > 0.95


def test_warm_pixels_grow_with_the_exposure():
    rng = np.random.default_rng(0)
    exposures = np.repeat([1.0, 2, 5, 10], 8)
    data = rng.normal(300, 5, (32, 90, 110))
    warm = rng.random((90, 110)) < 0.005
    data[:, warm] += exposures[:, None] * 2.6
    stack = Stack.wrap(np.rint(data).astype(np.uint16))
    found = find_hot_pixels(stack, kind="warm", exposures=exposures)
    assert min(precision_and_recall(found, warm)) > 0.95
    assert find_hot_pixels(stack, kind="hot")[warm].mean() < 0.5
    with pytest.raises(ValueError, match="give exposures, the exposure time of each frame"):
        find_hot_pixels(stack, kind="warm")
    with pytest.raises(ValueError, match="all exposures are 3"):
        find_hot_pixels(stack, kind="warm", exposures=np.full(32, 3.0))
    with pytest.raises(ValueError, match="2 exposures do not fit 32 frames"):
        find_hot_pixels(stack, kind="warm", exposures=np.ones(2))


def test_whole_columns_and_rows_on_request():
    rng = np.random.default_rng(0)
    data = rng.normal(300, 5, (8, 90, 110))
    data[:, :, 40] += 6
    data[:, 20] -= 6
    stack = Stack.wrap(np.rint(data).astype(np.uint16))
    assert find_hot_pixels(stack).sum() < 50
    columns = find_hot_pixels(stack, lines="columns")
    assert columns[:, 40].all()
    assert columns.sum() < 150
    both = find_hot_pixels(stack, lines="both")
    assert both[:, 40].all()
    assert both[20].all()
    assert both.sum() < 260


def test_frames_without_noise_have_no_defects_and_one_that_stands_out_is_found():
    frames = np.zeros((4, 40, 50), np.float32)
    assert not find_hot_pixels(Stack.wrap(frames)).any()  # a warning would be an error
    frames[:, 7, 9] = 1
    assert np.argwhere(find_hot_pixels(Stack.wrap(frames))).tolist() == [[7, 9]]
    frames[np.random.default_rng(0).random(frames.shape) < 0.02] = 100  # few photons
    frames[:, 7, 9] = 120
    assert find_hot_pixels(Stack.wrap(frames))[7, 9]


def test_pixels_that_do_not_count_do_not_matter():
    data, mask = drifting_stars(frames=9)
    holes = data.astype(np.float32)
    holes[3, 40:80, 50:90] = np.nan
    found = find_hot_pixels(Stack.wrap(holes))
    assert min(precision_and_recall(found, mask)) >= 0.97


@pytest.mark.parametrize("frames", [3, 5, 8])
def test_what_stands_out_as_far_as_is_told_is_found_and_fainter_ones_are_not(frames):
    rng = np.random.default_rng(frames)
    noise = rng.normal(1000, 20, (frames, 120, 160))
    truth = rng.random((120, 160)) < 0.01
    for times, found in ((faintest(frames), 0.97), (0.5 * faintest(frames), 0.0)):
        data = np.rint(noise + 20 * times * truth).astype(np.uint16)
        mask = find_hot_pixels(Stack.wrap(data))
        assert (mask & truth).sum() >= found * truth.sum()
        assert (mask & ~truth).sum() <= 0.02 * truth.sum()
        assert found or (mask & truth).sum() < 0.3 * truth.sum()
    step = Step("find_hot_pixels")
    told = [said.text for said in said_of(step, mask, Stack.wrap(data))]
    assert told[1].startswith(f"In {frames} frames some that stand out by less than ")
    assert f"{faintest(frames):.2g} times the noise are missed" in told[1]


def recorded(frames, sigmas, size=(128, 160), share=0.004):
    """Frames of 8 bits of a texture that drifts, with defects of so many times the noise."""
    rng = np.random.default_rng(7)
    wide = 90 + 30 * ndimage.gaussian_filter(rng.normal(0, 12, (size[0], size[1] + 80)), 6)
    clean = np.stack([wide[:, 3 * k : 3 * k + size[1]] for k in range(frames)])
    truth = rng.random(size) < share
    data = clean + rng.normal(0, 4, clean.shape)
    data[:, truth] += 4 * rng.uniform(*sigmas, truth.sum())
    return np.clip(np.rint(data), 0, 255).astype(np.uint8), truth


def test_frames_compressed_as_jpeg_are_told_and_waves_around_defects_are_no_defects():
    data, truth = recorded(16, (10, 30))
    raw = find_hot_pixels(Stack.wrap(data))
    np.testing.assert_array_equal(raw, truth)
    packed = [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 88])[1] for frame in data]
    seen = Stack.wrap(np.stack([cv2.imdecode(one, cv2.IMREAD_GRAYSCALE) for one in packed]))
    with pytest.warns(UserWarning, match="compressed as JPEG, which spreads"):
        found = find_hot_pixels(seen)
    assert (found & truth).sum() > 0.9 * found.sum()
    assert (found & truth).sum() > 0.85 * truth.sum()


def test_the_more_defects_there_are_the_fainter_ones_few_frames_tell():
    many, truth = recorded(5, (3, 10), (200, 240), share=0.01)
    found = find_hot_pixels(Stack.wrap(many))
    assert (found & truth).sum() > 0.98 * found.sum()
    assert (found & truth).sum() > 0.93 * truth.sum()
    none, _ = recorded(5, (3, 10), (200, 240), share=0.0)
    assert find_hot_pixels(Stack.wrap(none)).sum() <= 1
