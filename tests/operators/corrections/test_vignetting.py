"""`measure_vignetting`, `correct_vignetting`: known fall-offs, and scenes without any."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.operators import (
    Polynomial,
    Sigmoid,
    Transforms,
    Vignetting,
    apply_transforms,
    apply_vignetting,
    correct_vignetting,
    measure_vignetting,
)
from napari_stack.operators.corrections.radial_falloff import sigmoid
from napari_stack.operators.corrections.vignetting_measure import reach
from napari_stack.operators.geometry.warp import Warp

DATA = Path(__file__).parents[3] / "../shared/data/multiband"
Y, X = np.mgrid[:300, :400]
RADIUS = np.hypot(X - 199.5, Y - 149.5) / 250


def structured(seed, shape=(300, 400)):
    """Texture of objects up to 40 pixels wide, bright ones among dark, alike all over."""
    import cv2

    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(size=shape), (0, 0), s) * s for s in (1, 3, 8)]
    return np.exp(0.5 * sum(layer / layer.std() for layer in layers) / 3)


def stack_behind(share, frames=8, noise=0.01, top=20000, dtype=np.uint16, scenes=None):
    rng = np.random.default_rng(5)
    scenes = scenes or [structured(i) for i in range(frames)]
    data = [0.2 * scene * share + rng.normal(0, noise / 3, share.shape) for scene in scenes]
    return Stack.wrap(np.clip(np.rint(np.stack(data) * top), 0, 65535).astype(dtype))


def rms(value, share):
    plane = np.ones((*share.shape, 1), np.float32)
    Vignetting(False, value.size, value.model, value.centres, value.parameters).change(
        plane, 0, slice(0, len(share))
    )
    return float(np.sqrt(((plane[..., 0] * share - 1) ** 2).mean()))


def test_the_fall_off_of_a_moving_scene_is_found_within_half_a_percent():
    stack, truth = samples.vignetted(seed=1, shift=25, strength=0.5, size=(400, 400))
    moved = apply_transforms(stack, Transforms(truth["matrices"]))
    assert rms(measure_vignetting(moved), truth["vignette"]) < 0.005


def test_frames_are_registered_where_the_scene_is_said_to_move():
    stack, truth = samples.vignetted(frames=5, shift=25, size=(300, 400))
    assert rms(measure_vignetting(stack, scene="moving"), truth["vignette"]) < 0.005


@pytest.mark.parametrize(("model", "seed"), [("polynomial", 0), ("sigmoid", 1)])
def test_no_vignette_in_nothing_changed(model, seed):
    stack, _ = samples.vignetted(seed=seed, strength=0.0, size=(300, 400))
    change = correct_vignetting(stack, model=model).read(0)[0] - stack.read(0)[0]
    assert np.sqrt((change**2).mean()) < 1e-3 * 4095


def test_no_vignette_in_textures():
    stack = stack_behind(np.ones_like(RADIUS))
    change = correct_vignetting(stack).read(0)[0] - stack.read(0)[0]
    assert np.sqrt((change**2).mean()) < 1e-3 * 20000


def test_textured_scenes_in_a_still_stack():
    share = np.exp(-0.35 * RADIUS**2 - 0.15 * RADIUS**4)
    value = measure_vignetting(stack_behind(share, frames=24))
    assert rms(value, share) < 0.01


def test_the_sigmoid_finds_a_sigmoid():
    share = sigmoid(RADIUS.ravel(), 3.0, 1.0).reshape(RADIUS.shape)
    even = [np.full(share.shape, level) for level in (0.8, 1.0, 1.2, 1.4)]
    value = measure_vignetting(stack_behind(share, scenes=even), model=Sigmoid(r_steps=50))
    assert value.model == "sigmoid"
    assert rms(value, share) < 0.01
    np.testing.assert_allclose(value.parameters[0, 0, :2], [3, 1], atol=0.2)


def test_a_free_centre_is_found():
    away = np.hypot(X - 240, Y - 130) / 250
    share = np.exp(-0.5 * away**2)
    even = [np.full(share.shape, level) for level in (0.8, 1.0, 1.2, 1.4)]
    value = measure_vignetting(stack_behind(share, scenes=even), model=Polynomial(free_centre=True))
    np.testing.assert_allclose(value.centres[0, 0], [240, 130], atol=2)


def test_all_frames_get_the_same_correction():
    rng = np.random.default_rng(0)
    share = np.exp(-0.5 * RADIUS**2)
    stack = stack_behind(share, scenes=[np.full(share.shape, g) for g in rng.uniform(0.5, 2, 6)])
    value = measure_vignetting(stack)
    ones = [value.apply(np.full(share.shape, 99, np.float32), None, i, slice(0, 300))[0]
            for i in range(6)]  # fmt: skip
    for other in ones[1:]:
        np.testing.assert_array_equal(other, ones[0])
    each = measure_vignetting(stack, each_frame=True)
    assert each.parameters.shape == (6, 1, 3)
    assert each.select(np.array([3])).parameters.shape == (1, 1, 3)
    with pytest.raises(ValueError, match="vignetting of 6 frames"):
        apply_vignetting(stack.select([0, 1]), each)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_by_channel(dtype):
    top = {np.uint8: 200, np.uint16: 50000, np.float32: 0.8}[dtype]
    shares = np.exp(-(RADIUS[..., np.newaxis] ** 2) * [0.3, 0.5, 0.7])
    data = np.stack([shares * level for level in (0.7, 0.8, 0.9, 1.0)]) * top
    stack = Stack.wrap(data.astype(dtype), rgb=True)
    value = measure_vignetting(stack, each_channel=True)
    assert value.parameters.shape == (1, 3, 3)
    flat = apply_vignetting(stack, value).read(3)[0]
    assert (flat.std(axis=(0, 1)) / flat.mean(axis=(0, 1)) < 0.01).all()
    joint = correct_vignetting(stack).read(3)[0]
    np.testing.assert_allclose(
        joint[149:151, 199:201], stack.read(3)[0][149:151, 199:201], rtol=1e-2
    )


def test_black_stays_black_and_corrections_are_bounded():
    value = Vignetting(False, (300, 400), "polynomial", [[[199.5, 149.5]]], [[[-9.0, 0, 0]]],
                       black_level=100, black_threshold=120)  # fmt: skip
    frame = np.full((300, 400), 110, np.float32)
    frame[:, ::2] = 200
    out = value.apply(frame.copy(), None, 0, slice(0, 300))[0]
    assert (out[:, 1::2] == 110).all()
    assert out.max() == pytest.approx(100 + 100 * 20)
    half = Vignetting(False, (300, 400), "polynomial", [[[199.5, 149.5]]], [[[-0.7, 0, 0]]],
                      max_correction=0.5)  # fmt: skip
    corner = half.apply(np.ones((300, 400), np.float32), None, 0, slice(0, 300))[0][0, 0]
    assert corner == pytest.approx(1 / (0.5 + 0.5 * np.exp(-0.7)), rel=1e-2)


def test_it_comes_before_a_warp_or_is_refused():
    stack, _ = samples.vignetted(frames=3, size=(60, 80))
    matrices = np.tile(np.eye(3), (3, 1, 1))
    matrices[:, 0, 2] = [-4.5, 0, 7.25]
    value = Vignetting(False, (60, 80), "polynomial", [[[39.5, 29.5]]], [[[-0.5, 0, 0]]])
    moved = apply_transforms(stack, Transforms(matrices), framing="all")
    late = apply_vignetting(moved, value)
    assert [type(c) for c in late.corrections] == [Vignetting, Warp]
    early = apply_transforms(apply_vignetting(stack, value), Transforms(matrices), framing="all")
    np.testing.assert_array_equal(late[0], early[0])
    assert late.shape == moved.shape != stack.shape
    wrong = Vignetting(False, moved.shape[1:3], "polynomial", [[[39.5, 29.5]]], [[[-0.5, 0, 0]]])
    with pytest.raises(ValueError, match="applied before the frames are moved"):
        apply_vignetting(moved, wrong)


def test_files_and_mask_size(tmp_path):
    value = Vignetting(False, (300, 400), "polynomial", [[[199.5, 149.5]]], [[[-0.5, 0, -0.1]]])
    for name in ("v.json", "v.npz"):
        value.save(tmp_path / name)
        assert Vignetting.load(tmp_path / name) == value
    radius = 250 * np.sqrt(-np.log(0.95) / 0.5)
    assert value.mask_size(0.95) == pytest.approx(2 * radius / 300, rel=0.01)
    assert value.share(0) == 1


@pytest.mark.skipif(not DATA.exists(), reason="shared data are not here")
def test_a_camera_without_a_recorded_flat_field():
    import csv

    import napari_stack as ns

    rows = (DATA / "vignette_truth.csv").read_text().splitlines()
    left = []
    for row in csv.DictReader(line for line in rows if not line.startswith("#")):
        frame = np.asarray(ns.read(DATA / row["file"]))[:1]
        y, x = np.indices(frame.shape[1:])
        r = np.hypot(x - float(row["cx"]), y - float(row["cy"]))
        share = 1 + sum(float(row[f"k{i}"]) * r ** (i + 1) for i in range(6))
        with warnings.catch_warnings():  # on single photographs of some bands it is doubtful
            warnings.simplefilter("ignore", UserWarning)
            value = measure_vignetting(Stack.wrap(frame), black_level=4800)
        lit = np.ones((*share.shape, 1), np.float32)
        value = replace(value, black_level=0.0, black_threshold=0.0)
        value.change(lit, 0, slice(0, len(share)))
        rest = lit[..., 0] * share
        left.append((rest.std() / rest.mean()) / (share.std() / share.mean()))
    assert max(left) <= 1  # no band is made worse
    assert sorted(left)[3] < 0.35  # and four of five keep a third of their fall-off at most


def test_a_still_scene_that_is_brighter_in_its_middle_is_told_of():
    from skimage.data import rocket

    stack = Stack.wrap(rocket()[np.newaxis])
    with pytest.warns(UserWarning, match=r"seems to fall off by \d+% .* a scene that is brighter"):
        measure_vignetting(stack)


def test_how_far_frames_move_counts_what_no_matrix_tells():
    rows = np.zeros((3, 60, 2))
    rows[1], rows[2] = (30.0, 0.0), (500.0, 0.0)
    moves = ns.Transforms(
        np.tile(np.eye(3), (3, 1, 1)), failed=np.array([False, False, True]),
        deformation=ns.Deformation(None, None, rows),
    )  # fmt: skip
    assert reach(moves, (60, 80)) == pytest.approx(0.3)
    assert reach(ns.Transforms(moves.matrices), (60, 80)) == 0
