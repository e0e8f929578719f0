"""`measure_flat_field`, `correct_flat_field`: recorded and estimated, against known shading."""

from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.operators import (
    FlatField,
    Transforms,
    apply_flat_field,
    apply_transforms,
    correct_flat_field,
    measure_flat_field,
)
from napari_stack.operators.geometry.warp import Warp

DATA = Path(__file__).parents[3] / "../shared/data/flat_field"
Y, X = np.mgrid[:120, :160]
SHADE = 1 - 0.4 * ((X - 60) / 160) ** 2 - 0.3 * ((Y - 70) / 120) ** 2 + 0.1 * X / 160
SHADE = SHADE / SHADE.mean()


def scenes(frames=40, seed=0, shade=SHADE):
    """Sparse bright blobs elsewhere in every frame over an even background."""
    rng = np.random.default_rng(seed)
    data = np.full((frames, 120, 160), 400.0)
    for frame in data:
        for y, x, r in zip(
            rng.uniform(-20, 140, 12), rng.uniform(-20, 180, 12), rng.uniform(3, 9, 12), strict=True
        ):
            frame += 900 * np.exp(-((Y - y) ** 2 + (X - x) ** 2) / (2 * r * r))
        frame *= rng.uniform(0.8, 1.2)
    return data * shade + rng.normal(0, 3, data.shape)


