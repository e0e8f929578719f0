"""The automatic focus stack: truth, noise, flicker, order, parts, bands, validity, channels."""

import cv2
import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.luminance import ChannelWeights, brightness_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import (
    Auto,
    DepthMap,
    Transforms,
    apply_transforms,
    balance,
    focus_stack,
)
from napari_stack.operators.focus import frame_statistics
from napari_stack.operators.focus.auto import bands_of, fuse
from napari_stack.operators.focus.frame_statistics import SharpnessFold, Thumbnail, gain_to
from napari_stack.operators.focus.restricted_pyramid import frame_limits
from napari_stack.operators.focus.strip_fold import StripFold


def psnr(image, truth, top=255, border=12):
    inner = np.s_[border:-border, border:-border]
    error = image.astype(float)[inner] - truth[inner]
    return 10 * np.log10(top**2 / np.mean(error**2))


def steps(frames=6, noise=0.0, flicker=0.0, colour=False, seed=0):
    """Return a sharp disc before a background, as floats 0 to 255: frames, truth, depth."""
    rng = np.random.default_rng(seed)
    shape = (160, 200)
    channels = 3 if colour else 1
    near, far = (
        cv2.GaussianBlur(rng.normal(0, 120, (*shape, channels)), (0, 0), 1.0).reshape(*shape, -1)
        + 128
        for _ in range(2)
    )
    rows, columns = np.indices(shape)
    disc = (np.hypot(rows - 80, columns - 90) < 50).astype(float)
    truth = np.where(disc[..., None] > 0, near, far)
    depth = np.where(disc > 0, 1, frames - 2)
    series = []
    for index in range(frames):
        opacity = blur(disc, abs(index - 1))[..., None]
        behind = blur(far, abs(index - frames + 2)).reshape(far.shape)
        front = blur(near * disc[..., None], abs(index - 1)).reshape(far.shape)
        frame = behind * (1 - opacity) + front
        frame = frame * (1 + flicker * rng.uniform(-1, 1))
        series.append(frame + rng.normal(0, noise, frame.shape))
    frames_, truth = np.clip(np.stack(series), 0, 255), np.clip(truth, 0, 255)
    if not colour:
        frames_, truth = frames_[..., 0], truth[..., 0]
    return frames_.astype(np.float32), truth.astype(np.float32), depth


def blur(image, sigma):
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def test_a_step_in_depth_comes_out_sharp_on_both_sides():
    frames, truth, depth = steps()
    result = focus_stack(Stack.wrap(frames))
    single = max(psnr(frame, truth) for frame in frames)
    pyramid = psnr(focus_stack(Stack.wrap(frames), method="pyramid").image, truth)
    assert psnr(result.image, truth) > max(single + 8, pyramid + 0.3)
    sure = result.confidence > np.median(result.confidence)
    assert np.abs(result.depth - depth)[sure].mean() < 0.1


def test_frames_that_agree_are_averaged_where_there_is_noise():
    frames, truth, _ = steps(frames=8, noise=8, colour=True)
    stack = Stack.wrap(frames)
    averaged = psnr(focus_stack(stack).image, truth)
    assert averaged > psnr(focus_stack(stack, method=Auto(average_noise=False)).image, truth) + 0.3
    assert averaged > psnr(focus_stack(stack, method="pyramid").image, truth) + 0.5


def test_flicker_leaves_no_patches():
    frames, truth, _ = steps(flicker=0.05)
    even = focus_stack(Stack.wrap(frames)).image
    uneven = focus_stack(Stack.wrap(frames), method=Auto(even_brightness=False)).image
    level = np.median(even / np.maximum(truth, 1))
    assert psnr(even, truth * level) > psnr(uneven, truth * level) + 1


def test_nothing_leaves_the_range_of_the_frames():
    frames, _, _ = steps(noise=4, flicker=0.03, colour=True)
    frames = frames.astype(np.uint8)
    image = focus_stack(Stack.wrap(frames)).image
    assert (image >= frames.min(axis=0)).all()
    assert (image <= frames.max(axis=0)).all()


def test_reversed_order_mirrors_the_depth():
    frames, _, _ = steps(noise=3)
    frames = frames.astype(np.uint8)
    one, other = (focus_stack(Stack.wrap(f)) for f in (frames, frames[::-1]))
    difference = np.abs(one.image.astype(int) - other.image)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    np.testing.assert_allclose(one.depth, len(frames) - 1 - other.depth, atol=0.01)


