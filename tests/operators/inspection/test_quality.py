"""Quality of frames and their selection, in series whose bad frames are known."""

import csv
import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from napari_stack.cli import main
from napari_stack.core.errors import UserError
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import (
    FrameQuality,
    Transforms,
    WeightedMean,
    apply_transforms,
    combine,
    measure_quality,
    quality_table,
    select_frames,
)
from napari_stack.operators.combine.measures.frame_likeness import Sample, repeats, sample_of
from napari_stack.operators.combine.measures.frame_measures import measure_frame
from napari_stack.operators.inspection.frame_table import FrameTable
from napari_stack.operators.inspection.quality import read_selection

KINDS = ("good", "blurred", "hazy", "trailed", "black", "duplicate")


def scene(points, rng, size=(120, 150)):
    if points:
        image = np.zeros(size)
        image[rng.integers(5, 115, 80), rng.integers(5, 145, 80)] = rng.uniform(3000, 20000, 80)
        return 200 + ndimage.gaussian_filter(image, 1.2)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, size), 1.2)
    return 1000 + 300 * texture / texture.std()


def series(points, dtype=np.float32, seed=0):
    """Good frames of any exposure, and bad ones of five kinds among them."""
    rng = np.random.default_rng(seed)
    clean = scene(points, rng)
    frames, kinds = [], []
    for k in range(24):
        kind = "good" if k % 2 == 0 else KINDS[1 + (k // 2) % 5]
        image = clean
        if kind == "blurred":
            image = ndimage.gaussian_filter(clean, 2.0)
        elif kind == "hazy":
            image = 0.4 * clean + 0.6 * clean.mean() * 1.5
        elif kind == "trailed":
            image = ndimage.uniform_filter1d(clean, 9, axis=k % 4 // 2)
        elif kind == "black":
            image = 0.01 * clean
        image = image * rng.uniform(0.7, 1.4) + rng.normal(0, 8, clean.shape)
        frames.append(frames[-1] if kind == "duplicate" else image)
        kinds.append(kind)
    data = np.clip(frames, 0, None)
    return Stack.wrap(data.astype(dtype)), np.array(kinds)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("points", [True, False])
def test_the_right_half_is_picked_whatever_the_exposure(points, dtype):
    stack, kinds = series(points, dtype)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        chosen = select_frames(stack, select="best 50 %")
    np.testing.assert_array_equal(chosen.used, kinds == "good")
    text = "\n".join(str(one.message) for one in told)
    assert "of 24 frames are left out: they are dark: 7, 17" in text
    assert "are left out: they have the pixels of an earlier frame: 9, 19" in text
    assert "are left out: they are trailed: 5" in text
    reasons = measure_quality(stack).reasons("best 50 %")
    assert [bool(reason) for reason in reasons] == (kinds != "good").tolist()


def test_what_is_measured():
    rng = np.random.default_rng(0)
    clean = scene(True, rng)
    data = np.array(
        [clean + rng.normal(0, 5, clean.shape), 2 * clean + rng.normal(0, 20, clean.shape)]
    )
    found = measure_quality(Stack.wrap(data)).columns
    np.testing.assert_allclose(found["noise"], [5, 20], rtol=0.25)  # details count as noise
    np.testing.assert_allclose(found["fwhm"], 2.355 * np.hypot(1.2, 0.29), rtol=0.15)
    assert (found["roundness"] > 0.85).all()
    assert found["sharpness"][0] == pytest.approx(found["sharpness"][1], rel=0.05)
    np.testing.assert_allclose(found["background"], [200, 400], rtol=0.05)
    flat = measure_quality(Stack.wrap(rng.normal(100, 5, (3, 40, 50))))
    assert np.isnan(flat.columns["fwhm"]).all()
    assert set(flat.faults) == {"are left out: they show no details above their noise"}


def test_thresholds_counts_and_what_is_not_used(tmp_path):
    stack, kinds = series(False)
    stack = replace(stack, used=np.arange(24) != 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        five = select_frames(stack, select="best 5")
        some = select_frames(stack, select="above 0.5")
    assert five.used.sum() == 5
    assert not five.used[0]
    assert (kinds[five.used] == "good").all()
    assert (kinds == "good")[1:][~some.used[1:]].sum() == 0
    assert np.isnan(measure_quality(stack).columns["noise"][0])
    quality_table(stack).save(tmp_path / "quality.csv")
    assert "sharpness" in (tmp_path / "quality.csv").read_text().splitlines()[0]


@pytest.mark.parametrize(
    "select", ["best", "50 %", "best 0", "above 20 %", "best 120 %", "worst 3"]
)
def test_selections_that_cannot_be_read(select):
    with pytest.raises(UserError, match="select must be 'best 50 %', 'best 20'"):
        read_selection(select)


def test_selections_that_leave_nothing_and_cancelling():
    stack, _ = series(False)
    with pytest.raises(UserError, match=r"select='above 99' leaves none of 24 frames"):
        select_frames(stack, select="above 99")

    dim = Stack.wrap(np.random.default_rng(0).normal(100, 5, (3, 40, 50)))
    with pytest.raises(UserError, match=r"all have a fault \(3: they show no details above"):
        select_frames(dim)

    def tick(done, total, what):
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        select_frames(stack, run=Run(tick=tick))


def test_sharp_frames_weigh_more():
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.normal(0, 1, (120, 150)), 2.5)
    clean = 1000 + 300 * texture / texture.std()
    blurred = ndimage.gaussian_filter(clean, 3)
    data = np.array([clean, blurred, clean, blurred]) + rng.normal(0, 3, (4, *clean.shape))
    plain = combine(Stack.wrap(data))
    for by in ("sharpness", "both"):
        weighted = combine(Stack.wrap(data), method=WeightedMean(by=by))
        assert np.std(weighted - clean) < 0.5 * np.std(plain - clean)
    assert WeightedMean(by="both") != WeightedMean()
    noise = Stack.wrap(rng.normal(100, 5, (3, 40, 50)))
    with pytest.raises(UserError, match="no frame shows details above its noise"):
        combine(noise, method=WeightedMean(by="sharpness"))


def drifting(count=12, step=0.0, noise=8.0, seed=1):
    """Frames of a texture that drifts along x by whole pixels, with noise of their own."""
    rng = np.random.default_rng(seed)
    wide = scene(False, rng, (120, 260))
    places = np.rint(step * np.arange(count)).astype(int)
    return np.array([wide[:, p : p + 150] + rng.normal(0, noise, (120, 150)) for p in places]), rng


def test_motion_is_how_far_frames_lie_from_one_of_them():
    frames, _ = drifting(8, step=3)
    motion = measure_quality(Stack.wrap(frames)).columns["motion"]
    reference = int(np.argmin(motion))
    np.testing.assert_allclose(motion, 3 * np.abs(np.arange(8) - reference), atol=0.2)
    flat = Stack.wrap(np.random.default_rng(0).normal(100, 5, (4, 60, 70)))
    assert np.isnan(measure_quality(flat).columns["motion"]).sum() >= 3  # but for the reference


@pytest.mark.parametrize("odd", [2, 5])
def test_a_registered_frame_that_lies_beside_the_others_is_left_out_with_the_reason(odd):
    frames, _ = drifting(8)
    frames[odd] = np.roll(1.1 * frames[odd], 7, axis=1)  # it has most details
    still = Transforms(np.tile(np.eye(3), (8, 1, 1)))
    registered = apply_transforms(Stack.wrap(frames), still)
    faults = measure_quality(registered).faults
    assert faults[odd] == "are left out: they lie more than 2 px beside the others"
    assert not any(faults[:odd] + faults[odd + 1 :])
    assert not any(measure_quality(Stack.wrap(frames)).faults)  # not registered: it may move


@pytest.mark.parametrize("step", [0, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_repeated_frames_are_told_also_where_they_were_compressed_again(step, dtype):
    frames, rng = drifting(12, step, noise=40.0)
    frames = frames / 8 if dtype == np.uint8 else frames
    for k in (4, 7, 8):
        frames[k] = frames[k - 1] + rng.normal(0, 0.5, frames[k].shape)
    faults = measure_quality(Stack.wrap(np.clip(frames, 0, 255 if dtype == np.uint8 else None)
                                        .astype(dtype))).faults  # fmt: skip
    again = "are left out: they are nearly the same as an earlier frame"
    assert [k for k, fault in enumerate(faults) if fault == again] == [4, 7, 8]
    assert not any(fault for k, fault in enumerate(faults) if k not in (4, 7, 8))


def test_frames_that_stand_still_and_have_hardly_any_noise_are_not_taken_for_repeated_ones():
    frames, _ = drifting(10, noise=0.3)
    for dtype in (np.float32, np.uint16):
        assert not any(measure_quality(Stack.wrap(frames.astype(dtype))).faults)


def test_a_table_comes_out_of_the_command_line_with_what_is_wrong_in_words(tmp_path, capsys):
    frames, _ = drifting(8)
    frames[3], frames[6] = frames[2], 0.01 * frames[6]
    tifffile.imwrite(tmp_path / "frames.tif", frames.astype(np.uint16))
    target = tmp_path / "quality.csv"
    assert main(["measure-quality", str(tmp_path / "frames.tif"), "-o", str(target)]) == 0
    lines = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [line["fault"] for line in lines] == [
        "they are dark" if k == 6 else "they have the pixels of an earlier frame" if k == 3 else ""
        for k in range(8)
    ]
    assert float(lines[0]["sharpness"]) > 0
    told = capsys.readouterr().out
    assert "measure_quality: 6 of 8 frames without a fault" in told
    assert "1 of 8 frames are dark: " in told
    with pytest.raises(UserError, match=r"a table of frames is written as \.csv"):
        measure_quality(Stack.wrap(frames)).save(tmp_path / "quality.txt")


def test_what_is_kept_of_a_frame_does_not_keep_the_frame():
    grey = np.zeros((200, 300), np.float32)
    sample = sample_of(grey)
    assert sample.pixels.base is None
    assert sample.sums.base is None
    assert sample.pixels.nbytes + sample.sums.nbytes < 2000


def test_a_frame_is_told_that_repeats_one_long_before():
    frames, rng = drifting(14, 2, noise=40.0)
    frames[11] = frames[2] + rng.normal(0, 0.5, frames[2].shape)
    faults = measure_quality(Stack.wrap(frames.astype(np.float32))).faults
    again = "are left out: they are nearly the same as an earlier frame"
    assert [fault == again for fault in faults] == [k == 11 for k in range(14)]


def test_what_changes_slowly_is_no_chain_of_repeated_frames():
    rng = np.random.default_rng(4)
    fast, slow = rng.normal(0, 100, (6, 20, 30)), rng.normal(0, 1, (20, 30))
    samples = [sample_of(frame) for frame in [*fast, *(0.1 * k * slow for k in range(9))]]
    limit = 0.25 * np.sqrt(2)  # for a noise of 1: three steps and a half
    length = np.linalg.norm(sample_of(slow).sums)
    apart = int(limit / (0.1 * length))
    again = repeats(samples, np.ones(15))
    assert [k - 6 for k in np.flatnonzero(~again)] == [*range(-6, 0), *range(0, 9, apart + 1)]
    assert again.any()
    huge = Sample(np.zeros(4, np.float32), np.full(32, np.nan))
    assert not repeats([huge, huge], np.ones(2)).any()


def test_where_only_something_small_moved_frames_without_noise_are_not_repeated_ones():
    rng = np.random.default_rng(3)
    wide = scene(False, rng, (120, 260))
    frames = np.array([wide[:, p : p + 150] for p in (0, 9, 20, 20, 33, 41, 41, 60)])
    frames[2, 30:36, 40:50] += 1500  # moves by its own length while all else stands still
    frames[3, 30:36, 55:65] += 1500
    faults = measure_quality(Stack.wrap(frames.astype(np.float32))).faults
    assert not any(faults[:6] + faults[7:])
    assert faults[6] == "are left out: they have the pixels of an earlier frame"


def test_each_frame_is_read_once():
    frames, _ = drifting(9)
    read = []

    class Counting(ArraySource):
        def pixels(self, index, rows=None):
            read.append(index)
            return super().pixels(index, rows)

    measure_quality(replace(Stack.wrap(frames), source=Counting(frames)), run=Run(workers=1))
    one = Counting(frames)
    read_by_one = len(read)
    read.clear()
    measure_frame(replace(Stack.wrap(frames), source=one), 0)
    assert read_by_one == 9 * len(read)


def test_tables_without_names_number_the_frames():
    columns = {"sharpness": np.array([1.0, 2.0])}
    quality = FrameQuality(columns, ("", "are left out: they are dark"), np.ones(2, bool))
    assert quality.to_csv().splitlines()[1:] == ["0,frame 0,1,1,", "1,frame 1,1,2,they are dark"]
    table = FrameTable(columns, np.ones(2, bool), np.zeros(2, bool))
    assert table.to_csv().splitlines()[2] == "1,frame 1,1,0,2"
