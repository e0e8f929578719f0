"""`find_hot_pixels`, `repair_hot_pixels`: defects of known place."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
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
