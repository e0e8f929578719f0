"""The method "pyramid" on series with known truth."""

import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_stack.core.pixels.luminance import ChannelWeights
from napari_stack.core.source import Source
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.focus.focus_stack import focus_stack
from napari_stack.operators.focus.methods import Pyramid
from napari_stack.operators.focus.pyramid import PyramidFold
from support.focus_scenes import defocus, psnr, ramp, texture

BORDER = 8


@dataclass(frozen=True, eq=False)
class Frames(Source):
    """Frames with some numbers of a series, and where they are valid."""

    frames: dict
    valid: dict
    computed = partial = True

    @property
    def shape(self):
        return (max(self.frames) + 1, *next(iter(self.frames.values())).shape)

    @property
    def dtype(self):
        return next(iter(self.frames.values())).dtype

    def pixels(self, index, rows=None):
        rows = rows or slice(None)
        return self.frames[index][rows], self.valid[index][rows] if self.valid else None

    def label(self, index):
        return f"frame {index}"


def fuse(frames, valid=None, indices=None, **options):
    return fold(frames, valid, indices, **options).state.finish()[:4]


def fold(frames, valid=None, indices=None, **options):
    indices = [int(i) for i in (range(len(frames)) if indices is None else indices)]
    masks = {} if valid is None else dict(zip(indices, valid, strict=True))
    source = Frames(dict(zip(indices, frames, strict=True)), masks)
    rgb, alpha = options.pop("rgb", False), options.pop("alpha", False)
    used = np.isin(np.arange(source.shape[0]), indices)
    return folded(Stack(source, used=used, rgb=rgb, alpha=alpha), **options)


def folded(stack, kind=PyramidFold, **options):
    channels = ChannelWeights(stack.rgb, stack.alpha)
    state = kind(stack, channels, Pyramid(**options), measure=True, alone=False)
    for index in np.flatnonzero(stack.used).tolist():
        state.add(index, state.prepare(stack, index))
    return state


@pytest.fixture(scope="module")
def tilted():
    return ramp()


def test_beats_every_frame_by_far(tilted):
    frames, truth, _ = tilted
    image, _, _, covered = fuse(frames)
    assert psnr(image, truth) > max(psnr(frame, truth) for frame in frames) + 10
    assert covered.all()
    assert image.dtype == np.float32


def test_depth_lies_between_frames(tilted):
    frames, _, truth = tilted
    _, depth, confidence, _ = fuse(frames)
    error = np.abs(depth - truth)[BORDER:-BORDER, BORDER:-BORDER]
    sure = (confidence > np.median(confidence))[BORDER:-BORDER, BORDER:-BORDER]
    assert error.mean() < 0.15
    assert error[sure].mean() < 0.1
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    assert depth.dtype == confidence.dtype == np.float32


def test_depth_counts_in_the_indices_given(tilted):
    frames, _, truth = tilted
    _, depth, _, _ = fuse(frames, indices=[10, 12, 14, 16, 18, 20])
    assert np.median(np.abs(depth - (10 + 2 * truth))) < 0.25


def test_uneven_indices_keep_the_depth_right():
    frames, _, truth = ramp(frames=9)
    kept = [0, 1, 2, 4, 5, 6, 8]
    _, depth, _, _ = fuse(frames[kept], indices=kept)
    assert np.abs(depth - truth)[BORDER:-BORDER, BORDER:-BORDER].mean() < 0.3


def test_two_depths_with_an_edge():
    scene = texture((160, 160), 3)
    truth = np.zeros((160, 160), np.float32)
    truth[40:120, 40:120] = 3
    frames = defocus(scene, truth, 4)
    image, depth, confidence, _ = fuse(frames)
    assert psnr(image, scene) > max(psnr(frame, scene) for frame in frames) + 10
    assert np.mean(np.abs(depth - truth) < 0.5) > 0.9
    near_edge = cv2.morphologyEx(truth, cv2.MORPH_GRADIENT, np.ones((5, 5))) > 0
    assert confidence[near_edge].mean() < 0.7 * confidence[~near_edge].mean()


