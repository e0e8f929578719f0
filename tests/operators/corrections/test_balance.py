"""`measure_gains`, `balance`: gains, gammas and histograms of known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_stack as ns
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import Gains, apply_gains, balance, measure_gains
from napari_stack.operators.corrections.balance import clipping

RNG = np.random.default_rng(0)
SCENE = RNG.gamma(2.0, 0.12, (200, 260))
TOPS = {"uint8": 255, "uint16": 4095, "float32": 1.0}


def frames_of(scenes, dtype):
    data = np.stack(scenes) * TOPS[dtype]
    return Stack.wrap((np.rint(data) if dtype != "float32" else data).astype(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_gains_are_recovered(dtype):
    truth = np.array([0.7, 0.9, 1.0, 1.3, 1.1])
    scene = np.clip(SCENE, 0, 0.7)
    stack = frames_of([scene * g for g in truth], dtype)
    gains = measure_gains(stack)
    np.testing.assert_allclose(gains.gains[:, 0], 1 / truth, rtol=1e-3)
    means = [stack.corrected(gains).read(i)[0].mean() for i in range(5)]
    np.testing.assert_allclose(means, means[2], rtol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_gammas_are_recovered(dtype):
    truth = np.array([0.8, 1.0, 1.25])
    scene = np.clip(SCENE, 0.02, 0.97)
    stack = frames_of([scene ** (1 / g) for g in truth], dtype)
    gains = measure_gains(stack, mapping="gamma", reference=1)
    assert gains.top == pytest.approx(TOPS[dtype] if dtype != "float32" else 1)
    np.testing.assert_allclose(gains.gains[:, 0], 1 / truth, rtol=1e-3)
    seen = apply_gains(stack, gains)
    worst = np.abs(seen.read(0)[0] - stack.read(1)[0]).max() / TOPS[dtype]
    assert worst < (0.02 if dtype == "uint8" else 2e-3)


@pytest.mark.parametrize("bits", [12, 14, 16])
def test_full_brightness_is_that_of_the_data_not_of_the_type(bits):
    top = 2**bits - 1
    scene = np.clip(SCENE, 0, 0.99)
    scene[0, 0] = 1
    data = np.rint(np.stack([scene**0.7, scene, scene**1.4]) * top).astype(np.uint16)
    gains = measure_gains(Stack.wrap(data), mapping="gamma")
    assert gains.top == top
    np.testing.assert_allclose(gains.gains[:, 0], [0.7, 1, 1.4], rtol=2e-3)


def test_matched_histograms_agree_to_a_grey_level():
    scene = np.clip(SCENE, 0, 1)
    stack = frames_of([np.sqrt(scene) * 0.8, scene, 0.1 + 0.5 * scene], "uint16")
    seen = balance(stack, mapping="match_histogram", subsample=1)
    for i in (0, 2):
        difference = np.sort(seen.read(i)[0], axis=None) - np.sort(stack.read(1)[0], axis=None)
        assert np.abs(difference[:-100]).mean() < 1.0  # grey levels of 4096, not of 256
    np.testing.assert_allclose(seen.read(1)[0], stack.read(1)[0], atol=1e-3)


def test_every_channel_has_a_gain_of_its_own():
    colours = np.stack([SCENE, SCENE * 0.7, SCENE * 0.5], -1).clip(0, 0.6)
    truth = np.array([[1.2, 0.8, 1.0], [1, 1, 1], [0.7, 1.1, 0.9]])
    stack = frames_of([colours * g for g in truth], "uint16")
    gains = measure_gains(stack, channels="rgb")
    np.testing.assert_allclose(gains.gains, 1 / truth, rtol=1e-3)
    balanced = apply_gains(stack, gains)
    np.testing.assert_allclose(balanced.read(0)[0], stack.read(1)[0], atol=3)


@pytest.mark.parametrize("channels", ["hsv", "hls", "lab"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_brightness_and_saturation_of_colours(channels, dtype):
    colours = np.stack([SCENE, SCENE * 0.8, SCENE * 0.6], -1).clip(0, 0.6)
    colours[0, 0] = 1  # full brightness is seen in every frame
    dark = colours * 0.7
    dark[0, 0] = 1
    stack = frames_of([dark, colours], dtype)
    balanced = balance(stack, channels=channels, reference="last", subsample=1)
    before = np.abs(stack.read(0)[0] - stack.read(1)[0]).mean()
    after = np.abs(balanced.read(0)[0] - stack.read(1)[0]).mean()
    assert after < before * (0.06 if channels != "lab" else 0.5)
    same = np.abs(balanced.read(1)[0] - stack.read(1)[0]).max()
    assert same < 4e-3 * TOPS[dtype]


def test_alpha_is_left_alone():
    colours = np.full((2, 30, 40, 4), 100, np.uint8)
    colours[..., 3] = 255
    colours[1, ..., :3] = 50
    stack = Stack.wrap(colours, rgb=True)
    seen = np.asarray(balance(stack, reference="first"))
    assert (seen[..., 3] == 255).all()
    assert (seen[..., :3] == 100).all()


def test_mask_and_interval_leave_out_what_is_not_to_count():
    data = np.full((2, 100, 140), 1000, np.uint16)
    data[1] = 500
    data[1, :20] = 4000  # beyond the disc
    data[1, 45:50, 60:70] = 30000  # beyond the interval
    stack = Stack.wrap(data)
    options = {"mask_size": 0.5, "intensity_max": 20000, "reference": "first", "subsample": 1}
    assert measure_gains(stack, **options).gains[1, 0] == 2
    with pytest.raises(ValueError, match="no pixel in the mask and the intensity interval"):
        measure_gains(stack, intensity_min=1e6)


def test_clipped_pixels_are_counted_and_reported():
    data = np.full((2, 60, 80), 200, np.uint8)
    data[1] = 100
    data[1, :6] = 180
    with pytest.warns(UserWarning, match="balancing clips 480 pixels in 1 frames, most in frame 1"):
        gains = measure_gains(Stack.wrap(data), reference="first", intensity_max=250, subsample=1)
    assert gains.clipped.tolist() == [0, 480]
    assert Stack.wrap(data).corrected(gains)[1].max() == 255


@pytest.mark.parametrize(
    ("channels", "mapping", "dtype"),
    [
        ("luminosity", "linear", "uint8"),
        ("rgb", "match_histogram", "uint16"),
        ("hsv", "linear", "uint8"),
        ("hls", "linear", "uint8"),
        ("hls", "linear", "float32"),
        ("lab", "linear", "uint16"),
    ],
)
def test_clipped_pixels_are_counted_whatever_is_balanced(channels, mapping, dtype):
    top = TOPS[dtype] if dtype == "float32" else np.iinfo(dtype).max
    grey = np.full((2, 60, 80, 3), 0.7)
    grey[1] = 0.35
    grey[1, :2, :1] = 0.9  # no brighter than full, but it will be
    grey[:, -1, -1] = 1  # full brightness is seen
    data = grey * top if dtype == "float32" else np.rint(grey * top)
    stack = Stack.wrap(data.astype(dtype), rgb=True)
    gains = measure_gains(
        stack, channels=channels, mapping=mapping, reference="first", subsample=1,
        intensity_max=0.95 * top,
    )  # fmt: skip
    matched = mapping == "match_histogram"  # it sends the brightest to the brightest
    assert gains.clipped.tolist() == [0, 0 if matched else 2]
    told = clipping(apply_gains(stack, gains))
    assert told.startswith("" if matched else "balancing clips 2 pixels in 1 frames, most in frame")
    assert bool(told) != matched
    assert clipping(stack) == ""


def test_a_gamma_clips_nothing():
    stack = frames_of([SCENE.clip(0, 1), SCENE.clip(0, 1) ** 2], "uint16")
    assert not measure_gains(stack, mapping="gamma", subsample=1).clipped.any()


@given(gain=st.floats(0.3, 1.6))
@settings(max_examples=20, deadline=None)
def test_a_gain_then_balance_gives_back_the_frame(gain):
    scene = (SCENE * 0.4).astype(np.float32)
    stack = Stack.wrap(np.stack([scene, scene * np.float32(gain)]))
    np.testing.assert_allclose(balance(stack, reference="first").read(1)[0], scene, rtol=1e-3)


def test_random_gains_frame_by_frame_come_back_flat():
    rng = np.random.default_rng(3)
    truth = rng.uniform(0.5, 1.5, 12)
    stack = frames_of([SCENE.clip(0, 0.6) * g + rng.normal(0, 1e-4, SCENE.shape) for g in truth],
                      "float32")  # fmt: skip
    means = np.array([frame.mean() for frame in np.asarray(balance(stack, subsample=1))])
    assert np.ptp(means) / means.mean() < 1e-3


def test_files_selection_and_other_stacks(tmp_path):
    stack = frames_of([SCENE * 0.5, SCENE, SCENE * 0.8], "uint16")
    for mapping in ("linear", "match_histogram"):
        gains = measure_gains(stack, mapping=mapping)
        for name in ("gains.json", "gains.npz"):
            gains.save(tmp_path / f"{mapping}{name}")
            assert Gains.load(tmp_path / f"{mapping}{name}") == gains
        chosen = gains.select(np.array([2, 0]))
        np.testing.assert_array_equal(chosen.join([gains]).gains[:3], gains.gains[[2, 0, 0]])
    with pytest.raises(ValueError, match="gains of 3 frames do not fit a stack of 2 frames"):
        apply_gains(stack.select([0, 1]), gains)
    with pytest.raises(ValueError, match="read-only"):
        gains.gains[0] = 2
    with pytest.raises(FileExistsError):
        gains.save(tmp_path / "lineargains.json")
    other = ns.Vignetting(False, (1, 1), "polynomial", [[[0, 0]]], [[[0, 0, 0]]])
    other.save(tmp_path / "other.json")
    with pytest.raises(ValueError, match="holds no gains"):
        Gains.load(tmp_path / "other.json")


def test_it_stops_when_cancelled_and_says_what_is_wrong():
    stack = frames_of([SCENE] * 6, "uint8")

    def tick(done, total, what):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_gains(stack, run=Run(tick=tick))
    with pytest.raises(ValueError, match="needs colours; the frames are grey"):
        balance(stack, channels="hsv")
    with pytest.raises(ValueError, match="channels must be 'luminosity' or"):
        balance(stack, channels="cmyk")


def test_balanced_bands_equal_the_whole():
    stack = balance(frames_of([SCENE * 0.5, SCENE], "uint16"), mapping="gamma")
    whole = stack.read(0)[0]
    for rows in (slice(0, 13), slice(50, 200)):
        np.testing.assert_array_equal(stack.read(0, rows)[0], whole[rows])
    image = ns.sigma_clip(stack.select([0, 1] * 6), run=Run(memory=2**20)).image
    assert image.shape == SCENE.shape
