"""Retouching: masks and blends, strokes on a fused image, in order, one by one and all at once."""

from dataclasses import replace

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.core.errors import UserError
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators.focus.focus_stack import fuse
from napari_stack.operators.focus.retouch.blend import (
    MARGIN,
    blended,
    levels_of,
    mask_of,
    window_of,
)
from napari_stack.operators.focus.retouch.patches import Loaded, newest_patch, patch_of, put
from napari_stack.operators.focus.retouch.sources import Sources, name_of
from support.focus_scenes import ramp

SIZE = (150, 190)
BAND = ns.Stroke(0, [(70, 120), (80, 150)], 12)
WIDE = ns.Stroke(4, [(40, 60)], 30)
OVER = ns.Stroke(2, [(60, 130), (90, 140), (90, 141)], 5)


@pytest.fixture(scope="module")
def frames():
    return np.clip(ramp(SIZE)[0], 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def stack(frames):
    return ns.Stack.wrap(frames)


@pytest.fixture(scope="module")
def plain(stack):
    return ns.focus_stack(stack)


def whole(size=SIZE):
    return slice(0, size[0]), slice(0, size[1])


def test_a_mask():
    mask = mask_of([(10, 10), (10, 20.5)], 4, (slice(0, 30), slice(0, 40)))
    rows, columns = np.indices((30, 40))
    distance = np.hypot(rows - 10, columns - np.clip(columns, 10, 20.5))
    np.testing.assert_allclose(mask, np.clip(4.5 - distance, 0, 1), atol=1e-6)
    parts = [mask_of([(10, 10), (10, 20.5)], 4, (slice(a, a + 15), slice(0, 40))) for a in (0, 15)]
    np.testing.assert_array_equal(np.concatenate(parts), mask)
    assert not mask_of([(-9, 3)], 4, (slice(0, 30), slice(0, 40))).any()


@pytest.mark.parametrize("radius", [3, 8, 20, 40, 70])
def test_the_middle_is_the_source_and_what_is_far_stays(radius):
    rng = np.random.default_rng(0)
    base, other = rng.integers(0, 4000, (2, 300, 300, 1)).astype(np.float32)
    points = [(150.0, 150.0)]
    mask = mask_of(points, radius, whole((300, 300)))
    values, changed = blended(base, other, None, mask, levels_of(radius))
    assert abs(values[150, 150] - other[150, 150]) < 0.01
    far = np.hypot(*(np.indices((300, 300)) - 150)) > radius + MARGIN
    np.testing.assert_array_equal(values[far], base[far])
    assert not changed[far].any()
    assert (values >= np.minimum(base, other)).all()
    assert (values <= np.maximum(base, other)).all()
    window = window_of(points, radius, (300, 300))
    alone, _ = blended(
        base[window].copy(), other[window].copy(), None, mask[window].copy(), levels_of(radius)
    )
    np.testing.assert_array_equal(alone, values[window])


def test_pixels_and_depth_are_those_of_the_frame(stack, frames, plain):
    found = ns.retouch(stack, [BAND])
    mask = mask_of(BAND.points, BAND.radius, whole())
    core = mask_of(BAND.points, 2, whole()) == 1
    np.testing.assert_array_equal(found.image[core], frames[0][core])
    assert (plain.image[core] != frames[0][core]).any()
    np.testing.assert_array_equal(found.depth[mask >= 0.5], 0)
    np.testing.assert_array_equal(found.confidence[mask >= 0.5], 1)
    np.testing.assert_array_equal(found.depth[mask < 0.5], plain.depth[mask < 0.5])
    far = mask_of(BAND.points, BAND.radius + MARGIN, whole()) == 0
    np.testing.assert_array_equal(found.image[far], plain.image[far])
    low, high = frames.min(axis=0), frames.max(axis=0)
    assert ((found.image >= low) & (found.image <= high)).all()


def test_a_later_stroke_covers_an_earlier_one(stack, frames):
    found = ns.retouch(stack, [BAND, OVER])
    other = ns.retouch(stack, [OVER, BAND])
    assert found.image[90, 140] == frames[2, 90, 140]
    both = (mask_of(BAND.points, 9, whole()) == 1) & (mask_of(OVER.points, 3, whole()) == 1)
    assert both.sum() > 10
    assert (found.depth[both] == 2).all()
    assert (other.depth[both] == 0).all()


def test_erasing_brings_the_fused_image_back(stack, plain):
    erased = ns.retouch(stack, [BAND, ns.Stroke("fused", [(75, 135)], 80)])
    for image, before in zip(erased, plain, strict=True):
        np.testing.assert_array_equal(image, before)


def test_one_by_one_is_all_at_once(stack):
    strokes = ns.Strokes((BAND, WIDE, ns.Stroke("fused", [(75, 140)], 9), OVER), 6, SIZE)
    at_once = ns.focus_stack(stack, retouch=strokes)
    image, depth, confidence = (part.copy() for part in ns.focus_stack(stack)[:3])
    sources = Sources(stack, {}, Run())
    for stroke in strokes:  # on the image as it was stored after the stroke before
        source = sources.get(stroke, 0, 1)
        window = window_of(stroke.points, stroke.radius, SIZE)
        patch = patch_of(image, source, stroke.points, stroke.radius, window)
        put(patch, image, depth, confidence, source)
    for one, other in zip((image, depth, confidence), at_once[:3], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_stroke_that_grows_is_the_whole_one():
    """The pixels that a new piece of it can change are final, and no more need be computed."""
    rng, size = np.random.default_rng(1), (260, 420)
    image, other = rng.integers(0, 255, (2, *size)).astype(np.uint8)
    line, radius, source = [(20, 20), (60, 90), (100, 100), (30, 170)], 18, Loaded(other, None)
    at_once = patch_of(image, source, line, radius, whole(size))
    seen, grown = np.zeros(size, bool), image.copy()
    for count in range(1, len(line) + 1):
        patch = newest_patch(image, source, line[:count], radius)
        grown[patch.window] = patch.values
        seen[patch.window] = True
    np.testing.assert_array_equal(grown, at_once.values)
    assert seen.mean() < 0.7


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_types_and_colours(frames, dtype):
    colour = np.stack([frames, frames[::-1], 255 - frames], axis=-1)[:, :96, :128].astype(dtype)
    stack = ns.Stack.wrap(colour)
    found = ns.retouch(stack, [ns.Stroke(3, [(40, 60)], 20)], method="pyramid", depth=False)
    assert found.image.dtype == dtype
    assert found.depth is None
    np.testing.assert_allclose(found.image[40, 60], colour[3, 40, 60], atol=1e-4)


def test_pixels_that_a_frame_lacks_stay(frames):
    holed = frames.astype(np.float32)
    holed[0, 60:75, 100:160] = np.nan
    holed[:, :8, :8] = np.nan
    stack = ns.Stack.wrap(holed)
    found, plain = ns.retouch(stack, [BAND, ns.Stroke(1, [(0, 0)], 20)]), ns.focus_stack(stack)
    np.testing.assert_array_equal(found.image[60:75, 100:160], plain.image[60:75, 100:160])
    np.testing.assert_array_equal(found.depth[60:75, 100:160], plain.depth[60:75, 100:160])
    assert found.depth[80, 150] == 0
    assert np.isnan(found.image[:8, :8]).all()
    np.testing.assert_allclose(found.image[9, 9], holed[1, 9, 9], atol=1e-3)
    assert np.isfinite(found.image[8:]).all()


def test_alpha_stays(frames):
    opaque = np.full((*frames.shape, 4), 255, np.uint8)
    opaque[..., :3] = frames[..., None]
    opaque[0, 70:, :, 3] = 0
    stack = ns.Stack.wrap(opaque, rgb=True)
    found, plain = ns.retouch(stack, [BAND]), ns.focus_stack(stack)
    np.testing.assert_array_equal(found.image[..., 3], 255)
    np.testing.assert_array_equal(found.image[70:], plain.image[70:])
    assert (found.image[60:70] != plain.image[60:70]).any()


def test_slabs_and_other_fusions(stack):
    slab = ns.Stroke(ns.Slab(1, 2), [(75, 100)], 12)
    other = ns.Stroke(ns.Fusion({"method": "pyramid"}), [(75, 100)], 12)
    few = ns.focus_stack(stack.select([1, 2]))
    pyramid = ns.focus_stack(stack, method="pyramid")
    at = 75, 100
    for stroke, expected, offset in ((slab, few, 1), (other, pyramid, 0)):
        found = ns.retouch(stack, [stroke])
        assert found.image[at] == expected.image[at]
        assert found.depth[at] == pytest.approx(expected.depth[at] + offset)
        assert found.confidence[at] == expected.confidence[at]
    left_out = replace(stack, used=np.array([True, True, False, True, True, True]))
    found = ns.retouch(left_out, [ns.Stroke(ns.Slab(1, 3), [(75, 100)], 12)])
    assert 1 <= found.depth[at] <= 3


def test_strokes_come_before_sharpening(stack):
    once = ns.focus_stack(stack, retouch=[WIDE], sharpen=0.5)
    found = fuse(stack, retouch=[WIDE])
    again = fuse(ns.Stack.wrap(np.stack([found.image] * 2)), sharpen=0.5, depth=False)
    np.testing.assert_allclose(once.image, np.clip(np.rint(again.image), 0, 255), atol=1)
    plain = ns.focus_stack(stack, sharpen=0.5)
    np.testing.assert_array_equal(once.image[:, 170:], plain.image[:, 170:])


def test_strokes_stay_with_other_options(stack, frames):
    for options in ({"method": "pyramid"}, {"true_colours": True}):
        found = ns.focus_stack(stack, retouch=[WIDE], **options)
        assert found.image[40, 60] == frames[4, 40, 60]


def test_every_place_has_its_own(frames):
    data = np.stack([frames[:, :96, :128], frames[::-1, :96, :128]])
    hyper = ns.Hyperstack.wrap(data, axes="tzyx")
    strokes = ns.Strokes((ns.Stroke(5, [(40, 60)], 12, {"t": 1}), ns.Stroke(0, [(80, 20)], 9)))
    found = hyper.map(ns.focus_stack, retouch=strokes)
    assert [depth[40, 60] == 5 for depth in found.depth] == [False, True]
    assert (found.depth[:, 80, 20] == 0).all()
    with pytest.raises(UserError, match="lies at t=1; there are 1"):
        ns.Hyperstack.wrap(data[:1], axes="tzyx").map(ns.focus_stack, retouch=strokes)
    second = hyper.along("z").stack({"t": 1})
    with pytest.raises(UserError, match="stroke 0 lies at t=1"):
        ns.retouch(second, strokes)
    alone = ns.retouch(second, strokes.at({"t": 1}))
    np.testing.assert_array_equal(alone.image, found.image[1])


def test_what_does_not_fit_is_refused_before_the_work(stack):
    def never(done, total, what):
        raise AssertionError(what)

    run = Run(tick=never)
    cases = [
        (ns.Strokes((BAND,), frames=5), "painted on 5 frames, and these are 6"),
        (ns.Strokes((BAND,), size=(10, 10)), "register and crop them"),
        ([ns.Stroke(6, [(5, 5)], 3)], "takes frame 6; there are the frames 0 to 5"),
        ([ns.Stroke(0, [(500, 5)], 3)], "lies outside"),
        ([ns.Stroke(ns.Fusion({"denoise": 1.0}), [(5, 5)], 3)], "takes the options method"),
        ([ns.Stroke(ns.Fusion({"method": "best"}), [(5, 5)], 3)], "got 'best'"),
        ("nowhere.json", "nowhere"),
    ]
    for strokes, message in cases:
        with pytest.raises((UserError, FileNotFoundError), match=message):
            ns.focus_stack(stack, retouch=strokes, run=run)
    without = replace(stack, used=np.arange(6) != 4)
    with pytest.raises(UserError, match="takes frame 4, which is left out"):
        ns.retouch(without, [WIDE], run=run)


def test_a_run_is_cancelled_while_sources_are_read(stack):
    def tick(done, total, what):
        if what.startswith("Retouching from frame 4"):
            raise Cancelled(what)

    with pytest.raises(Cancelled):
        ns.retouch(stack, [BAND, WIDE], run=Run(tick=tick))


def test_sources_are_let_go(stack):
    sources = Sources(stack, {}, Run(memory=2**20))
    for frame in range(6):
        sources.get(ns.Stroke(frame, [(5, 5)], 3), frame, 6)
    assert sum(one.nbytes for one in sources.kept.values()) < 2**19
    assert name_of(ns.Slab(0, 3)) == "frames 0 to 3"
