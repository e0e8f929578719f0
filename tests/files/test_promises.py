"""What reading and writing promise: one file opened, few bytes read, nothing half-written."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, write
from napari_stack.files.formats.tiff import pages as tiff_pages

Noise = Callable[..., NDArray[Any]]

_heard: list[list[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _heard:
        _heard[-1].append(str(arguments[0]))


sys.addaudithook(_audit)  # it cannot be removed, and does nothing outside of `opened`


@pytest.fixture
def opened() -> Iterator[list[str]]:
    _heard.append([])
    yield _heard[-1]
    _heard.pop()


def many(folder: Path, count: int, suffix: str) -> None:
    pixels = np.arange(72, dtype=np.uint8).reshape(8, 9)
    if suffix == "tif":
        tifffile.imwrite(folder / "0.tif", pixels)
    elif suffix == "npy":
        np.save(folder / "0.npy", pixels)
    else:
        encode = imagecodecs.png_encode if suffix == "png" else imagecodecs.jpeg_encode
        (folder / f"0.{suffix}").write_bytes(encode(pixels))
    data = (folder / f"0.{suffix}").read_bytes()
    for index in range(1, count):
        (folder / f"{index}.{suffix}").write_bytes(data)


@pytest.mark.parametrize("suffix", ["tif", "png", "jpg", "npy"])
def test_of_2000_files_one_is_opened_and_soon(
    tmp_path: Path, suffix: str, opened: list[str]
) -> None:
    many(tmp_path, 2000, suffix)
    read(tmp_path / f"0.{suffix}")[0]  # type: ignore[index]  # imports what decodes
    times = []
    for _ in range(3):
        opened.clear()
        before = time.process_time()  # others may be busy
        sorted(os.listdir(tmp_path))  # noqa: PTH208
        listed = time.process_time()
        read(tmp_path)[0]  # type: ignore[index]
        times.append(time.process_time() - listed - (listed - before))
        names = {name for name in opened if name.startswith(f"{tmp_path}/")}
        assert names == {f"{tmp_path}/0.{suffix}"}
        if times[-1] < 0.1:
            return
    pytest.fail(f"reading took {times} s")


@pytest.mark.parametrize("rowsperstrip", [None, 16])
def test_bands_read_only_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rowsperstrip: int | None
) -> None:
    frames, height, width = 100, 96, 250  # rows of 500 bytes; what counts is the share
    for index in range(frames):
        tifffile.imwrite(
            tmp_path / f"{index}.tif", np.full((height, width), index, np.uint16),
            rowsperstrip=rowsperstrip,
        )  # fmt: skip
    stack = read(tmp_path)
    assert isinstance(stack, Stack)
    for index in range(frames):
        stack.render(index, slice(0, 1))  # headers are read once
    count = 0
    fill = tiff_pages._fill

    def counted(file: Any, target: memoryview) -> None:
        nonlocal count
        count += len(target)
        fill(file, target)

    monkeypatch.setattr(tiff_pages, "_fill", counted)
    for start in range(0, height, 12):
        for index in range(frames):
            part = stack.render(index, slice(start, start + 12))
            assert (part == index).all()
    assert count == frames * height * width * 2


def test_clipping_in_bands_reads_every_byte_about_once(tmp_path: Path, noise: Noise) -> None:
    for index in range(40):
        tifffile.imwrite(tmp_path / f"{index}.tif", noise(400, 500))
    code = (
        "import sys, napari_stack as ns\n"
        "stack = ns.read(sys.argv[1]); ns.sigma_clip(stack, run=ns.Run(memory=2**23))\n"
        "print(next(l for l in open('/proc/self/io') if l.startswith('rchar')).split()[1])"
    )
    if not Path("/proc/self/io").exists():
        pytest.skip("no count of bytes here")
    idle = code.replace("ns.sigma_clip(stack, run=ns.Run(memory=2**23))", "import "
                        "napari_stack.operators.combine.clip_band; ns.sigma_clip(ns.Stack.wrap("
                        "stack[0][None].repeat(4, 0)[:, :4, :4]))")  # fmt: skip
    counts = [
        int(subprocess.run([sys.executable, "-c", c, str(tmp_path)], capture_output=True,
                           text=True, check=True).stdout)
        for c in (code, idle)
    ]  # fmt: skip
    assert counts[0] - counts[1] < 1.1 * 40 * 400 * 500 * 2


_WRITES = """
import sys, time, numpy as np, napari_stack as ns
from napari_stack.core.source import Source
class Slow(Source):
    shape, dtype, partial = (50, 64, 64), np.dtype(np.uint16), True
    def pixels(self, index, rows=None):
        if index == 10:
            print("writing", flush=True)
        if index >= 10:
            time.sleep(0.05)
        return np.full((64, 64), index, np.uint16), None
    def label(self, index):
        return f"f{index}"