def test_flat_regions_are_unsure_and_filled_from_around():
    scene = texture((160, 200), 1)
    scene[50:110, 70:130] = 100
    truth = np.full(scene.shape, 2, np.float32)
    noise = np.random.default_rng(0).normal(0, 1, (5, *scene.shape)).astype(np.float32)
    _, depth, confidence, _ = fuse(defocus(scene, truth, 5) + noise)
    flat = np.s_[70:90, 90:110]
    assert confidence[flat].mean() < 0.05
    assert confidence[:40].mean() > 0.3
    assert np.abs(depth[flat] - 2).mean() < 0.5


@pytest.mark.parametrize("method", ["pyramid", "auto"])
@pytest.mark.parametrize(("count", "noise"), [(5, 0.5), (12, 1.5)])
def test_correlated_noise_and_rounding_are_no_texture(method, count, noise):
    """A sensor's or a codec's noise: smoother than white, and rounded to 8 bits."""
    scene = texture((240, 280), 3)
    rows, columns = np.indices(scene.shape)
    distance = np.hypot(rows - 120, columns - 140)
    scene = np.where(distance < 90, 128 + (columns - 140) / 10, scene).astype(np.float32)
    truth = ((count - 1) * (0.15 + 0.7 * columns / 280)).astype(np.float32)
    grain = np.random.default_rng(3).normal(size=(count, *scene.shape)).astype(np.float32)
    grain = np.stack([cv2.GaussianBlur(plane, (0, 0), 0.8) for plane in grain])
    frames = defocus(scene, truth, count) + noise / grain.std() * grain
    fused = focus_stack(Stack.wrap(np.rint(frames.clip(0, 255)).astype(np.uint8)), method=method)
    error, flat, textured = np.abs(fused.depth - truth), distance < 70, distance > 110
    assert np.percentile(fused.confidence[flat], 95) < 0.1
    assert np.median(fused.confidence[textured]) > 0.5
    assert error[flat].mean() < 0.025 * count
    assert error[textured].mean() < 0.15


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_parts_merge_to_the_same(tilted, cut):
    frames, _, _ = tilted
    options = {"min_size": 16}
    whole = fold(frames, **options)
    first = fold(frames[:cut], **options)
    second = fold(frames[cut:], indices=range(cut, len(frames)), **options)
    second = pickle.loads(pickle.dumps(second))  # as from another machine
    first.merge(second)
    assert_same(first, whole)


def test_merge_in_three_with_masks_and_an_empty_part(tilted):
    frames, _, _ = tilted
    valid = [np.roll(np.arange(190) < 120, 30 * k)[None].repeat(150, 0) for k in range(len(frames))]
    whole = fold(frames, valid)
    merged = folded(replace(Stack.wrap(frames), used=np.zeros(len(frames), bool)))
    for part in (slice(0, 2), slice(2, 4), slice(4, 6)):
        merged.merge(fold(frames[part], valid[part], range(6)[part]))
    merged.merge(folded(replace(Stack.wrap(frames), used=np.zeros(len(frames), bool))))
    assert_same(merged, whole)


def assert_same(one, other):
    one, other = one.state.finish(), other.state.finish()
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[3], other[3])
    np.testing.assert_allclose(one[1], other[1], atol=1e-3)
    np.testing.assert_allclose(one[2], other[2], atol=1e-4)


def test_reversed_series_mirrors_the_depth(tilted):
    frames, _, _ = tilted
    image, depth, confidence, _ = fuse(frames)
    image_r, depth_r, confidence_r, _ = fuse(frames[::-1])
    np.testing.assert_array_equal(image, image_r)
    np.testing.assert_allclose(depth, len(frames) - 1 - depth_r, atol=1e-3)
    np.testing.assert_allclose(confidence, confidence_r, atol=1e-3)


