"""Movies: frames, rate, colours, time stamp and scale bar, read back by PyAV and Pillow."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look, ramp
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.files import check_target, write
from napari_stack.files.formats.movie_marks import round_length, stamps
from support.pixels import Noise

PLANE = (Axis("y", 0.5, "um"), Axis("x", 0.5, "um"))


def steps(count: int = 6, dtype: Any = np.uint8) -> Any:
    """Frames that are brighter each, in four fields."""
    frames = np.zeros((count, 48, 64), dtype)
    for number in range(count):
        frames[number, :24] = 20 + 30 * number
        frames[number, :, 32:] += 10
    return frames


def film(path: Path) -> tuple[list[Any], float]:
    """Read frames and rate of a movie by another library."""
    if path.suffix == ".gif":
        with Image.open(path) as image:
            frames = [np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(image)]
            lasts = [one.info["duration"] for one in ImageSequence.Iterator(image)]
        return frames, 1000 * len(lasts) / sum(lasts)
    av = pytest.importorskip("av")
    with av.open(str(path)) as movie:
        frames = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]
        return frames, float(movie.streams.video[0].average_rate)


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
@pytest.mark.parametrize("fps", [1, 7.5, 25])
def test_frames_and_rate(tmp_path: Path, name: str, fps: float) -> None:
    pytest.importorskip("av")
    write(tmp_path / name, Stack.wrap(steps()), fps=fps)
    frames, rate = film(tmp_path / name)
    assert rate == pytest.approx(fps, rel=0.03)
    assert len(frames) == 6
    for frame, expected in zip(frames, steps(), strict=True):
        np.testing.assert_allclose(frame, np.repeat(expected[..., None], 3, 2), atol=4)


@pytest.mark.parametrize("dtype", ["uint16", "float32", "bool", "int32"])
def test_other_types_are_shown_in_their_range(tmp_path: Path, dtype: str) -> None:
    pixels = steps(dtype="int32") * 100 if dtype != "bool" else steps() > 100
    write(tmp_path / "a.gif", Stack.wrap(pixels.astype(dtype)))
    frames, _ = film(tmp_path / "a.gif")
    assert (min(map(np.min, frames)), max(map(np.max, frames))) == (0, 255)


def test_colours_and_limits(tmp_path: Path) -> None:
    look = Look("", ramp("green"), (0, 400))
    write(tmp_path / "a.gif", Stack.wrap(steps(dtype=np.uint16)), look=look)
    frames, _ = film(tmp_path / "a.gif")
    assert not frames[3][..., [0, 2]].any()
    np.testing.assert_allclose(frames[3][0, 0, 1], (20 + 90) / 400 * 255, atol=1)


def test_channels_are_one_picture(tmp_path: Path) -> None:
    frames = np.stack([steps(), steps()[::-1]], axis=1)
    looks = (Look("", ramp("red"), (0, 255)), Look("", ramp("blue"), (0, 255)))
    for axes, pixels in (("tcyx", frames), ("ctyx", frames.swapaxes(0, 1))):
        named = [Axis("c", looks=looks) if name == "c" else Axis(name) for name in axes]
        write(tmp_path / "a.gif", pixels, axes=named, overwrite=True)
        found, _ = film(tmp_path / "a.gif")
        assert len(found) == 6
        np.testing.assert_allclose(found[1][..., 0], frames[1, 0], atol=6)
        np.testing.assert_allclose(found[1][..., 2], frames[1, 1], atol=6)
        assert not found[1][..., 1].any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_colours_of_a_pixel(tmp_path: Path, dtype: str) -> None:
    top = {"uint8": 1, "uint16": 257, "float32": 1 / 255}[dtype]
    grey = steps()[..., None] * np.array([1, 0, 0])
    write(tmp_path / "a.gif", Stack.wrap((grey * top).astype(dtype)))
    frames, _ = film(tmp_path / "a.gif")
    np.testing.assert_allclose(frames[4], grey[4], atol=2)


def test_odd_sides(tmp_path: Path) -> None:
    pytest.importorskip("av")
    write(tmp_path / "a.mp4", Stack.wrap(steps()[:, :47, :63]))
    frames, _ = film(tmp_path / "a.mp4")
    assert frames[0].shape == (48, 64, 3)
    np.testing.assert_allclose(frames[2][..., 0], steps()[2], atol=4)


def test_the_time_stamp_is_in_the_upper_left(tmp_path: Path) -> None:
    stack = Stack.wrap(np.zeros((3, 96, 128), np.uint8), axes=(Axis("t", 0.5, "s"), *PLANE))
    write(tmp_path / "a.gif", stack, time_stamp=True)
    frames, _ = film(tmp_path / "a.gif")
    assert min(frame[:20, :50].max() for frame in frames) > 200
    assert not any(frame[40:].any() or frame[:, 90:].any() for frame in frames)
    assert (frames[0] != frames[1]).any()


def test_the_scale_bar_has_its_length(tmp_path: Path) -> None:
    stack = Stack.wrap(np.zeros((2, 96, 128), np.uint8), axes=(Axis("t"), *PLANE))
    write(tmp_path / "a.gif", stack, scale_bar=True)
    bar = film(tmp_path / "a.gif")[0][0][96 - 96 // 25 - 3]
    assert (bar[:, 0] > 200).sum() == 10 / 0.5  # 10 um of the 16 that a quarter has


def test_the_scale_bar_needs_a_size(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a scale bar needs the size of a pixel"):
        write(tmp_path / "a.gif", Stack.wrap(steps()), scale_bar=True)
    with pytest.raises(UserError, match="a scale bar needs the size of a pixel"):
        check_target(tmp_path / "a.gif", data=Stack.wrap(steps()), scale_bar=True)


def test_what_is_no_movie(tmp_path: Path, noise: Noise) -> None:
    hyper = Hyperstack.wrap(noise(2, 3, 8, 9), axes="tzyx")
    with pytest.raises(
        UserError, match="a movie goes along one axis, and these frames lie along t, z"
    ):
        write(tmp_path / "a.gif", hyper)
    with pytest.raises(UserError, match="a movie has several frames, and this is one image"):
        write(tmp_path / "a.gif", noise(8, 9))
    with pytest.raises(UserError, match="these are bands"):
        write(tmp_path / "a.gif", Stack.wrap(noise(2, 8, 9, 5)))
    with pytest.raises(UserError, match="a GIF shows 50 frames a second at most, got fps=60"):
        write(tmp_path / "a.gif", Stack.wrap(noise(2, 8, 9)), fps=60)
    with pytest.raises(UserError, match="fps must be above 0"):
        write(tmp_path / "a.gif", Stack.wrap(noise(2, 8, 9)), fps=0)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_a_movie_that_is_cancelled_is_not_there(tmp_path: Path, name: str) -> None:
    pytest.importorskip("av")

    def tick(done: int, *_: object) -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        write(tmp_path / name, Stack.wrap(steps()), run=Run(tick=tick))
    assert not any(tmp_path.iterdir())


def test_stamps_and_lengths() -> None:
    assert stamps(Axis("t", 10, "s"), 3)[2] == "20 s"
    assert stamps(Axis("t", 1 / 3, "s"), 3) == ["0.000 s", "0.333 s", "0.667 s"]
    assert stamps(Axis("t", 5, "min", positions=(0.0, 5.5)), 2) == ["0.0 min", "5.5 min"]
    assert stamps(Axis("z", 1.5, "nm", start=-3.0), 2) == ["z -3.0 nm", "z -1.5 nm"]
    assert [round_length(most) for most in (0.0019, 49, 50, 99.9)] == [0.001, 20, 50, 50]