def test_bands_of_rows_make_the_same_image():
    frames, _, _ = steps(noise=5)
    tall = np.concatenate([frames, frames[:, ::-1], frames], axis=1)
    stack = Stack.wrap(tall)
    run = Run(memory=2**20)
    assert len(list(bands_of(tall.shape[1:], run.memory))) > 1
    whole, parts = (fuse(stack, r, ChannelWeights(), Auto()) for r in (Run(), run))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("colour", [False, True])
def test_strips_and_workers_change_no_pixel(monkeypatch, colour):
    frames, _, _ = steps(noise=5, colour=colour)
    stack = Stack.wrap(frames.astype(np.uint8))
    matrices = np.tile(np.eye(3), (len(frames), 1, 1))
    matrices[:, :2, 2] = np.linspace(-1.3, 2.2, len(frames))[:, np.newaxis]
    stack = apply_transforms(stack, Transforms(matrices))
    whole = focus_stack(stack, run=Run(workers=1))
    monkeypatch.setattr(StripFold, "tall", 32)
    monkeypatch.setattr(frame_statistics, "STRIP", 32)
    for workers in (1, 5):
        parts = focus_stack(stack, run=Run(workers=workers))
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_is_warped_alone_is_warped_in_brightness():
    frames, _, _ = steps(colour=True)
    moved = apply_transforms(Stack.wrap(frames), Transforms(np.tile(np.eye(3), (6, 1, 1))))
    balanced = balance(moved)
    for stack, corrections in ((moved, 1), (balanced, 0)):
        grey = brightness_of(stack, ChannelWeights(rgb=True))
        assert len(grey.corrections) == corrections
        values, valid = grey.read(2)
        assert valid is None
        np.testing.assert_allclose(values, frames[2] @ (0.299, 0.587, 0.114), rtol=1e-5)


