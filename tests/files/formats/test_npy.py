"""NumPy's arrays and archives."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files import read
from support.files import assert_holds, frames_of
from support.pixels import Noise


@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2", "int32", "float32", ">f8", "bool"])
@pytest.mark.parametrize("kind", ["npy", "fortran", "packed", "stored"])
def test_arrays_of_numpy(tmp_path: Path, noise: Noise, dtype: str, kind: str) -> None:
    native = np.dtype(dtype).newbyteorder("=")
    pixels = noise(4, 9, 11, dtype=native.name).astype(dtype)
    path = tmp_path / ("a.npz" if kind in ("packed", "stored") else "a.npy")
    if kind in ("npy", "fortran"):
        np.save(path, np.asfortranarray(pixels) if kind == "fortran" else pixels)
    else:
        (np.savez_compressed if kind == "packed" else np.savez)(path, images=pixels, other=1)
    assert assert_holds(path, pixels.astype(native)).source.partial


@pytest.mark.parametrize(
    ("shape", "frame", "leading"),
    [
        ((9, 11), (9, 11), ["frame"]),
        ((9, 11, 3), (9, 11, 3), ["frame"]),
        ((5, 9, 11, 4), (9, 11, 4), ["frame"]),
        ((2, 5, 9, 11), (9, 11), ["axis0", "axis1"]),
        ((2, 3, 4), (3, 4), ["frame"]),
    ],
)
def test_axes_of_an_array(
    tmp_path: Path, noise: Noise, shape: tuple[int, ...], frame: tuple[int, ...], leading: list[str]
) -> None:
    np.save(tmp_path / "a.npy", noise(*shape))
    found = read(tmp_path / "a.npy")
    axes = found.leading if isinstance(found, Hyperstack) else found.axes[:1]
    assert [axis.name for axis in axes] == leading
    assert frames_of(found).shape[1:] == frame
    np.testing.assert_array_equal(np.asarray(found).reshape(shape), np.load(tmp_path / "a.npy"))


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (Path(tmp_path / "sprung").mkdir, ())  # type: ignore[return-value]

    objects = np.array([Trap()], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(ValueError, match=rf"{name} is damaged.*Python objects"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"a": np.zeros(3), "b": np.zeros(4)},
            r"read: of its arrays \(a, b\) none",
        ),
        ({"a": np.zeros(4)}, r"shape \(4,\), which is no image"),
        ({"a": np.zeros((3, 4), complex)}, "complex128 pixels"),
    ],
)
def test_archives_without_a_clear_image(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], sentence: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path / "a.npz")


def test_each_array_of_an_archive_is_a_series(tmp_path: Path) -> None:
    frames = {"left": np.full((2, 3, 4), 1, "u2"), "right": np.full((2, 3, 4), 2, "u2")}
    np.savez(tmp_path / "a.npz", **frames, times=np.zeros(2))
    with pytest.warns(UserWarning, match="2 series that differ, and the first is read: 0 'left'"):
        np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.npz")), frames["left"])
    found = read(tmp_path / "a.npz", series="right")
    np.testing.assert_array_equal(np.asarray(found), frames["right"])


def test_a_zip_of_other_things_is_not_called_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("notes.txt", "")
    with pytest.raises(ValueError, match=r"a\.zip cannot be read: the zip holds no array of NumPy"):
        read(tmp_path / "a.zip")


def test_headers_that_promise_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 5)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(4, 5), }    ", b"(444444, 5), }"[:13].ljust(13)))
    with pytest.raises(ValueError, match=r"a\.npy is damaged"):
        read(path)
    path.write_bytes(data[:-8])
    with pytest.raises(ValueError, match="160 bytes of numbers are due, and 152 are there"):
        read(path)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", data[:-8])
    with pytest.raises(ValueError, match=r"b\.npz is damaged"):
        read(tmp_path / "b.npz")


def test_real_archives(shared_data: Path) -> None:
    for path in sorted((shared_data / "flat_field").glob("*.npz")):
        stack = read(path)
        assert isinstance(stack, Stack)
        with np.load(path, allow_pickle=False) as file:
            expected = file["images"]
        assert stack.shape == expected.shape
        np.testing.assert_array_equal(stack[len(stack) // 2], expected[len(stack) // 2])


@pytest.mark.parametrize(("kind", "hint"), [("U3", "them as numbers"), ("c8", "their magnitude")])
def test_numpy_of_what_cannot_be_stacked(tmp_path: Path, kind: str, hint: str) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 5)).astype(kind))
    with pytest.raises(ValueError, match=rf"a\.npy holds .* pixels.*save {hint}"):
        read(tmp_path / "a.npy")
