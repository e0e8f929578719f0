"""What a look at frames shows."""

import numpy as np
import pytest
from PIL import Image

import napari_stack as ns
from napari_stack import samples
from napari_stack.recipe.planning import guess, look_at


@pytest.mark.parametrize(
    ("sample", "sizes", "kind"),
    [
        (samples.focus_series, (7, (128, 160)), "focus series"),
        (samples.drifting_cells, (12, (128, 160)), "burst"),
        (samples.bleaching, (12, (128, 160)), "time-lapse"),
        (samples.hyperstack, (3, 4, (64, 80)), "volume over time"),
    ],
)
def test_samples(sample, sizes, kind):
    facts = look_at(sample(*sizes)[0])
    assert guess(facts).kind == kind
    assert facts.seen.hot == 0
    assert facts.seen.frames == min(facts.sizes[facts.axis("t") or next(iter(facts.sizes))], 9)


def test_hot_pixels_and_brightness():
    hot = look_at(samples.hot_pixels(6, (128, 160))[0]).seen
    assert hot.hot > 50
    assert look_at(samples.flickering(6, (128, 160))[0]).seen.flicker > 0.1
    fades = look_at(samples.bleaching(12, (128, 160))[0]).seen
    assert fades.fading
    assert fades.flicker > 0.1


def test_corners():
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    frame = 1000 - 250 * (x**2 + y**2)
    assert look_at(ns.Stack.wrap(np.stack([frame] * 3))).seen.corners == pytest.approx(0.6, abs=0.1)


def test_the_clearest_channel(noise):
    frames = np.asarray(samples.drifting_cells(3, (64, 80))[0]).astype(np.float32)
    empty = noise(3, 64, 80, dtype="float32") * frames.std()
    data = np.stack([empty, frames], axis=1)
    assert look_at(ns.Hyperstack.wrap(data, axes="tcyx")).channel == 1
    assert look_at(ns.Hyperstack.wrap(data[:, ::-1], axes="tcyx")).channel == 0


@pytest.mark.parametrize(
    ("axis", "spaced"),
    [
        (ns.Axis("z", 0.5, "um"), True),
        (ns.Axis("z"), False),
        (ns.Axis("t", 2.0, "second"), False),
        (ns.Axis("z", 1.0, "um", positions=(0.0, 2.0, 1.0)), False),
    ],
)
def test_whether_the_distance_of_planes_is_known(axis, spaced, noise):
    stack = ns.Stack.wrap(noise(3, 32, 32), axes=(axis, ns.Axis("y"), ns.Axis("x")))
    assert look_at(stack).spaced is spaced


def test_photographs(tmp_path, noise):
    image = Image.fromarray(noise(48, 64, 3, dtype="uint8"))
    folder = tmp_path / "night"
    folder.mkdir()
    for number in range(4):
        exif = Image.Exif()
        exif[272] = "X100"
        exif.get_ifd(0x8769)[36867] = f"2024:05:01 10:00:{5 * number:02d}"
        image.save(folder / f"IMG_{number}.jpg", exif=exif)
    facts = look_at(ns.read(folder))
    assert (facts.camera, facts.interval, facts.rgb) == ("X100", 5.0, True)
    assert facts.photographs
    assert guess(facts).kind == "time-lapse"


def test_words_of_names(tmp_path, noise):
    for number in range(3):
        ns.write(tmp_path / f"tile_{number}.tif", noise(16, 16))
    facts = look_at(ns.read([str(path) for path in sorted(tmp_path.glob("*.tif"))]))
    assert "tile" in facts.words


@pytest.mark.parametrize("size", [1, 2, 5])
def test_tiny_and_empty_frames(size):
    facts = look_at(ns.Stack.wrap(np.zeros((3, size, size), np.uint8)))
    assert facts.seen.alike == 1.0
    assert facts.seen.corners == 1.0
    assert look_at(ns.Stack.wrap(np.full((3, size, size), np.nan, np.float32))).seen.hot == 0


def test_progress_is_told():
    told = []
    look_at(ns.Stack.wrap(np.zeros((3, 8, 8))), ns.Run(tick=lambda *now: told.append(now)))
    assert told == [(n, 3, "Looking at frames") for n in range(3)]


@pytest.mark.parametrize(
    ("files", "kind"),
    [("focus_pcb/*.jpg", "focus series"), ("handheld_burst/*.jpg", "burst")],
)
def test_photographs_of_others(shared_data, files, kind):
    paths = sorted(shared_data.glob(files))[:5]
    facts = look_at(ns.read(paths))
    assert guess(facts).kind == kind
    assert facts.seen.hot == 0