def test_parts_of_a_series_merge():
    frames, _, _ = steps(frames=7, noise=2)
    stack = Stack.wrap(frames)

    def folded(numbers):
        fold = SharpnessFold(stack, ChannelWeights(), Run(executor="elsewhere"), even=True)
        for i in numbers:
            fold.add(i, fold.prepare(stack, i))
        return fold

    first = folded(range(3))
    first.merge(folded(range(3, 7)))
    whole = folded(range(7))
    assert first.statistics() == whole.statistics()
    for one, other in zip(first.depth.maps(), whole.depth.maps(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_moved_frames_count_only_where_they_are_valid():
    stack, _ = samples.focus_series(frames=5, size=(120, 140))
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[:, 0, 2] = [-6.4, 3.2, 0, 4.7, 9.1]
    moved = apply_transforms(stack, Transforms(matrices))
    result = focus_stack(moved)
    read = [moved.read(i) for i in range(5)]
    covered = np.any([np.ones(v.shape[:2], bool) if m is None else m for v, m in read], axis=0)
    assert (result.image[~covered] == 0).all()
    alone = np.stack([np.where(m, v, np.nan) for v, m in read if m is not None])
    assert (result.image[covered] <= np.nanmax(alone, axis=0)[covered].max()).all()
    assert np.isfinite(result.depth).all()


def test_skipped_frames_have_no_say():
    frames, truth, _ = steps()
    frames[2] = 255 * (np.random.default_rng(1).random(frames[2].shape) > 0.5)
    used = np.ones(len(frames), bool)
    used[2] = False
    stack = Stack(Stack.wrap(frames).source, used=used)
    kept = np.delete(frames, 2, axis=0)
    np.testing.assert_array_equal(focus_stack(stack).image, focus_stack(Stack.wrap(kept)).image)
    assert psnr(focus_stack(stack).image, truth) > 30


def test_one_channel_may_decide():
    frames, _, _ = steps()
    noise = np.random.default_rng(2).normal(128, 60, (*frames.shape, 1)).astype(np.float32)
    both = Stack.wrap(np.concatenate([frames[..., None], noise], axis=3))
    result = focus_stack(both, channel=0)
    alone = focus_stack(Stack.wrap(frames))
    np.testing.assert_allclose(result.depth, alone.depth, atol=1e-3)
    np.testing.assert_allclose(result.image[..., 0], alone.image, atol=0.5)
    with pytest.raises(ValueError, match="channel 2 was asked for; the frames have 2, from 0"):
        focus_stack(both, channel=2)


def test_alpha_is_kept_and_transparent_pixels_do_not_count():
    frames, _, _ = steps(colour=True)
    alpha = np.full((*frames.shape[:3], 1), 255, np.uint8)
    alpha[2:, :40] = 0
    data = np.concatenate([frames.astype(np.uint8), alpha], axis=3)
    result = focus_stack(Stack.wrap(data, rgb=True))
    assert (result.image[..., 3] == 255).all()
    opaque = data[:2, :40, :, :3]
    assert (result.image[:40, :, :3] >= opaque.min(axis=0)).all()
    assert (result.image[:40, :, :3] <= opaque.max(axis=0)).all()


@pytest.mark.parametrize("bad", ["black", "saturated", "blurred", "nan"])
def test_a_bad_frame_does_no_harm(bad):
    frames, truth, _ = steps()
    extra = {
        "black": np.zeros_like(truth),
        "saturated": np.full_like(truth, 255),
        "blurred": blur(frames[0], 20),
        "nan": np.full_like(truth, np.nan),
    }[bad]
    result = focus_stack(Stack.wrap(np.concatenate([frames, extra[None]])))
    assert np.isfinite(result.image).all()
    assert np.isfinite(result.depth).all()
    assert psnr(result.image, truth) > psnr(focus_stack(Stack.wrap(frames)).image, truth) - 1


def test_gains_ignore_cells_into_which_a_bright_edge_spills():
    total = np.full((8, 8), 100, np.float32)
    spilled = total * np.float32(1.02)
    spilled[:2] += 60
    ones = np.ones_like(total)
    reference = Thumbnail(total, ones)
    assert gain_to(reference, Thumbnail(spilled, ones)) == pytest.approx(1 / 1.02, rel=1e-5)
    assert gain_to(reference, Thumbnail(total * 0, ones)) == 1
    assert gain_to(reference, Thumbnail(total * 3, ones)) == 1  # no flicker: another exposure


def test_frame_limits_hold_the_labels_around_a_pixel():
    labels = np.zeros((40, 40), np.uint16)
    labels[:, 20:] = 9
    limits = frame_limits(labels, 4)
    np.testing.assert_array_equal(limits.first[0], 9 * (np.indices((40, 40))[1] >= 24))
    np.testing.assert_array_equal(limits.last[0], 9 * (np.indices((40, 40))[1] >= 16))
    assert [plane.shape for plane in limits.first] == [(40, 40), (20, 20), (10, 10)]


@pytest.mark.parametrize("method", ["auto", "depth map"])
@pytest.mark.parametrize("below", [100, 300, 1000])
def test_data_below_zero(method, below):
    frames, truth, _ = steps()
    frames = frames.astype(np.float32)
    here = focus_stack(Stack.wrap(frames), method=method).image
    there = focus_stack(Stack.wrap(frames - below), method=method).image
    assert psnr(there, truth - below) == pytest.approx(psnr(here, truth), abs=0.5)


@pytest.mark.parametrize("count", [5, 6])
@pytest.mark.parametrize("method", ["auto", "depth map"])
def test_flicker_is_evened_alike_in_reversed_order(count, method):
    frames, _, _ = steps(frames=count, noise=3, flicker=0.03)
    one, other = (
        focus_stack(Stack.wrap(part.astype(np.uint8)), method=method)
        for part in (frames, frames[::-1])
    )
    np.testing.assert_array_equal(one.image, other.image)


def test_sharpening_makes_no_rim_around_what_no_frame_covers():
    frames = np.full((3, 60, 60), 100, np.float32)
    frames[:, 20:30, 20:30] = np.nan
    image = focus_stack(Stack.wrap(frames), sharpen=1.0).image
    np.testing.assert_allclose(image[~np.isnan(frames[0])], 100, rtol=1e-5)
    assert np.isnan(image[20:30, 20:30]).all()


@pytest.mark.parametrize("scale", [1e-25, 1e30])
@pytest.mark.parametrize("method", ["auto", "pyramid", DepthMap(choice="weighted average")])
def test_any_unit_gives_the_same_image(method, scale):
    frames, _, _ = steps(noise=4)
    scale = np.float32(scale)
    here, there = (
        focus_stack(Stack.wrap(part), method=method) for part in (frames, frames * scale)
    )
    np.testing.assert_allclose(there.image / scale, here.image, atol=1e-2)
    np.testing.assert_allclose(there.depth, here.depth, atol=1e-2)
