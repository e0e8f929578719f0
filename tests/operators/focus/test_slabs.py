"""`focus_slabs`: what each slab is fused of, that it is fused once, and that slabs stack again."""

import pickle
from dataclasses import dataclass, field, replace
from threading import Event

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.source import Source
from napari_stack.core.stack import Stack
from napari_stack.engine.glimpses import Glimpses
from napari_stack.engine.progress import request_to_stop
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import (
    Transforms,
    apply_transforms,
    combine,
    focus_slabs,
    focus_stack,
)
from support.sources import WatchedSource


@pytest.fixture(scope="module")
def series():
    """Eleven frames at different focus, in micrometres, and the truth."""
    stack, truth = samples.focus_series(frames=11, size=(72, 80))
    return replace(stack, axes=(Axis("z", 2.0, "um"), Axis("y"), Axis("x"))), truth


def mean_error(image, truth):
    return np.abs(image[8:-8, 8:-8].astype(float) - truth["image"][8:-8, 8:-8]).mean()


@pytest.mark.parametrize(
    ("frames", "overlap", "expected"),
    [
        (10, 0, [range(10), range(10, 11)]),
        (4, 1, [range(4), range(3, 7), range(6, 10), range(9, 11)]),
        (5, 2, [range(5), range(3, 8), range(6, 11)]),
        (6, 1, [range(6), range(5, 11)]),
        (11, 3, [range(11)]),
        (1000, 999, [range(11)]),
    ],
)
def test_windows_take_every_frame_and_no_slab_in_vain(frames, overlap, expected, series):
    slabs = focus_slabs(series[0], frames=frames, overlap=overlap)
    assert [slabs.source.window(i) for i in range(len(slabs))] == [list(r) for r in expected]


@pytest.mark.parametrize("method", ["auto", "pyramid"])
def test_a_slab_is_what_focus_stack_makes_of_its_frames(method, series):
    stack, _ = series
    slabs = focus_slabs(stack, frames=4, overlap=1, method=method)
    assert (slabs.shape, slabs.dtype) == ((4, *stack.shape[1:]), stack.dtype)
    expected = focus_stack(stack.select(range(3, 7)), method=method).image
    np.testing.assert_array_equal(slabs[1], expected)
    np.testing.assert_array_equal(slabs.read(1)[0], expected)
    np.testing.assert_array_equal(slabs.read(1, slice(5, 9))[0], expected[5:9])
    assert slabs.axes[0] == Axis("z", 6.0, "um")
    assert slabs.source.label(1) == "frame 3 to frame 6"


def test_slabs_of_uneven_frames_lie_unevenly(series):
    stack = series[0].select(range(7))
    places = (3.0, 4.0, 5.0, 7.0, 9.0, 12.0, 15.0)
    stack = replace(stack, axes=(Axis("z", unit="um", positions=places), *stack.axes[1:]))
    slabs = focus_slabs(stack, frames=3)
    np.testing.assert_allclose(slabs.axes[0].positions, [3, 3 + 16 / 3, 14])
    depth = focus_stack(slabs, depth_unit="distance").depth
    assert 6 < depth.max() <= 11


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_slabs_and_results_are_denoised_and_sharpened(dtype):
    stack, truth = samples.focus_series(frames=4, size=(64, 72), noise=6 / 255, dtype=dtype)
    plain = focus_stack(stack, method="pyramid").image
    smooth, crisp = (
        focus_stack(stack, method="pyramid", **more).image
        for more in ({"denoise": 6.0}, {"sharpen": 1.0})
    )
    assert plain.dtype == smooth.dtype == crisp.dtype == stack.dtype
    gain = 1.0 if dtype == "float32" else 0.95  # its range, and so its grey level, is smaller
    assert mean_error(smooth, truth) < gain * mean_error(plain, truth)
    assert crisp.astype(float).std() > 1.02 * plain.astype(float).std()
    slabs = focus_slabs(stack, frames=4, method="pyramid", denoise=6.0)
    np.testing.assert_array_equal(slabs[0], smooth)


def test_slabs_stack_again_also_by_another_method(series):
    stack, truth = series
    slabs = focus_slabs(stack, frames=4, overlap=1, method="pyramid")
    at_once = mean_error(focus_stack(stack).image, truth)
    assert mean_error(focus_stack(slabs).image, truth) < 1.5 * at_once
    again = focus_stack(slabs, method="pyramid")
    assert mean_error(again.image, truth) < mean_error(stack[5], truth) / 2
    # Slab d lies about frame 3 d + 1.5.
    frames = again.depth * 3 + 1.5
    error = np.abs(frames - truth["depth"])[8:-8, 8:-8]
    assert np.median(error) < 1.5


def test_a_slab_is_fused_when_it_is_first_read_and_once():
    source = WatchedSource(np.random.default_rng(1).integers(0, 255, (6, 40, 44)).astype(np.uint8))
    slabs = focus_slabs(Stack(source), frames=2, method="pyramid")
    assert not source.reads
    first = slabs[1]
    assert sorted(index for index, _ in source.reads) == [2, 3]
    np.testing.assert_array_equal(slabs.select([1])[0], first)
    combine(slabs, method="median", run=Run(memory=2**20))
    assert sorted(index for index, _ in source.reads) == list(range(6))
    # Elsewhere it is fused again, to the same pixels.
    plain = replace(slabs, source=replace(slabs.source, stack=Stack.wrap(source.data)))
    sent = pickle.loads(pickle.dumps(plain))
    assert 1 not in sent.source.cache
    np.testing.assert_array_equal(sent[1], first)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("colour", [False, True])
