"""Volumes that drift in x, y and z are found, and moved lazily."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.operators.registration.volumes.shifted_planes import ShiftedPlanes, plane_weights


@pytest.fixture(scope="module")
def sinking():
    return samples.sinking_volume(4, 9, (80, 88), 3, photons=400.0)


@pytest.fixture(scope="module")
def registered(sinking):
    return ns.register_volumes(sinking[0])


def found_shifts(result):
    moves = result.transforms
    return np.column_stack([moves.matrices[:, :2, 2], moves.z_shifts])


def test_shifts_are_found_along_all_axes(sinking, registered):
    apart = found_shifts(registered) - sinking[1]["shifts"]
    assert np.abs(sinking[1]["shifts"]).max() > 0.7
    assert np.sqrt((apart**2).mean()) < 0.02
    assert registered.transforms.matrices.shape == (4, 3, 3)
    assert registered.transforms.z_shifts[2] == 0
    assert not registered.transforms.failed.any()


def test_few_dim_planes_that_bleach():
    data, truth = samples.sinking_volume(
        4, 5, (96, 96), 5, photons=60.0, bleaching=0.3, thickness=0.8, walk=0.4
    )
    apart = found_shifts(ns.register_volumes(data)) - truth["shifts"]
    assert np.sqrt((apart**2).mean()) < 0.06


def test_planes_come_to_lie_on_the_reference(sinking, registered):
    data = np.asarray(sinking[0]).astype(float)
    reference = data[2]
    for volume in (0, 1, 3):
        for plane in (3, 4, 5):
            values, valid = registered.frames.read(volume * 9 + plane)
            inside = np.s_[8:-8, 8:-8]
            assert valid is None or valid[inside].all()
            before = np.corrcoef(data[volume, plane][inside].ravel(),
                                 reference[plane][inside].ravel())[0, 1]  # fmt: skip
            after = np.corrcoef(values[inside].ravel(), reference[plane][inside].ravel())[0, 1]
            assert after > before
            assert after > 0.95


def test_planes_that_leave_the_volume_do_not_count():
    data, truth = samples.sinking_volume(3, 9, (64, 64), 3, walk=0.0, photons=400.0)
    moved = np.asarray(data).copy()
    moved[0] = np.roll(moved[0], 3, axis=0)
    result = ns.register_volumes(ns.Hyperstack.wrap(moved, axes="tzyx"))
    assert result.transforms.z_shifts[0] == pytest.approx(3, abs=0.05)
    used = result.frames.used.reshape(3, 9)
    assert used[0].tolist() == [True] * 6 + [False] * 3
    values, valid = result.frames.read(8)
    assert not valid.any()
    assert not values.any()
    assert truth["shifts"].shape == (3, 3)


def test_channels_are_moved_alike_and_measured_on_one(sinking):
    data = np.asarray(sinking[0])
    rng = np.random.default_rng(0)
    both = np.stack([rng.integers(0, 9, data.shape).astype(data.dtype), data], axis=1)
    result = ns.register_volumes(ns.Hyperstack.wrap(both, axes="tczyx"), channel=1)
    apart = found_shifts(result) - sinking[1]["shifts"]
    assert np.sqrt((apart**2).mean()) < 0.02
    shifts = result.frames.transforms.z_shifts.reshape(4, 2, 9)
    assert (shifts == shifts[:, :1, :1]).all()
    with pytest.raises(ValueError, match="channel 2 was asked for; there are 2"):
        ns.register_volumes(ns.Hyperstack.wrap(both, axes="tczyx"), channel=2)


def test_a_turn_within_the_planes():
    data, _ = samples.sinking_volume(3, 6, (72, 80), 3, walk=0.0, photons=400.0)
    turn = np.deg2rad(1.5)
    about = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2] = about
    middle = np.array([39.5, 35.5])
    matrix[:2, 2] = middle - about @ middle
    volume = np.asarray(data).copy()
    moves = ns.Transforms(np.tile(np.linalg.inv(matrix), (6, 1, 1)))
    turned = ns.apply_transforms(ns.Stack.wrap(volume[0]), moves, border="replicate")
    volume[0] = np.asarray(turned)
    result = ns.register_volumes(ns.Hyperstack.wrap(volume, axes="tzyx"), transform="rigid")
    found = ns.Transforms(result.transforms.matrices, size=(72, 80)).decomposed()
    assert found.rotation[0] == pytest.approx(1.5, abs=0.05)
    assert found.rotation[1] == pytest.approx(0, abs=0.05)


def test_a_crop_stays_one_interpolation(registered):
    cropped = registered.map(ns.transform_frames, crop=ns.Box(left=8, top=10, right=60, bottom=70))
    assert len(cropped.frames.corrections) == 1
    assert isinstance(cropped.frames.source, ShiftedPlanes)
    inner = registered.frames.read(12)[0][10:70, 8:60]
    np.testing.assert_allclose(cropped.frames.read(12)[0], inner, atol=1e-2)
    np.testing.assert_allclose(cropped.transforms.z_shifts, registered.transforms.z_shifts)


def test_rows_are_as_of_the_whole(registered):
    whole = registered.frames.read(4)[0]
    np.testing.assert_array_equal(registered.frames.read(4, slice(20, 41))[0], whole[20:41])


def test_volumes_of_something_else_are_left_out(sinking):
    data = np.asarray(sinking[0]).copy()
    data[1] = np.random.default_rng(0).integers(0, 4000, data.shape[1:])
    with pytest.warns(UserWarning, match="could not be registered"):
        result = ns.register_volumes(ns.Hyperstack.wrap(data, axes="tzyx"))
    assert result.transforms.failed.tolist() == [False, True, False, False]
    assert not result.frames.used.reshape(4, 9)[1].any()


def test_without_planes_or_with_a_stack(sinking):
    flat = ns.Hyperstack.wrap(np.zeros((3, 2, 40, 40), np.uint8), axes="tcyx")
    with pytest.raises(ValueError, match=r"need an axis of planes named 'z' beside 't'.*'c'"):
        ns.register_volumes(flat)
    with pytest.raises(ValueError, match="reference 9 was asked for; there are 4"):
        ns.register_volumes(sinking[0], reference=9)
    with pytest.raises(TypeError, match="takes a Hyperstack, got Stack"):
        ns.register_volumes(ns.Stack.wrap(np.zeros((3, 40, 40))))


@pytest.mark.parametrize("at", [0.0, 0.3, 2.5, 4.0])
def test_weights_of_planes_keep_what_is_linear(at):
    weights = plane_weights(at, 9)
    assert sum(w for _, w in weights) == pytest.approx(1)
    if 1 <= at <= 7:
        assert sum(plane * w for plane, w in weights) == pytest.approx(at)


def test_a_recipe_moves_volumes_and_saves_where_they_lie(sinking, tmp_path):
    recipe = ns.Recipe([ns.Step("register_volumes", transforms="moves.json")])
    recipe.run(sinking[0], folder=tmp_path)
    found = ns.Transforms.load(tmp_path / "moves.json")
    apart = found.z_shifts - sinking[1]["shifts"][:, 2]
    assert np.abs(apart).max() < 0.05
