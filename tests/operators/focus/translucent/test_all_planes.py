"""`focus_stack(scene=...)` on clear scenes, whose truth is known."""

import numpy as np
import pytest

from napari_stack import samples
from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.engine.progress import Cancelled
from napari_stack.engine.run import Run
from napari_stack.operators import focus_stack
from napari_stack.recipe.step import Step

SIZE = (160, 200)


@pytest.fixture(scope="module")
def glowing():
    return samples.fluorescent(frames=9, size=SIZE)


@pytest.fixture(scope="module")
def clear():
    return samples.transparent(frames=9, size=SIZE)


def decibels(image, truth, top):
    error = (image.astype(float) - truth)[8:-8, 8:-8]
    return 10 * np.log10(top**2 / np.mean(error**2))


@pytest.mark.parametrize(("name", "top"), [("glowing", 4095), ("clear", 255)])
def test_all_planes_are_in_focus(name, top, request):
    stack, truth = request.getfixturevalue(name)
    scene = {"glowing": "fluorescent", "clear": "transparent"}[name]
    plain, found = (focus_stack(stack, scene=kind) for kind in ("opaque", scene))
    before, after = (decibels(each.image, truth["image"], top) for each in (plain, found))
    assert after > before + 1.5
    assert found.image.dtype == stack.dtype


@pytest.mark.parametrize("factor", [1e-9, 1e20])
def test_the_size_of_numbers_does_not_matter(glowing, factor):
    frames = np.asarray(glowing[0]).astype(np.float64)[:, :80, :90]
    one, other = (
        focus_stack(Stack.wrap(frames * by), scene="fluorescent", depth=False).image
        for by in (1.0, factor)
    )
    np.testing.assert_allclose(other / factor, one, rtol=1e-3, atol=0.5)


def test_glowing_things_lie_where_they_are(glowing):
    stack, truth = glowing
    away = [
        np.mean(abs(focus_stack(stack, scene=scene).depth - truth["depth"])[truth["things"]])
        for scene in ("opaque", "fluorescent")
    ]
    assert away[1] < 0.9 * away[0]


def test_auto_is_decided_in_scripts_as_in_recipes(glowing):
    step = Step("focus_stack", {"scene": "auto"}).settled(glowing[0])
    assert step.options["scene"] == "fluorescent"
    by_name, auto = (focus_stack(glowing[0], scene=s) for s in ("fluorescent", "auto"))
    np.testing.assert_array_equal(by_name.image, auto.image)


def test_colours_alpha_and_missing_pixels(clear):
    grey = np.asarray(clear[0]).astype(np.float32) / 255
    data = np.stack([grey, grey, grey, np.ones_like(grey)], axis=-1)
    data[2, :20, :30] = np.nan
    found = focus_stack(Stack.wrap(data, rgb=True), scene="transparent").image
    assert (found[..., 3] == 1).all()
    assert np.isfinite(found).all()
    assert decibels(found[30:, 40:, 0] * 255, clear[1]["image"][30:, 40:], 255) > 34


def test_frames_that_are_no_sums_of_planes_are_told():
    still = np.random.default_rng(0).normal(100, 20, (5, *SIZE)).astype(np.float32)
    with pytest.warns(UserWarning, match="do not behave as sums of planes"):
        found = focus_stack(Stack.wrap(still), scene="transparent")
    np.testing.assert_array_equal(found.image, focus_stack(Stack.wrap(still)).image)


def test_nothing_is_in_front_where_all_is_clear(clear):
    with pytest.raises(UserError, match='take prefer="none", or scene="opaque"'):
        focus_stack(clear[0], scene="transparent", prefer="near")


def test_it_stops_half_way(clear):
    def tick(_done, _total, what):
        if what == "Focusing on all planes":
            raise Cancelled

    with pytest.raises(Cancelled):
        focus_stack(clear[0], scene="transparent", run=Run(tick=tick))
