"""Every dock puts its results where the source lies: scale, units, labels, affine, colours."""

import gc
import weakref
from functools import partial

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_stack.core.sources import dask_frames
from napari_stack.operators import CATALOGUE
from support.docks import DOCKS, RUN_ON_ANY, assert_as_the_function, cells_layer, docked, ran

#: Options that such few and small frames need.
OPTIONS = {"sigma_clip": {"sigma": 1.2}, "register": {"transform": "translation"}}

#: Operators that meet a layer of several resolutions: of each kind one.
LEVELS = ("register", "combine", "find_hot_pixels")


def volumes(cells):
    """(t, z, y, x) with all that a layer can have."""
    data = np.stack([cells[:5, :64, :80], cells[:5, 10:74, 20:100]], axis=1)
    affine = np.diag([1.0, 1.0, 2.0, 2.0, 1.0])
    affine[2:4, 4] = 5, 7
    return Image(
        data, name="volumes", rgb=False, contrast_limits=(0, 4095),
        scale=(2.0, 0.5, 0.1, 0.1), translate=(1.0, 2.0, 3.0, 4.0), affine=affine,
        units=("second", "micrometer", "micrometer", "micrometer"),
        axis_labels=("t", "z", "y", "x"),
    )  # fmt: skip


def colours(cells):
    """(t, y, x) in colours."""
    grey = cells[:5, :64, :80] // 16
    data = np.stack([grey, grey // 2, grey // 3], axis=-1).astype(np.uint8)
    return placed(Image(data, name="colours", rgb=True))


def levels(cells):
    """(t, y, x) at two resolutions, of which the finer one counts."""
    data = cells[:5, :64, :80]
    fine_and_coarse = [data, data[:, ::2, ::2]]
    return placed(Image(fine_and_coarse, name="levels", multiscale=True, rgb=False))


def placed(layer):
    layer.scale, layer.translate = (0.5, 0.1, 0.1), (1, 2, 3)
    layer.units = ("second", "micrometer", "micrometer")
    layer.axis_labels = ("t", "y", "x")
    return layer


@pytest.mark.filterwarnings("ignore:.*frames are left out")
@pytest.mark.parametrize("name", RUN_ON_ANY)
def test_results_lie_where_the_source_lies(name, viewer, qtbot, cells):
    dock = docked(viewer, DOCKS[name])
    for kind in (volumes, colours, levels) if name in LEVELS else (volumes, colours):
        viewer.add_layer(kind(cells))
        dock.axis = "t"
        dock.set_options(OPTIONS.get(name, {}))
        ran(dock, qtbot)
        check(name, *viewer.layers)
        if kind is colours:
            source, *made = viewer.layers
            assert viewer.layers.selection.active == made[0]
            assert_as_the_function(name, source, made, OPTIONS.get(name, {}))
            del source, made
        alive = [weakref.ref(layer.data) for layer in viewer.layers if not layer.multiscale]
        viewer.layers.clear()
        gone = partial(none_alive, alive)
        qtbot.waitUntil(gone, timeout=20_000)


def none_alive(references):
    gc.collect()
    return all(reference() is None for reference in references)


def check(name, source, *made):
    frames = CATALOGUE[name].gives_frames
    mask = isinstance(made[0], Labels)
    assert mask == (name == "find_hot_pixels")
    kept = slice(0 if frames else 1, None)
    whole = (source.data[0] if source.multiscale else source.data).shape
    assert made
    for layer in made:
        assert not layer.multiscale
        same = slice(1 if name == "focus_slabs" else 0, None)  # fewer frames, each thicker
        assert layer.data.shape[: layer.ndim][same] == whole[: source.ndim][kept][same]
        assert getattr(layer, "rgb", False) == (
            not mask and source.rgb and (frames or layer is made[0])
        )
        np.testing.assert_allclose(layer.scale[same], source.scale[kept][same])
        np.testing.assert_allclose(layer.translate[same], source.translate[kept][same])
        full = source.affine.affine_matrix
        np.testing.assert_allclose(layer.affine.affine_matrix, full[kept, kept])
        assert layer.units == source.units[kept]
        assert layer.axis_labels == source.axis_labels[kept]
    assert made[0].data.dtype == (np.uint8 if mask else source.dtype)
    if name == "focus_slabs":
        return
    for corner in (np.zeros(made[0].ndim), np.array(made[0].data.shape[: made[0].ndim]) - 1):
        whole_corner = corner if frames else np.concatenate([[0], corner])
        world = source.data_to_world(whole_corner)[kept]
        np.testing.assert_allclose(made[0].data_to_world(corner), world)


def test_frames_that_cannot_be_shown_hide_nothing(viewer, qtbot, cells, notes, monkeypatch):
    frames = cells_layer(viewer, cells)
    seen = []

    def fails(_stack, index):
        seen.append(frames.visible)  # as long as the other is computed
        if len(seen) == 1:
            raise FileNotFoundError(f"frame {index} is gone")

    monkeypatch.setattr(dask_frames, "compute_ahead", fails)
    dock = docked(viewer, DOCKS["transform_frames"])
    ran(dock, qtbot)
    assert "is gone" in notes[-1][1]
    assert [layer.visible for layer in viewer.layers] == [True, False]
    dock.layer = frames
    ran(dock, qtbot)
    assert [layer.visible for layer in viewer.layers] == [False, False, True]
    assert seen == [True, True]