ns.write(sys.argv[1], ns.Stack(Slow()), overwrite=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "a.zarr", "folder"])
@pytest.mark.parametrize("there", [False, True])
def test_a_killed_writer_leaves_the_old_file_or_none(
    tmp_path: Path, noise: Noise, name: str, there: bool
) -> None:
    if name == "a.zarr":
        pytest.importorskip("zarr")
    pixels = noise(3, 9, 11)
    if there:
        write(tmp_path / name, Stack.wrap(pixels))
    command = [sys.executable, "-c", _WRITES, str(tmp_path / name)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    if there:
        np.testing.assert_array_equal(np.asarray(read(tmp_path / name)), pixels)
    else:
        assert not (tmp_path / name).exists()
    left = hidden(tmp_path)
    assert len(left) == 1
    write(tmp_path / "next.tif", pixels[0])
    assert hidden(tmp_path) == left  # it is new: its program may not have come to lock it
    age(left)
    write(tmp_path / "next.tif", pixels[0], overwrite=True)
    assert hidden(tmp_path) == []


_SWAPS = """
import os, signal, sys
from pathlib import Path
import numpy as np
import napari_stack as ns
rename = Path.rename
def renamed(path, target):
    rename(path, target)
    if path.name == "a.zarr":
        os.kill(os.getpid(), signal.SIGKILL)
Path.rename = renamed
ns.write(sys.argv[1], ns.Stack.wrap(np.zeros((3, 9, 11))), overwrite=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("replaced", [False, True])
def test_an_old_zarr_comes_back_after_a_kill_while_it_was_replaced(
    tmp_path: Path, noise: Noise, replaced: bool
) -> None:
    pytest.importorskip("zarr")
    pixels, other = noise(3, 9, 11), noise(3, 9, 11)
    target = tmp_path / "a.zarr"
    write(target, Stack.wrap(pixels))
    command = [sys.executable, "-c", _SWAPS, str(target)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not target.exists()
    if replaced:  # by somebody else, in the meantime
        write(target, Stack.wrap(other))
    age(hidden(tmp_path))
    if replaced:
        write(tmp_path / "next.tif", pixels[0])
    else:
        with pytest.raises(FileExistsError):
            write(target, Stack.wrap(other))
    np.testing.assert_array_equal(np.asarray(read(target)), other if replaced else pixels)
    assert hidden(tmp_path) == []


def test_files_take_the_place_of_no_folder(tmp_path: Path, noise: Noise) -> None:
    (tmp_path / "out" / "1.tif").mkdir(parents=True)
    (tmp_path / "out" / "1.tif" / "diary.txt").touch()
    with pytest.raises(FileExistsError, match=r"1\.tif exists already"):
        write(tmp_path / "out", Stack.wrap(noise(3, 9, 11)), names="{index}.tif", overwrite=True)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["1.tif"]
    assert (tmp_path / "out" / "1.tif" / "diary.txt").exists()


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def age(folders: list[Path]) -> None:
    for folder in folders:
        os.utime(folder / "lock", (0, 0))


def test_what_is_being_written_is_not_swept_away(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 9, 11)

    def meanwhile(done: int, _total: int, _what: str) -> None:
        age(hidden(tmp_path))
        if done == 2:
            write(tmp_path / "b.tif", pixels[0])

    write(tmp_path / "a.tif", Stack.wrap(pixels), run=Run(tick=meanwhile))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.tif")), pixels)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "b.tif"]


@pytest.mark.parametrize("there", [False, True])
def test_a_link_stays_a_link(tmp_path: Path, noise: Noise, there: bool) -> None:
    (tmp_path / "big disk").mkdir()
    real, link = tmp_path / "big disk" / "real.tif", tmp_path / "a.tif"
    if there:
        write(real, noise(9, 11))
    link.symlink_to(real)
    pixels = noise(9, 11)
    write(link, pixels, overwrite=True)
    assert link.is_symlink()
    np.testing.assert_array_equal(read(real)[0], pixels)  # type: ignore[index]
    assert [path.name for path in real.parent.iterdir()] == ["real.tif"]


def contents(path: Path) -> list[bytes]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file.read_bytes() for file in files if file.is_file()]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits to set")
@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.jpg", "a.zarr"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, noise: Noise, name: str) -> None:
    pixels = noise(9, 11, dtype="uint8")
    write(tmp_path / name, pixels)
    before = contents(tmp_path / name)
    code = (
        "import resource, signal, sys, numpy as np, napari_stack as ns\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import napari_stack.files.write, tifffile, imagecodecs, PIL.Image\n"
        "pixels = np.random.default_rng(1).integers(0, 255, (400, 500), dtype='uint8')\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (20000, {resource.RLIM_INFINITY}))\n"
        "try: ns.write(sys.argv[1], pixels, overwrite=True)\n"
        "except OSError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{name} could not be written" in done.stdout
    assert contents(tmp_path / name) == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_no_file_stays_open(tmp_path: Path, noise: Noise) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("open files cannot be listed here")
    for name in ("a.tif", "a.png", "a.jpg"):
        write(tmp_path / name, noise(9, 11, dtype="uint8"))
    np.save(tmp_path / "a.npy", noise(3, 9, 11))
    for path in list(tmp_path.iterdir()):
        stack = read(path)
        np.asarray(stack)
        stack.render(0, slice(1, 3))  # type: ignore[union-attr]
    links = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [link for link in links if link.startswith(str(tmp_path))]
