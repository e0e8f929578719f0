"""The method "auto": truth, noise, flicker, order, parts, bands, validity, channels."""

from contextlib import nullcontext

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import Auto, DepthMap, Transforms, apply_transforms, focus_stack
from napari_stack.operators.focus.auto import bands_of, fuse
from support.focus_scenes import blur, psnr, steps
from support.pixels import validity


def test_a_step_in_depth_comes_out_sharp_on_both_sides():
    frames, truth, depth = steps()
    result = focus_stack(Stack.wrap(frames))
    single = max(psnr(frame, truth) for frame in frames)
    pyramid = psnr(focus_stack(Stack.wrap(frames), method="pyramid").image, truth)
    assert psnr(result.image, truth) > max(single + 8, pyramid + 0.3)
    sure = result.confidence > np.median(result.confidence)
    assert np.abs(result.depth - depth)[sure].mean() < 0.1


def test_flicker_leaves_no_patches():
    frames, truth, _ = steps(flicker=0.05)
    even = focus_stack(Stack.wrap(frames)).image
    uneven = focus_stack(Stack.wrap(frames), method=Auto(even_brightness=False)).image
    level = np.median(even / np.maximum(truth, 1))
    assert psnr(even, truth * level) > psnr(uneven, truth * level) + 1


def test_nothing_leaves_the_range_of_the_frames():
    frames, _, _ = steps(noise=4, flicker=0.03, colour=True)
    frames = frames.astype(np.uint8)
    image = focus_stack(Stack.wrap(frames), method=Auto(even_brightness=False)).image
    assert (image >= frames.min(axis=0)).all()
    assert (image <= frames.max(axis=0)).all()
    image = focus_stack(Stack.wrap(frames)).image  # the range at one brightness
    assert (image >= np.floor(frames.min(axis=0) * 0.94)).all()
    assert (image <= np.ceil(frames.max(axis=0) * 1.06)).all()


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


def test_moved_frames_count_only_where_they_are_valid():
    stack, _ = samples.focus_series(frames=5, size=(120, 140))
    matrices = np.tile(np.eye(3), (5, 1, 1))
    matrices[:, 0, 2] = [-6.4, 3.2, 0, 4.7, 9.1]
    moved = apply_transforms(stack, Transforms(matrices))
    result = focus_stack(moved)
    read = [moved.read(i) for i in range(5)]
    values = np.stack([v for v, _ in read])
    valid = np.stack([validity(m, v) for v, m in read])
    assert not valid.all()
    covered = valid.any(axis=0)
    assert (result.image[~covered] == 0).all()
    low = np.min(values, axis=0, where=valid, initial=255)[covered]
    high = np.max(values, axis=0, where=valid, initial=0)[covered]
    assert (result.image[covered] >= np.floor(low)).all()
    assert (result.image[covered] <= np.ceil(high)).all()
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
    told = pytest.warns(UserWarning, match="frame 6 .*: left out")
    with nullcontext() if bad in ("blurred", "nan") else told:
        result = focus_stack(Stack.wrap(np.concatenate([frames, extra[None]])))
    assert np.isfinite(result.image).all()
    assert np.isfinite(result.depth).all()
    assert psnr(result.image, truth) > psnr(focus_stack(Stack.wrap(frames)).image, truth) - 1


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