def coarse_shading(frames, width=8):
    """Spread of the coarse pattern that frames, each divided by its mean, have in common."""
    import cv2

    frames = np.asarray(frames, np.float64)
    middle = np.median(frames / frames.mean(axis=(1, 2), keepdims=True), axis=0)
    smooth = cv2.GaussianBlur(middle, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return smooth.std() / smooth.mean()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_recorded_flat_and_dark_give_back_the_scene(dtype, channels):
    rng = np.random.default_rng(0)
    shape = (120, 160, *channels)
    shade = SHADE[..., np.newaxis] if channels else SHADE
    dark = rng.uniform(5, 9, shape).astype(np.float32)
    scene = rng.uniform(60, 120, shape)
    stack = Stack.wrap((np.stack([scene, scene / 2]) * shade + dark).astype(dtype))
    corrected = correct_flat_field(stack, flat=150 * shade + dark, dark=dark)
    step = 1.5 if dtype != np.float32 else 1e-3
    np.testing.assert_allclose(corrected.read(0)[0], scene, atol=step)
    assert corrected[0].dtype == dtype


def test_several_recordings_are_averaged_and_read_from_files(tmp_path):
    rng = np.random.default_rng(1)
    flats = np.rint(rng.normal(20000 * SHADE + 100, 50, (9, 120, 160))).astype(np.uint16)
    darks = np.rint(rng.normal(100, 5, (9, 120, 160))).astype(np.uint16)
    ns.write(tmp_path / "flats.tif", Stack.wrap(flats))
    ns.write(tmp_path / "darks.tif", Stack.wrap(darks))
    stack = Stack.wrap(np.stack([1000 * SHADE + 100] * 2).astype(np.float32))
    values = [
        measure_flat_field(stack, flat=flats, dark=darks),
        measure_flat_field(stack, flat=tmp_path / "flats.tif", dark=str(tmp_path / "darks.tif")),
    ]
    assert values[0] == values[1]
    seen = apply_flat_field(stack, values[0])[0]
    assert seen.std() / seen.mean() < 0.004


def test_a_smooth_flat_is_estimated_from_scenes():
    stack = Stack.wrap(np.rint(scenes()).astype(np.uint16))
    value = measure_flat_field(stack)
    ratio = SHADE * value.gain
    assert ratio.std() / ratio.mean() < 0.01
    even = measure_flat_field(Stack.wrap(scenes(shade=1.0))).gain
    assert even.std() < 0.01


def test_every_channel_has_a_flat_of_its_own():
    shades = np.stack([SHADE, SHADE[::-1], SHADE[:, ::-1]], axis=-1)
    data = np.stack([scenes(seed=k) for k in range(3)], axis=-1) / SHADE[..., np.newaxis] * shades
    value = measure_flat_field(Stack.wrap(data.astype(np.float32)))
    ratio = shades * value.gain
    assert (ratio.std(axis=(0, 1)) / ratio.mean(axis=(0, 1)) < 0.015).all()


def test_it_comes_before_a_warp_and_is_the_same_in_bands():
    stack = Stack.wrap(scenes(4).astype(np.uint16))
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[:, :2, 2] = [[0, 0], [2.5, -3.25], [9, 1], [-4, 4]]
    value = measure_flat_field(stack, flat=SHADE, dark=np.full((120, 160), 0.1))
    moved = apply_flat_field(apply_transforms(stack, Transforms(matrices)), value)
    assert [type(c) for c in moved.corrections] == [FlatField, Warp]
    whole = moved.read(1)[0]
    for rows in (slice(0, 7), slice(60, 120)):
        np.testing.assert_array_equal(moved.read(1, rows)[0], whole[rows])


def test_dead_pixels_and_wrong_images():
    stack = Stack.wrap(np.full((2, 120, 160), 100, np.uint16))
    flat = SHADE.copy()
    flat[3, 3] = 0
    value = measure_flat_field(stack, flat=flat)
    assert value.gain.max() <= 20.0
    assert np.isfinite(value.gain).all()
    with pytest.raises(ValueError, match="the flat is not brighter than the dark"):
        measure_flat_field(stack, flat=SHADE, dark=SHADE + 1)
    with pytest.raises(ValueError, match="a flat of 5 x 5 pixels does not fit frames of 160 x 120"):
        measure_flat_field(stack, flat=np.ones((5, 5)))
    with pytest.raises(ValueError, match="smoothness must be 'auto' or a number in the range"):
        measure_flat_field(stack, smoothness=0.0)


def test_files(tmp_path):
    value = FlatField(False, SHADE, SHADE * 3)
    for name in ("f.npz", "f.json"):
        value.save(tmp_path / name)
        assert FlatField.load(tmp_path / name) == value
    with pytest.raises(ValueError, match="finite"):
        FlatField(False, np.full((3, 3), np.nan))


@pytest.mark.skipif(not DATA.exists(), reason="shared data are not here")
@pytest.mark.parametrize(
    ("name", "most"),
    # What BaSiC (basicpy 2.0) leaves of the held-out frames by the same measure.
    [("wsi_brain", 0.0589), ("timelapse_brightfield", 0.0034), ("timelapse_nanog", 0.0100)],
)
def test_shading_of_frames_that_were_not_seen(name, most):
    images = np.load(DATA / f"{name}.npz", allow_pickle=False)["images"]
    value = measure_flat_field(Stack.wrap(images[::2]))
    assert coarse_shading(images[1::2] * value.gain) <= most


def left(stack, truth, **options):
    """Shading that a flat leaves, as a part of the light."""
    value = measure_flat_field(stack, **options)
    rest = truth["shading"] * value.gain
    return float(rest.std() / rest.mean())


def test_of_few_scenes_no_structure_is_taken_for_light_and_of_many_it_is_smoothed_little():
    stack, truth = samples.shaded(10, (128, 128), dark=0.0)
    assert left(stack, truth) < 0.75 * truth["shading"].std()
    assert left(stack, truth) < 0.7 * left(stack, truth, smoothness=2.0)

    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :120]
    fine = 1 + 0.1 * np.sin(x / 7) * np.cos(y / 9)
    many = Stack.wrap((100 * fine * rng.uniform(0.5, 2, (40, 1, 1))).astype(np.float32))
    assert left(many, {"shading": fine}) < 0.02 * fine.std()


def test_pixels_without_values_do_not_count_as_dark():
    data = scenes(12).astype(np.float32)
    whole = measure_flat_field(Stack.wrap(data)).gain
    holes = data.copy()
    holes[3] = np.nan  # a frame that shows nothing
    holes[:, :20, :30] = np.nan  # what no frame shows
    for k in range(12):
        holes[k, 60:, 13 * k : 13 * k + 20] = np.nan
    found = measure_flat_field(Stack.wrap(holes)).gain
    assert found.max() < 1.1 * whole.max()
    near = np.abs(found / whole - 1)[25:, 35:]
    assert near.max() < 0.05
    nothing = measure_flat_field(Stack.wrap(np.full_like(data[:2], np.nan)))
    assert (nothing.gain == 1).all()
