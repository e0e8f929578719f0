"""Files and folders appear under their names when they are whole, and not before."""

import errno
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, write
from napari_stack.files.formats.tiff import write as tiff_write
from support.files import age, hidden, listed
from support.pixels import Noise
from support.sources import NamedSource, UntouchableSource

_WRITES = """
import sys, numpy as np, napari_stack as ns
from napari_stack.core.source import Source
class Stopped(Source):
    shape, dtype, partial = (50, 64, 64), np.dtype(np.uint16), True
    def pixels(self, index, rows=None):
        if index == 10:
            print("writing", flush=True)
        if index >= 10:
            sys.stdin.read()  # until it is killed
        return np.full((64, 64), index, np.uint16), None
    def label(self, index):
        return f"f{index}"
ns.write(sys.argv[1], ns.Stack(Stopped()), overwrite=True)
"""


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


def contents(path: Path) -> list[bytes]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file.read_bytes() for file in files if file.is_file()]


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
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
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


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_a_full_disk_is_told_of_the_users_path(
    tmp_path: Path, noise: Noise, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere else")

    monkeypatch.setattr(tiff_write.TiffWriter, "write", full)
    with pytest.raises(OSError, match=rf"{name} could not be written \(No space") as found:
        write(tmp_path / name, Stack.wrap(noise(3, 8, 9)))
    assert ".napari-stack" not in str(found.value)
    assert listed(tmp_path) == []


def test_a_folder_that_must_not_be_made(
    tmp_path: Path, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(PermissionError, match="folder could not be written") as found:
        write(tmp_path / "folder", Stack.wrap(noise(3, 8, 9)))
    assert ".napari-stack" not in str(found.value)


@pytest.mark.parametrize("name", ["a.tif", "folder"])
def test_an_error_leaves_what_was_there(tmp_path: Path, noise: Noise, name: str) -> None:
    pixels = noise(3, 20, 30, dtype="uint8")
    good = Stack(NamedSource(pixels))
    write(tmp_path / name, good)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(AssertionError, match="computed"):
        write(tmp_path / name, Stack(UntouchableSource()), overwrite=True)
    assert sorted(tmp_path.rglob("*")) == before
    np.testing.assert_array_equal(np.asarray(read(tmp_path / name)), pixels)