@settings(max_examples=15, deadline=None)
@given(
    scale=st.floats(1e-4, 300),
    offset=st.floats(-2, 2),
    seed=st.integers(0, 5),
    frames=st.integers(2, 4),
)
def test_fusing_commutes_with_gain_and_offset(scale, offset, seed, frames):
    rng = np.random.default_rng(seed)
    series = np.cumsum(rng.normal(size=(frames, 40, 37)), axis=2)  # float64: no digits lost
    image, depth, confidence, _ = fuse(series, min_size=8)
    moved = fuse(scale * (series + offset), min_size=8)
    np.testing.assert_allclose(moved[0] / scale - offset, image, atol=1e-9)
    np.testing.assert_allclose(moved[1], depth, atol=1e-2)
    np.testing.assert_allclose(moved[2], confidence, atol=1e-3)


@pytest.mark.parametrize(
    ("top", "dtype"), [(1, np.float32), (4095, np.float32), (65535, np.float64)]
)
def test_any_data_range(tilted, top, dtype):
    frames, truth, _ = tilted
    expected = psnr(fuse(frames)[0], truth)
    scaled = (frames / 255 * top).astype(dtype)
    image, depth, _, _ = fuse(scaled)
    assert image.dtype == dtype
    assert psnr(image, truth / 255 * top, top) == pytest.approx(expected, abs=0.05)
    np.testing.assert_allclose(depth, fuse(frames)[1], atol=0.05)


def test_negative_values(tilted):
    frames, truth, _ = tilted
    image, *_ = fuse(frames - 300)
    assert psnr(image, truth - 300) == pytest.approx(psnr(fuse(frames)[0], truth), abs=0.05)


def test_a_dark_noisy_frame_does_not_win(tilted):
    frames, truth, _ = tilted
    dark = np.abs(np.random.default_rng(0).normal(0, 0.5, truth.shape)).astype(np.float32)
    image, *_ = fuse(np.concatenate([frames, dark[None]]))
    assert psnr(image, truth) > psnr(fuse(frames)[0], truth) - 0.5


@settings(max_examples=15, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 45), st.integers(1, 45)),
    channels=st.sampled_from([None, 1, 3, 5]),
    frames=st.integers(1, 3),
    masked=st.booleans(),
    seed=st.integers(0, 9),
)
def test_stays_within_the_frames_at_any_size(shape, channels, frames, masked, seed):
    rng = np.random.default_rng(seed)
    full = shape if channels is None else (*shape, channels)
    series = rng.normal(size=(frames, *full)).astype(np.float32)
    valid = rng.random((frames, *shape)) < 0.7 if masked else np.ones((frames, *shape), bool)
    image, depth, confidence, covered = fuse(series, valid if masked else None, min_size=4)
    assert image.shape == full
    assert depth.shape == confidence.shape == covered.shape == shape
    np.testing.assert_array_equal(covered, valid.any(axis=0))
    mask = valid if channels is None else valid[..., None]
    low = np.where(mask, series, np.inf).min(axis=0)[covered]
    high = np.where(mask, series, -np.inf).max(axis=0)[covered]
    assert (image[covered] >= low).all()
    assert (image[covered] <= high).all()
    assert not image[~covered].any()
    assert np.isfinite(depth).all()
    assert ((depth >= 0) & (depth <= frames - 1)).all()


@pytest.mark.parametrize(
    "shape", [(64, 96), (65, 131), (20, 25), (1, 1), (1, 40), (40, 2), (70, 33, 3)]
)
@pytest.mark.parametrize("count", [1, 3])
def test_identical_frames_come_back(shape, count):
    frame = np.random.default_rng(1).random(shape, np.float32)
    image, depth, confidence, covered = fuse([frame] * count, rgb=len(shape) == 3)
    np.testing.assert_allclose(image, frame, rtol=1e-6)
    assert not confidence.any()
    assert not depth.any()
    assert covered.all()


