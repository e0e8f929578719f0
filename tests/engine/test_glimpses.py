"""`Glimpses`: small pictures of results as they grow, of folds, rows and bands."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.engine.glimpses import SIDE, Glimpses, small


@pytest.fixture
def seen():
    return []


@pytest.fixture
def run(seen):
    return ns.Run(workers=1, glimpses=Glimpses(seen.append, every=0.0))


def alike(picture, image):
    """How alike a picture and an image of other size are."""
    known = np.isfinite(picture)
    return np.corrcoef(picture[known], image[known])[0, 1]


def test_the_mean_so_far_is_shown(noise, run, seen):
    frames = noise(8, 24, 32, dtype="uint16")
    mean = ns.combine(ns.Stack.wrap(frames), method="mean", dtype="float64", run=run)
    assert len(seen) == 2  # four frames are added at a time
    np.testing.assert_allclose(seen[1], mean, rtol=1e-5)
    np.testing.assert_allclose(seen[0], frames[:4].mean(axis=0), rtol=1e-5)


def test_the_extreme_so_far_is_shown(noise, run, seen):
    frames = noise(3, 24, 32, dtype="uint16")
    ns.combine(ns.Stack.wrap(frames), method="maximum", run=run)
    np.testing.assert_array_equal(seen[1], frames[:2].max(axis=0))


def test_rows_so_far_are_shown_of_what_is_clipped(noise, run, seen):
    frames = noise(8, 32, 24, dtype="uint16")
    image = ns.sigma_clip(ns.Stack.wrap(frames), sigma=2.0, run=run).image
    assert [int(np.isfinite(one[:, 0]).sum()) for one in seen][-2:] == [24, 32]
    np.testing.assert_array_equal(seen[-1], image)
    np.testing.assert_array_equal(seen[-2][:24], image[:24])


@pytest.mark.parametrize("method", ["auto", "pyramid"])
def test_what_is_fused_so_far_is_shown_coarsely(method, run, seen):
    stack, truth = samples.focus_series(4, (192, 224))
    ns.focus_stack(stack, method=method, run=run)
    assert seen[-1].shape == (96, 112, 1)
    wanted = truth["image"][::2, ::2]
    assert alike(seen[-1][..., 0], wanted) > alike(np.asarray(stack)[0, ::2, ::2], wanted)


def test_pictures_come_now_and_then(noise, seen):
    rare = ns.Run(workers=1, glimpses=Glimpses(seen.append, every=3600))
    frames = noise(9, 24, 32, dtype="uint16")
    ns.combine(ns.Stack.wrap(frames), method="maximum", run=rare)
    assert len(seen) == 1


def test_pictures_are_small(noise):
    assert max(small(noise(3 * SIDE + 1, 20)).shape) <= SIDE


def test_what_cannot_show_itself_is_not_shown(seen):
    Glimpses(seen.append, every=0.0).offer(object())
    assert seen == []


@pytest.mark.parametrize("frames", [5, 34])  # of long series some are followed
def test_the_mean_of_the_frames_registered_so_far_is_shown(frames, run, seen):
    stack, truth = samples.drifting_cells(frames, (96, 112), shift=14.0, rotation=0.0, scale=0.0)
    ns.register(stack, transform="translation", run=run)
    assert len(seen) == frames - 1
    wanted = truth["clean"][frames // 2] if truth["clean"].ndim == 3 else truth["clean"]
    drifting = np.asarray(stack).mean(axis=0)
    assert alike(seen[-1], wanted) > 0.95 > 0.9 > alike(drifting, wanted)


def test_drops_so_far_are_shown(noise, run, seen):
    frames = noise(6, 24, 32, dtype="uint16")
    matrices = np.tile(np.eye(3), (6, 1, 1))
    matrices[:, 0, 2] = np.arange(6) / 6
    matrices[:, 1, 2] = np.arange(6) % 3 / 3
    moved = ns.apply_transforms(ns.Stack.wrap(frames), ns.Transforms(matrices))
    with pytest.warns(UserWarning, match="gains nothing"):
        image = ns.drizzle(moved, scale=1.5, run=run).image
    assert len(seen) == 6
    assert seen[-1].shape == image.shape
    np.testing.assert_allclose(seen[-1], image, rtol=1e-5)