def test_large_slabs_wait_on_disk(dtype, colour, tmp_path):
    shape = (6, 64, 60, 3) if colour else (6, 64, 60)
    data = np.random.default_rng(2).random(shape)
    data = (data * (1 if dtype == np.float32 else np.iinfo(dtype).max)).astype(dtype)
    # Of 1 MiB a quarter is for slabs in memory.
    data = np.tile(data, (1, 5, 5, 1) if colour else (1, 5, 5))
    here = focus_slabs(Stack.wrap(data), frames=2, method="pyramid")
    there = focus_slabs(
        Stack.wrap(data), frames=2, method="pyramid", run=Run(memory=2**20, scratch=tmp_path)
    )
    assert there.source.cache.memory < data[:3].nbytes
    np.testing.assert_array_equal(np.asarray(there), np.asarray(here))
    np.testing.assert_array_equal(there.render(2, slice(7, 90)), here[2][7:90])
    assert not list(tmp_path.iterdir()), "the file has no name"


def test_frames_not_used_and_pixels_not_covered_do_not_count(series):
    stack, _ = series
    used = np.ones(11, bool)
    used[[0, 4, 5, 6, 7]] = False
    slabs = focus_slabs(replace(stack, used=used), frames=4, method="pyramid")
    assert slabs.used.tolist() == [True, False, True]
    expected = focus_stack(stack.select([1, 2, 3]), method="pyramid").image
    np.testing.assert_array_equal(slabs[0], expected)
    matrices = np.tile(np.eye(3), (11, 1, 1))
    matrices[:, 0, 2] = 10.0  # the last columns lie outside of every frame
    moved = apply_transforms(stack, Transforms(matrices))
    slabs = focus_slabs(moved, frames=4, method="pyramid")
    _, valid = slabs.read(0)
    assert valid is not None
    assert not valid[:, -9:].any()
    assert valid[:, :-11].all()
    assert (slabs[0][~valid] == 0).all()
    again = focus_stack(slabs, method="pyramid").image
    np.testing.assert_array_equal(again[~valid], 0)


def test_floats_with_holes_show_nan_there():
    data = np.random.default_rng(3).random((4, 40, 40)).astype(np.float32)
    data[:, 3, 4] = np.nan
    slabs = focus_slabs(Stack.wrap(data), frames=2, method="pyramid")
    assert np.isnan(slabs[1][3, 4])
    assert np.isfinite(slabs.read(1)[0]).all()
    assert not slabs.read(1)[1][3, 4]


def test_a_run_over_slabs_is_cancelled_between_slabs(series):
    def tick(done, total, what):
        if done == 1:
            raise Cancelled

    slabs = focus_slabs(series[0], frames=2, method="pyramid")
    with pytest.raises(Cancelled):
        focus_stack(slabs, method="pyramid", run=Run(workers=1, tick=tick))
    assert 5 not in slabs.source.cache


@pytest.mark.parametrize("method", ["auto", "depth map", "pyramid"])
def test_a_run_over_slabs_is_cancelled_within_a_slab(method):
    @dataclass(frozen=True)
    class Slow(Source):
        """Frames that arrive late: when nobody waits for them any more."""

        begun: Event = field(default_factory=Event)
        reads: list = field(default_factory=list)
        partial = False
        shape, dtype = (40, 70, 64), np.dtype(np.uint8)

        def pixels(self, index, rows=None):
            self.reads.append(index)
            if len(self.reads) > 3:
                self.begun.set()
                assert request_to_stop().wait(60)
            return np.random.default_rng(index).integers(0, 255, (70, 64)).astype(np.uint8), None

        def label(self, index):
            return f"slow {index}"

    def tick(done, total, what):
        if source.begun.is_set():
            raise Cancelled

    source = Slow()
    slabs = focus_slabs(Stack(source), frames=20, method=method)
    with pytest.raises(Cancelled):
        combine(slabs, run=Run(workers=2, tick=tick))
    assert len(source.reads) < 10


@pytest.mark.parametrize("axis", ["z", None])
def test_every_position_of_a_hyperstack(axis):
    data, _ = samples.hyperstack(times=2, slices=5, size=(64, 72))
    hyper = data.along(axis) if axis else data
    slabs = hyper.map(focus_slabs, frames=2, method="pyramid")
    assert slabs.shape == (2, 2, 3, 64, 72)
    assert (slabs.axis, [a.name for a in slabs.axes]) == ("z", list("tczyx"))
    assert slabs.leading[2].step == 2 * hyper.leading[2].step
    one = focus_slabs(data.along("z").stack({"t": 1, "c": 1}), frames=2, method="pyramid")
    np.testing.assert_array_equal(slabs.stack({"t": 1, "c": 1})[2], one[2])
    assert slabs.map(focus_stack, method="pyramid").image.shape == (2, 2, 64, 72)
    assert isinstance(slabs, Hyperstack)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"frames": 1}, "frames must be a whole number in the range 2 to 1000"),
        ({"frames": 4, "overlap": 4}, "overlap must be less than the 4 frames"),
        ({"method": "best"}, "method must be"),
        ({"slices": 3}, "no option 'slices'"),
        ({"depth_unit": "distance"}, "no option 'depth_unit'"),
        ({"channel": 7}, "channel 7 was asked for"),
    ],
)
def test_what_makes_no_slabs_is_refused(options, said, series):
    with pytest.raises(ValueError, match=said):
        focus_slabs(series[0], **options)


def test_a_slab_that_is_read_later_shows_nothing_to_who_watched_the_run(series):
    seen = []
    run = Run(glimpses=Glimpses(seen.append, every=0))
    slabs = focus_slabs(series[0], frames=5, run=run)
    assert slabs[0].any()
    assert seen == []
