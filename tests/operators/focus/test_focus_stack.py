"""`focus_stack` on stacks: truth, depth, types, bad input."""

from pathlib import Path

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators import Auto, DepthMap, Pyramid, focus_stack
from support.focus_scenes import psnr

MOTORCYCLE = Path(__file__).parents[4] / "shared" / "data" / "focus_motorcycle"


def test_the_fused_image_is_sharp_all_over_and_the_depth_is_known():
    stack, truth = samples.focus_series()
    result = focus_stack(stack)
    best_single = max(psnr(frame, truth["image"]) for frame in stack)
    assert result.image.dtype == stack.dtype
    assert psnr(result.image, truth["image"]) > best_single + 8
    assert (result.confidence >= 0).all()
    assert (result.confidence <= 1).all()
    sure = result.confidence > np.median(result.confidence)
    assert np.abs(result.depth - truth["depth"])[sure].mean() < 0.25


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,), (5,)])
def test_types_and_channels(dtype, channels):
    grey = np.asarray(samples.focus_series(frames=4, size=(96, 100))[0]).astype(np.float64)
    data = grey.reshape(*grey.shape, *(1,) * len(channels)) * np.ones(channels)
    stack = Stack.wrap(data.astype(dtype))
    for method in (Auto(), Pyramid(min_size=16), DepthMap(), DepthMap("weighted average")):
        result = focus_stack(stack, method=method)
        assert result.image.shape == data.shape[1:]
        assert result.image.dtype == dtype
        assert result.depth.shape == result.confidence.shape == (96, 100)
        assert (result.image >= np.asarray(stack).min(axis=0)).all()
        assert (result.image <= np.asarray(stack).max(axis=0)).all()


def test_workers_do_not_change_the_result():
    stack, _ = samples.focus_series(frames=6, size=(128, 128))
    one, three = (focus_stack(stack, run=Run(workers=n)) for n in (1, 3))
    for image, other in zip(one, three, strict=True):
        np.testing.assert_array_equal(image, other)


@pytest.mark.parametrize(
    "data",
    [
        np.random.default_rng(0).integers(0, 255, (1, 70, 80), np.uint8),
        np.tile(np.random.default_rng(0).integers(0, 255, (70, 80), np.uint8), (4, 1, 1)),
        np.zeros((3, 70, 80), np.uint16),
        np.full((3, 7, 5), 0.5, np.float32),
    ],
)
@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
def test_one_same_black_and_tiny_frames_come_back(data, method):
    result = focus_stack(Stack.wrap(data), method=method)
    np.testing.assert_allclose(result.image, data[0], atol=1e-6)
    assert np.isfinite(result.depth).all()
    assert np.isfinite(result.confidence).all()


def test_a_method_by_name_or_object():
    stack, _ = samples.focus_series(frames=3, size=(96, 96))
    methods = {"pyramid": Pyramid(), "depth map": DepthMap(), "auto": Auto()}
    for name, method in methods.items():
        expected = focus_stack(stack, method=name).image
        np.testing.assert_array_equal(focus_stack(stack, method=method).image, expected)
    np.testing.assert_array_equal(focus_stack(stack).image, expected)
    with pytest.raises(
        ValueError, match="method must be 'auto' or 'pyramid' or 'depth map' or Auto"
    ):
        focus_stack(stack, method="depth")
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        Pyramid(kernel_size=4)


@pytest.mark.skipif(not MOTORCYCLE.exists(), reason="the sample files are not here")
def test_the_rendered_photograph():
    import tifffile

    from napari_stack import read

    truth = tifffile.imread(MOTORCYCLE / "truth_all_in_focus.tif")
    depth = tifffile.imread(MOTORCYCLE / "truth_depth_slice_index.tif")
    inner = (slice(12, -12),) * 2
    stack = read(str(MOTORCYCLE / "slice_*.tif"))
    result = focus_stack(stack)
    assert psnr(result.image, truth, border=12) >= 37
    error = np.abs(result.depth - depth)[inner]
    assert error.mean() <= 0.3
    assert error[result.confidence[inner] > np.median(result.confidence[inner])].mean() <= 0.15
    for method, least in {"pyramid": 36, "depth map": 35.5}.items():
        assert psnr(focus_stack(stack, method=method).image, truth, border=12) >= least


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_little_memory_changes_no_pixel_of_a_pyramid(dtype):
    data = np.asarray(samples.focus_series(frames=4, size=(160, 170))[0]).astype(dtype)
    stack = Stack.wrap(data)
    plenty, little = (
        focus_stack(stack, method="pyramid", run=Run(memory=memory)) for memory in (2**30, 2**20)
    )
    np.testing.assert_array_equal(plenty.image, little.image)
    assert np.abs(plenty.depth - little.depth).mean() < 0.01
    np.testing.assert_array_equal(stack.render(1), data[1])  # frames are not written to


@pytest.mark.parametrize("memory", [2**30, 2**20])
@pytest.mark.parametrize("method", ["auto", "pyramid", "depth map"])
def test_without_the_depth_the_image_is_the_same(method, memory):
    stack = samples.focus_series(frames=4, size=(160, 170))[0]
    run = Run(memory=memory)
    whole = focus_stack(stack, method=method, run=run)
    alone = focus_stack(stack, method=method, depth=False, run=run)
    np.testing.assert_array_equal(alone.image, whole.image)
    assert alone.depth is None
    assert alone.confidence is None


def test_several_images_without_depths():
    frames = np.asarray(samples.focus_series(frames=4, size=(64, 70))[0])
    hyper = Hyperstack.wrap(np.stack([frames, 255 - frames]), axes="czyx", axis="z")
    for measure_at in (None, {"c": 1}):
        found = hyper.map(focus_stack, depth=False, measure_at=measure_at)
        assert found.image.shape == (2, 64, 70)
        assert found.depth is None
        assert found.confidence is None


def test_one_worker_holds_one_frame_at_a_time():
    alive, most = set(), []

    class Frame:
        def __init__(self, index):
            self.index = index
            alive.add(index)
            most.append(len(alive))

        def __del__(self):
            alive.discard(self.index)

    class Counting:
        def prepare(self, stack, index):
            return Frame(index)

        def add(self, index, prepared):
            assert prepared.index == index

    Run(workers=1).fold(Counting(), Stack.wrap(np.zeros((5, 4, 4))), what="counting")
    assert max(most) == 1
