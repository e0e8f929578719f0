"""Retouching of layers without a window: what is painted is what the recipe makes, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.errors import UserError
from napari_stack.layers.provenance import link_of
from napari_stack.layers.retouch import Retouching, may_retouch, other_fusions, replay, start
from support.focus_scenes import ramp

SIZE = (90, 110)
LINES = [(0, [(40, 50), (44, 75.5)]), (5, [(45, 70), (20, 60)]), ("fused", [(44, 75)])]


@pytest.fixture(scope="module")
def series():
    return np.clip(ramp(SIZE)[0], 0, 255).astype(np.uint8)


def frames_of(kind, series):
    if kind == "colours":
        return np.stack([series, series[:, ::-1], 255 - series], axis=-1)
    if kind == "float32":
        data = series.astype(np.float32) / 255
        data[0, 38:46, 60:] = np.nan
        data[:, :5, :9] = np.nan
        return data
    return series.astype(kind) * (100 if kind == "uint16" else 1)


def fused(data, **options):
    look = {"scale": (2, 0.5, 0.5), "units": ("um", "um", "um"), "axis_labels": ("z", "y", "x")}
    layer = Image(data, name="frames", rgb=data.ndim == 4, **look)
    return layer, layers.focus_stack(layer, **{"method": "pyramid", **options})


def begun(layer):
    started = start(layer)
    return Retouching.of(started, started.finish(started.compute()))


def paint(session, source, line, radius=9, place=None):
    place = place or {}
    if session.source(place, source) is None:
        session.keep(place, source, session.load(place, source))
    grown = session.begin_stroke(place, source, radius)
    for point in line:
        grown.add(*point)
    session.end_stroke(grown, place, source)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("colours", {}),
        ("uint16", {"depth_unit": "distance"}),
        ("float32", {}),
        ("uint8", {"true_colours": True, "depth": False}),
    ],
)
def test_painting_is_what_the_recipe_makes(series, kind, options):
    data = frames_of(kind, series)
    layer, made = fused(data, **options)
    session = begun(made[0])
    for source, line in LINES:
        paint(session, source, line)
    again = layers.focus_stack(layer, **link_of(session.layers["image"]).steps[-1].options)
    assert len(again) == len(session.layers)
    for shown, expected in zip(session.layers.values(), again, strict=True):
        np.testing.assert_array_equal(shown.data, expected.data, err_msg=expected.name)
    assert any((a.data != b.data).any() for a, b in zip(again, made, strict=True))
    replayed = begun(made[0])
    replayed.write(session.known, replay(replayed, session.known))
    for kind_of, shown in replayed.layers.items():
        np.testing.assert_array_equal(shown.data, session.layers[kind_of].data)
    np.testing.assert_array_equal(replayed.labels, session.labels)


def test_registered_frames_are_painted_as_they_were_moved(series):
    matrices = np.stack([np.eye(3)] * 6)
    matrices[:, 0, 2], matrices[:, 1, 2] = 0.4 * np.arange(6), 3
    moved = ns.apply_transforms(ns.Stack.wrap(series), ns.Transforms(matrices))
    frames = layers.to_layer(moved, "moved")
    session = begun(layers.focus_stack(frames, method="pyramid")[0])
    paint(session, 2, [(60, 40), (86, 60)])
    again = layers.focus_stack(frames, method="pyramid", retouch=session.known)
    np.testing.assert_array_equal(session.layers["image"].data, again[0].data)


def test_going_on_with_strokes_that_a_layer_has(series):
    layer, made = fused(series, retouch=[ns.Stroke(4, [(30, 40)], 10)])
    session = begun(made[0])
    assert session.labels[30, 40] == 5
    assert session.source({}, "fused") is None  # it was never seen without strokes
    paint(session, "fused", [(30, 40)], radius=60)
    plain = layers.focus_stack(layer, method="pyramid")
    for shown, expected in zip(session.layers.values(), plain, strict=True):
        np.testing.assert_array_equal(shown.data, expected.data)
    assert session.labels[30, 40] == 0
    assert len(session.known) == 2
    assert not session.undo() or len(session.known) == 1
    assert not session.undo()  # the first stroke was there before


def test_undo_lets_old_strokes_go(series, monkeypatch):
    monkeypatch.setattr("napari_stack.layers.retouch.session._UNDO_BYTES", 200_000)
    session = begun(fused(series)[1][0])
    for x in range(10, 100, 10):
        paint(session, 1, [(40, x)])
    assert 1 <= len(session.done) < 9
    assert len(session.known) == 9
    while session.undo():
        pass
    assert len(session.known) == 9 - len(session.undone)
    assert session.forgotten == len(session.known) > 0


def test_what_can_be_retouched(series):
    layer, made = fused(series)
    assert [may_retouch(la) for la in (layer, *made)] == [False, True, False, False]
    with pytest.raises(UserError, match="'frames' is no focus-stacked image whose frames"):
        start(layer)
    auto = layers.focus_stack(layer)
    assert [*other_fusions(made[0], auto).values()] == [ns.Fusion({})]
    assert other_fusions(made[0], made) == {}
    mean = layers.combine(layer)
    assert not may_retouch(mean[0])


def test_frames_that_are_left_out_are_refused(series):
    session = begun(fused(series)[1][0])
    data = session.begun.job.data
    object.__setattr__(session.begun.job, "data", replace(data, used=np.arange(6) != 3))
    with pytest.raises(UserError, match="takes frame 3, which is left out"):
        session.load({}, 3)


def test_a_joint_measure_is_refused(series):
    data = np.stack([series, series], axis=1)
    layer = Image(data, name="frames", axis_labels=("z", "c", "y", "x"), rgb=False)
    made = layers.focus_stack(layer, measure_at={"c": 1}, method="pyramid")
    with pytest.raises(UserError, match="was fused along c by the depth of one place"):
        start(made[0])
