"""Tables of frames, and one pixel through a stack."""

import warnings

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.axis import Axis
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators.inspection.frame_table import (
    clipped_values,
    frame_table,
    measure_sharpness,
    pixel_values,
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


def test_a_pixel_is_what_the_frames_hold():
    data = rays()
    shifts = np.tile(np.eye(3), (9, 1, 1))
    shifts[:, 0, 2] = np.arange(9) - 4.0
    stack = ns.apply_transforms(Stack.wrap(data), ns.Transforms(shifts))
    found = pixel_values(stack, 3, 1)
    expected = [stack.read(i) for i in range(9)]
    np.testing.assert_array_equal(found.values[:, 0], [values[3, 1] for values, _ in expected])
    valid = [mask is None or mask[3, 1] for _, mask in expected]
    np.testing.assert_array_equal(found.valid, valid)
    assert not found.valid.all()
    assert found.counts.sum() == found.valid.sum()
    with pytest.raises(IndexError, match=r"the pixel \(12, 0\) is outside"):
        pixel_values(stack, 12, 0)


class Rows(ArraySource):
    """Counts the pixels that are read."""

    read_pixels = 0

    def pixels(self, index, rows=None):
        part, valid = super().pixels(index, rows)
        type(self).read_pixels += part.size
        return part, valid


def test_only_the_row_is_read():
    stack = Stack(Rows(rays()), axes=(Axis("t"), Axis("y"), Axis("x")))
    pixel_values(stack, 5, 6)
    assert Rows.read_pixels == 9 * 14


def test_colours_give_their_channels():
    data = rays(channels=(3,))
    found = pixel_values(Stack.wrap(data), 2, 2)
    np.testing.assert_array_equal(found.values, data[:, 2, 2])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    "options",
    [
        {"sigma": 1.8},
        {"sigma": 1.5, "sigma_high": 2.2, "iterations": 1},
        {"centre": "median", "spread": "MAD", "sigma": 3.0},
        {"centre": "median", "spread": "winsorised", "sigma": 2.0},
        {"iterations": 0},
    ],
)
def test_clipped_values_are_those_of_sigma_clip(options, dtype):
    data = rays(dtype=dtype)
    stack = Stack.wrap(data)
    clipped = ns.sigma_clip(stack, dtype="float64", **options)
    for y, x in ((0, 0), (3, 5), (7, 7), (11, 13), (4, 2)):
        pixel = pixel_values(stack, y, x)
        found = clipped_values(pixel.values[:, 0], pixel.counts, options)
        assert found.rejected.sum() == clipped.rejected[y, x]
        assert found.image == pytest.approx(clipped.image[y, x], rel=1e-6)
        kept = data[~found.rejected, y, x]
        assert found.low <= found.centre <= found.high
        if options.get("iterations") is None:  # it went on until nothing more strayed
            assert ((kept >= found.low - 1e-3) & (kept <= found.high + 1e-3)).all()


def test_rejected_frames_are_marked_by_number():
    values = np.array([10, 11, 9, 10, 99, 10, 11, 9, 10], np.uint16)
    counts = np.ones(9, bool)
    assert np.flatnonzero(clipped_values(values, counts, {}).rejected).tolist() == [4]
    counts[4] = False
    found = clipped_values(values, counts, {})
    assert not found.rejected.any()
    assert found.centre == pytest.approx(10.0)
    nothing = clipped_values(values, np.zeros(9, bool), {})
    assert np.isnan([nothing.image, nothing.low]).all()


def test_levels_are_left_to_who_reads_the_values():
    values = np.array([10, 11, 9, 10, 99, 10, 11, 9, 10], np.float32)
    options = {"normalisation": "additive", "details": True, "dtype": "float32"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clipped_values(values, np.ones(9, bool), options).rejected.sum() == 1