@pytest.mark.parametrize("value", [0, 7, -3.5, 1e30, 1e-30])
def test_constant_frames(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image, depth, confidence, _ = fuse(np.full((3, 70, 80), value, np.float32))
    np.testing.assert_array_equal(image, np.float32(value))
    assert not confidence.any()
    assert np.isfinite(depth).all()


def test_constant_frames_of_different_brightness():
    frames = np.stack([np.full((70, 80), value, np.float32) for value in (10, 30, 20)])
    image, _, confidence, _ = fuse(frames)
    np.testing.assert_allclose(image, 10, rtol=1e-6)
    assert not confidence.any()


def test_rgb_counts_by_luminosity():
    """Texture in blue alone hardly counts against texture in green."""
    green = np.zeros((64, 64, 3), np.float32)
    blue = green.copy()
    green[..., 1] = blue[..., 2] = texture((64, 64))
    image, _, _, _ = fuse([blue, green], rgb=True, min_size=64)
    as_bands, _, _, _ = fuse([blue, green])
    np.testing.assert_allclose(
        fold([green], rgb=True).state.energies[0].sum(),
        0.587 / 0.114 * fold([blue], rgb=True).state.energies[0].sum(),
        rtol=1e-4,
    )
    assert image.shape == as_bands.shape


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_channels_are_fused_together(channels):
    frames, truth, _ = ramp((120, 140), 5, channels)
    image, _, _, _ = fuse(frames, rgb=channels == 3)
    assert image.shape == truth.shape
    assert psnr(image, truth) > max(psnr(frame, truth) for frame in frames) + 8


def test_alpha_is_no_colour():
    frames, _, _ = ramp((90, 100), 4, 3)
    noise = np.random.default_rng(0).uniform(0, 255, (4, 90, 100, 1)).astype(np.float32)
    with_alpha = np.concatenate([frames, noise], axis=-1)
    image, depth, _, _ = fuse(with_alpha, rgb=True, alpha=True)
    expected, depth_expected, _, _ = fuse(frames, rgb=True)
    np.testing.assert_array_equal(image[..., :3], expected)
    np.testing.assert_array_equal(image[..., 3], noise[..., 0].max(axis=0))
    np.testing.assert_array_equal(depth, depth_expected)


def test_a_fourth_band_is_data():
    frames, _, _ = ramp((90, 100), 3, 4)
    image, _, _, _ = fuse(frames)
    assert psnr(image[..., 3], ramp((90, 100), 3, 4)[1][..., 3]) > 25


def test_grey_is_one_band():
    frames, _, _ = ramp((80, 90), 3)
    np.testing.assert_array_equal(fuse(frames)[0], fuse(frames[..., None])[0][..., 0])


def test_only_valid_pixels_count(tilted):
    """What stands at invalid pixels, even a wild value, does not reach the result."""
    frames, truth, _ = tilted
    valid = np.ones(frames.shape, bool)
    valid[2, 40:90, 60:120] = False
    spoilt = frames.copy()
    spoilt[~valid] = np.nan
    image, depth, confidence, covered = fuse(spoilt, valid)
    assert covered.all()
    assert np.isfinite(image).all()
    assert np.isfinite(depth).all()
    assert np.isfinite(confidence).all()
    others = np.delete(frames, 2, axis=0)
    inside = np.s_[45:85, 65:115]
    assert (
        np.abs(image - truth)[inside].mean() < 1.2 * np.abs(fuse(others)[0] - truth)[inside].mean()
    )


def test_the_edge_of_a_frame_leaves_no_seam(tilted):
    """Frames that were moved and end inside the image, their last pixels repeated outwards."""
    frames, truth, _ = tilted
    valid = np.ones(frames.shape, bool)
    moved = frames.copy()
    for k in range(5):  # the last frame covers everything
        edge = 20 + 6 * k
        valid[k, :edge] = False
        moved[k, :edge] = frames[k, edge]
    image, _, _, _ = fuse(moved, valid)
    rough = np.abs(np.diff(image, axis=0)).mean(axis=1)
    assert rough[:60].max() < 1.5 * np.abs(np.diff(truth, axis=0)).mean(axis=1).max()


def test_pixels_of_no_frame_are_not_covered(tilted):
    frames, _, _ = tilted
    valid = np.ones(frames.shape, bool)
    valid[:, :30, :40] = False
    image, depth, confidence, covered = fuse(frames, valid)
    assert not covered[:30, :40].any()
    assert covered[30:].all()
    for plane in (image, depth, confidence):
        assert not plane[~covered].any()


def test_a_frame_without_valid_pixels_changes_nothing(tilted):
    frames, _, _ = tilted
    valid = np.ones((7, *frames.shape[1:]), bool)
    valid[6] = False
    more = np.concatenate([frames, 1000 * frames[:1]])
    image, depth, _, _ = fuse(more, valid)
    np.testing.assert_array_equal(image, fuse(frames)[0])
    assert depth.max() <= 5


def test_not_finite_is_not_valid(tilted):
    frames, _, _ = tilted
    spoilt = frames.copy()
    spoilt[1, 30:34, 50] = np.nan
    spoilt[4, 80, 90] = np.inf
    image, depth, confidence, covered = fuse(spoilt)
    assert covered.all()
    assert np.isfinite(image).all()
    assert np.isfinite(depth).all()
    assert np.isfinite(confidence).all()
    assert not fuse(np.full((2, 40, 40), np.nan, np.float32))[3].any()


def test_frames_are_not_changed(tilted):
    frames, _, _ = tilted
    before = frames.copy()
    locked = frames.copy()
    locked.setflags(write=False)
    fuse(locked)
    fuse(frames)
    np.testing.assert_array_equal(frames, before)


def test_order_is_required():
    frame = np.zeros((8, 8), np.float32)
    state = fold([frame], indices=[3])
    with pytest.raises(ValueError, match="frame 3 comes after frame 3"):
        state.add(3, Stack.wrap(frame[None]))
    with pytest.raises(ValueError, match="frame 2 comes after frame 3"):
        state.merge(fold([frame], indices=[2]))


@pytest.mark.parametrize("options", [{}, {"kernel_size": 31}, {"min_size": 400}])
def test_strips_give_what_whole_frames_give_bit_by_bit(options):
    class Whole(PyramidFold):
        def __init__(self, *given, **options):
            super().__init__(*given, **options)
            self.tall = 10_000

    rng = np.random.default_rng(5)
    frames = rng.integers(0, 4096, (4, 601, 83, 4)).astype(np.uint16)
    frames[:2, 200:300, :, 3] = 0  # transparent rows across a seam of strips
    stack = Stack.wrap(frames, rgb=True)
    image, depth, confidence, _ = folded(stack, Whole, **options).state.finish()[:4]
    for workers in (1, 3):
        found = focus_stack(stack, method=Pyramid(**options), run=Run(workers=workers))
        np.testing.assert_array_equal(found.image, np.rint(image).astype(np.uint16))
        np.testing.assert_array_equal(found.depth, depth)
        np.testing.assert_array_equal(found.confidence, confidence)
        alone = focus_stack(stack, method=Pyramid(**options), depth=False, run=Run(workers=workers))
        np.testing.assert_array_equal(alone.image, found.image)


@pytest.mark.parametrize("memory", [2**30, 2**20])
def test_parts_on_an_executor_give_the_same_image(memory):
    frames = np.random.default_rng(6).integers(0, 255, (20, 70, 90, 3)).astype(np.uint8)
    stack = Stack.wrap(frames, rgb=True)
    here = focus_stack(stack, method="pyramid", run=Run(memory=memory))
    with ThreadPoolExecutor(3) as pool:
        there = focus_stack(stack, method="pyramid", run=Run(executor=pool, memory=memory))
    np.testing.assert_array_equal(there.image, here.image)
    np.testing.assert_allclose(there.depth, here.depth, atol=1e-3)
    np.testing.assert_allclose(there.confidence, here.confidence, atol=1e-4)
