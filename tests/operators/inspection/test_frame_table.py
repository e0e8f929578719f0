"""Tables of frames."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators.inspection.frame_table import (
    frame_table,
    measure_sharpness,
)


def rays(n=9, dtype=np.uint16, size=(12, 14), channels=()):
    random = np.random.default_rng(5)
    data = random.normal(500, 20, (n, *size, *channels))
    data[random.random(data.shape) < 0.06] += 900
    return data.astype(dtype)


def test_the_table_tells_what_the_corrections_hold(tmp_path):
    shifts = np.tile(np.eye(3), (4, 1, 1))
    shifts[:, 0, 2] = [0, 2, 4, 6]
    shifts[:, 1, 2] = [0, -1, 0, 1]
    transforms = ns.Transforms(
        shifts, np.array([1, 0.9, 0.8, 0.0]), np.array([False, False, False, True]), (20, 30),
        (0.5, 0.5, "micrometer"),
    )  # fmt: skip
    stack = ns.apply_transforms(Stack.wrap(np.ones((4, 20, 30), np.uint16)), transforms)
    stack = ns.apply_gains(stack, ns.Gains(gains=[[1.0], [1.1], [0.9], [1.0]]))
    table = frame_table(stack, {"sharpness": [1, 2, 3, np.nan]})
    np.testing.assert_allclose(table.columns["shift x (micrometer)"], [0, 1, 2, 3])
    np.testing.assert_allclose(table.columns["shift y (micrometer)"], [0, -0.5, 0, 0.5])
    np.testing.assert_allclose(table.columns["rotation (degrees)"], 0)
    np.testing.assert_allclose(table.columns["scale"], 1)
    np.testing.assert_allclose(table.columns["gain"], [1.0, 1.1, 0.9, 1.0])
    assert [table.state(i) for i in range(4)] == ["", "", "", "failed"]
    table.save(tmp_path / "frames.csv")
    lines = (tmp_path / "frames.csv").read_text().splitlines()
    assert lines[0].startswith("frame,name,used,failed,shift x (micrometer),")
    assert lines[4].startswith("3,frame 3,0,1,3,0.5,0,1,0,1,nan")
    with pytest.raises(FileExistsError):
        table.save(tmp_path / "frames.csv")
    with pytest.raises(ValueError, match=r"written as \.csv"):
        table.save(tmp_path / "frames.xls")


def test_the_table_tells_how_sure_the_shifts_are():
    covariance = np.zeros((3, 8, 8))
    covariance[:, 2, 2], covariance[:, 5, 5] = [0, 4e-4, 1], [0, 1e-4, 1]
    failed = np.array([False, False, True])
    transforms = ns.Transforms(
        np.tile(np.eye(3), (3, 1, 1)), None, failed, (20, 30), (0.5, 0.25, "micrometer"), 0,
        covariance,
    )  # fmt: skip
    frames = Stack.wrap(np.ones((3, 20, 30), np.uint16))
    table = frame_table(ns.apply_transforms(frames, transforms, failed="keep"))
    np.testing.assert_allclose(table.columns["dx_sigma (micrometer)"], [0, 0.01, np.nan])
    np.testing.assert_allclose(table.columns["dy_sigma (micrometer)"], [0, 0.0025, np.nan])
    assert ",dx_sigma (micrometer),dy_sigma (micrometer)," in table.to_csv().splitlines()[0]


def test_gains_of_channels_have_a_column_each():
    stack = ns.apply_gains(
        Stack.wrap(np.ones((2, 4, 5, 3), np.uint8)),
        ns.Gains(gains=[[1, 1, 1], [2, 1, 0.5]], channels="rgb"),
    )
    assert list(frame_table(stack).columns) == ["gain 0", "gain 1", "gain 2"]


def test_the_sharpest_frame_is_found():
    stack, _ = samples.drifting_cells(3, (64, 72), shift=0, rotation=0, scale=0)
    frames = np.asarray(stack).astype(np.float32)
    frames[1] = (frames[1] + np.roll(frames[1], 1, 0) + np.roll(frames[1], -1, 0)) / 3
    frames[2] = frames.mean()
    sharpness = measure_sharpness(Stack.wrap(frames))
    assert np.argsort(sharpness).tolist() == [2, 1, 0]

    def tick(done, total, what):
        raise Cancelled

    with pytest.raises(Cancelled):
        measure_sharpness(Stack.wrap(frames), run=Run(tick=tick))


def test_the_table_tells_which_frames_are_bent():
    rows = np.zeros((3, 20, 2))
    rows[1, 5] = [0.5, -1.5]
    transforms = ns.Transforms(
        np.tile(np.eye(3), (3, 1, 1)), deformation=ns.Deformation(None, None, rows)
    )
    frames = Stack.wrap(np.ones((3, 20, 30), np.uint16))
    table = frame_table(ns.apply_transforms(frames, transforms))
    np.testing.assert_allclose(table.columns["deformation (px)"], [0, np.hypot(0.5, 1.5), 0])
