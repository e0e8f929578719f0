"""Films that FFmpeg wrote without loss: every frame is the one that was asked for."""

import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.pixels import Noise

av = pytest.importorskip("av")


def _write(
    path: Path,
    pixels: Any,
    *,
    codec: str = "ffv1",
    colours: tuple[str, str] = ("rgb24", "bgr0"),
    stamps: Sequence[int] | None = None,
    rate: int = 1000,
    **options: str,
) -> None:
    """Write 25 frames a second, or at times in ms; `colours` are those given and those stored."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pixels.shape[1:3]
        stream.pix_fmt = colours[1]
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        for number, image in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), colours[0])
            frame.pts = stamps[number] if stamps else 40 * number * rate // 1000
            frame.time_base = Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _numbered(count: int) -> Any:
    """Make frames that tell their number, which a codec with loss keeps too."""
    return np.broadcast_to(
        4 * np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 48, 64, 3)
    )


def test_every_frame_in_any_order(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.mkv", noise(12, 48, 64, 3, dtype=np.uint8)
    _write(path, pixels)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.shape, stack.dtype, stack.rgb) == (pixels.shape, np.uint8, True)
    assert (stack.axes[0].name, stack.axes[0].step, stack.axes[0].unit) == ("t", 0.04, "s")
    for number in (7, 0, 11, 3, 4, 2):
        np.testing.assert_array_equal(stack[number], pixels[number])
    np.testing.assert_array_equal(stack.render(5, slice(3, 9)), pixels[5, 3:9])


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_frames_between_keys_with_frames_of_both_sides(tmp_path: Path, name: str) -> None:
    path, pixels = tmp_path / name, _numbered(60)
    _write(path, pixels, codec="libx264rgb", colours=("rgb24", "rgb24"), qp="0", g="25", bf="3")
    stack = read(path)
    assert len(stack) == 60  # type: ignore[arg-type]
    order = np.random.default_rng(0).permutation(60)
    assert [int(stack[n][0, 0, 0]) for n in order] == (4 * order).tolist()


def test_threads_get_the_frames_that_they_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    _write(path, _numbered(60), codec="libx264rgb", colours=("rgb24", "rgb24"), qp="0", bf="3")
    stack = read(path)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: int(stack[n][0, 0, 0]), range(60)))
    assert found == (4 * np.arange(60)).tolist()


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_an_avi_with_frames_of_both_sides(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.avi"
    _write(path, _numbered(40), codec=codec, colours=("rgb24", "yuv420p"), rate=25, bf="2", g="12")
    with av.open(str(path)) as file:  # from first to last
        truth = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (len(stack), stack.axes[0].step) == (40, pytest.approx(0.04))
    for number in (0, 39, 20, 5, 13, 12):
        np.testing.assert_array_equal(stack[number], truth[number])


def test_uneven_times_are_positions(tmp_path: Path) -> None:
    path, stamps = tmp_path / "a.mp4", [0, 10, 100, 130, 500, 520]
    _write(
        path, _numbered(6), codec="libx264rgb", colours=("rgb24", "rgb24"), stamps=stamps,
        qp="0", bf="2",
    )  # fmt: skip
    stack = read(path)
    assert isinstance(stack, Stack)
    t = stack.axes[0]
    assert (t.name, t.unit, t.step) == ("t", "s", pytest.approx(0.104))
    np.testing.assert_allclose(t.positions, np.array(stamps) / 1000)
    assert [int(frame[0, 0, 0]) for frame in np.asarray(stack)] == [0, 4, 8, 12, 16, 20]


@pytest.mark.parametrize(
    ("colours", "dtype", "shape"),
    [("gray", np.uint8, ()), ("gray16le", np.uint16, ()), ("rgb48le", np.uint16, (3,))],
)
def test_grey_and_16_bits(
    tmp_path: Path, noise: Noise, colours: str, dtype: type, shape: tuple[int, ...]
) -> None:
    path, pixels = tmp_path / "a.mkv", noise(3, 48, 64, *shape, dtype=dtype)
    stored = {"rgb48le": "gbrp16le"}.get(colours, colours)
    _write(path, pixels, colours=(colours, stored))
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.dtype, stack.rgb) == (dtype, bool(shape))
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_a_film_taken_upright(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.mp4", noise(2, 48, 64, 3, dtype=np.uint8)
    _write(path, pixels, codec="libx264rgb", colours=("rgb24", "rgb24"), qp="0")
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40  # of the matrix of a track; ISO 14496-12, section 8.3.2
    quarter = [0, 0x10000, 0, -0x10000, 0, 0, 48 << 16, 0, 0x40000000]  # clockwise, for players
    data[place : place + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
    path.write_bytes(data)
    stack = read(path)
    np.testing.assert_array_equal(np.asarray(stack), np.rot90(pixels, -1, axes=(1, 2)))


def test_a_stack_of_a_film_is_sent_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    _write(path, _numbered(5), codec="libx264rgb", colours=("rgb24", "rgb24"), qp="0")
    stack = read(path)
    assert int(stack[3][0, 0, 0]) == 12
    assert int(pickle.loads(pickle.dumps(stack))[4][0, 0, 0]) == 16


def test_sound_alone_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        sound.sample_rate = 44100
        file.mux(stream.encode(sound))
        file.mux(stream.encode(None))
    with pytest.raises(ValueError, match=r"a\.mp4.*no pictures"):
        read(path)
