"""`measure_bleaching`, `correct_bleaching`: known decays."""

from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import (
    Bleaching,
    apply_bleaching,
    correct_bleaching,
    measure_bleaching,
)

DATA = Path(__file__).parents[3] / "../shared/data/flat_field/timelapse_nanog.npz"
SCENE = np.random.default_rng(0).gamma(2.0, 300, (90, 120)).clip(0, 3500)
TIME = np.arange(20)
DECAY = 0.6 * np.exp(-TIME / 8) + 0.4


def fading(dtype="uint16", background=0.0, channels=()):
    scene = SCENE if not channels else np.stack([SCENE, SCENE * 0.5, SCENE * 0.3], -1)
    data = scene * DECAY.reshape(-1, 1, 1, *[1] * len(channels)) + background
    return Stack.wrap(data.astype(dtype) if dtype == "float32" else np.rint(data).astype(dtype))


@pytest.mark.parametrize("method", ["ratio", "exponential", "histogram"])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_known_decay_is_undone(method, dtype, channels):
    stack = fading(dtype, channels=channels)
    seen = correct_bleaching(stack, method=method)
    means = np.array([seen.read(i)[0].mean() for i in TIME])
    np.testing.assert_allclose(means, means[0], rtol=2e-3)
    error = np.abs(seen.read(19)[0] - stack.read(0)[0]).mean() / stack.read(0)[0].mean()
    assert error < 0.004
    assert seen[3].dtype == dtype


def test_the_curve_is_found():
    value = measure_bleaching(fading("float32"))
    np.testing.assert_allclose(value.fitted[:, 0] / value.fitted[0, 0], DECAY, rtol=1e-4)
    np.testing.assert_allclose(value.decay[0] / value.decay[0].sum() * [1, 0, 1], [0.6, 0, 0.4],
                               atol=0.05)  # fmt: skip
    assert value.decay[0, 1] == pytest.approx(1 / 8, rel=1e-2)


def test_a_fit_leaves_a_flash_where_a_ratio_removes_it():
    data = np.asarray(fading("float32")).copy()
    data[7] *= 1.5
    stack = Stack.wrap(data)
    fitted = correct_bleaching(stack).read(7)[0].mean() / data[0].mean()
    ratio = correct_bleaching(stack, method="ratio").read(7)[0].mean() / data[0].mean()
    assert fitted == pytest.approx(1.5, rel=0.02)
    assert ratio == pytest.approx(1, rel=1e-3)


def test_the_background_does_not_fade():
    stack = fading("float32", background=500.0)
    value = measure_bleaching(stack, background=500.0)
    np.testing.assert_allclose(apply_bleaching(stack, value).read(19)[0], stack[0], rtol=2e-3)
    with pytest.raises(ValueError, match="frame 0 is not brighter than the background 9999"):
        measure_bleaching(stack, background=9999.0)


def test_channels_fade_by_themselves():
    data = np.asarray(fading("float32", channels=(3,))).copy()
    data[..., 1] *= np.linspace(1, 0.5, 20).reshape(-1, 1, 1)
    value = measure_bleaching(Stack.wrap(data), each_channel=True, method="ratio")
    assert value.gains.shape == (20, 3)
    np.testing.assert_allclose(Stack.wrap(data).corrected(value).read(19)[0], data[0], rtol=1e-3)


def test_what_does_not_fade_is_left_alone():
    data = np.stack([SCENE * g for g in (1.0, 1.2, 1.1, 1.3)]).astype(np.float32)
    assert (measure_bleaching(Stack.wrap(data)).gains == 1).all()


def test_files_selection_and_other_stacks(tmp_path):
    for method in ("exponential", "histogram"):
        value = measure_bleaching(fading(), method=method)
        for name in ("b.json", "b.npz"):
            value.save(tmp_path / f"{method}{name}")
            assert Bleaching.load(tmp_path / f"{method}{name}") == value
        chosen = value.select(np.array([4, 2]))
        np.testing.assert_array_equal(chosen.gains, value.gains[[4, 2]])
        assert len(chosen.join([chosen])) == 4
    with pytest.raises(ValueError, match="bleaching of 20 frames"):
        apply_bleaching(fading().select([0, 1]), value)


def test_it_stops_when_cancelled():
    def tick(done, total, what):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        correct_bleaching(fading(), run=Run(tick=tick))


@pytest.mark.skipif(not DATA.exists(), reason="shared data are not here")
def test_a_recorded_series():
    stack = Stack.wrap(np.load(DATA, allow_pickle=False)["images"])
    value = measure_bleaching(stack)
    assert np.isfinite(value.gains).all()
    assert value.gains[0] == 1
