"""Which format reads a file."""

import builtins
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from napari_stack.files import read, write
from support.pixels import Noise

#: What files begin with that are known by it.
STARTS = {
    "a.fits": b"SIMPLE  =", "a.czi": b"ZISRAWFILE", "a.lif": b"\x70\0\0\0",
    "a.h5": b"\x89HDF\r\n\x1a\n",
    "a.mp4": b"\0\0\0\x10ftypisom\0\0\0\0", "a.heic": b"\0\0\0\x10ftypheic\0\0\0\0",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("a.fits", "astropy", "fits"),
        ("a.nef", "rawpy", "raw"),
        ("a.zarr", "zarr", "zarr"),
        ("a.nd2", "nd2", "microscopes"),
        ("a.czi", "pylibCZIrw", "microscopes"),
        ("a.lif", "liffile", "microscopes"),
        ("a.oib", "oiffile", "microscopes"),
        ("a.mrc", "mrcfile", "microscopes"),
        ("a.h5", "h5py", "microscopes"),
        ("a.dcm", "pydicom", "microscopes"),
        ("a.mp4", "av", "video"),
        ("a.heic", "pillow_heif", "phones"),
    ],
)
def test_a_missing_package_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    path = tmp_path / name
    if name == "a.zarr":
        path.mkdir()
        (path / ".zarray").write_text("{}")
    else:
        path.write_bytes(STARTS.get(name, b"II*\0"))
    found = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ValueError, match=rf"pip install 'napari-stack\[{extra}\]'"):
        read(path)


def test_of_a_folder_the_first_family_counts(tmp_path: Path, noise: Noise) -> None:
    np.save(tmp_path / "measured.npy", np.zeros(3))
    write(tmp_path / "a.tif", noise(4, 5))
    (tmp_path / "a.nef").write_bytes(b"II*\0")
    with pytest.warns(UserWarning, match=r"left out, images of another kind: a\.nef"):
        assert len(read(tmp_path)) == 1  # type: ignore[arg-type]


def test_a_file_is_known_by_its_content(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(20, 30)
    (tmp_path / "a.tif").write_bytes(imagecodecs.png_encode(pixels))
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[0], pixels)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("a.oir", "convert it with Bio-Formats, bioformats2raw to OME-Zarr or bfconvert"),
        ("a.VSI", "convert it with Bio-Formats"),
        ("a.nii.gz", "open it in Fiji and save it as TIFF"),
        ("a.psd", "export it as TIFF or PNG from the program that made it"),
        ("a.mat", r"save its array by numpy\.save"),
        ("a.7z", "unpack it, and name the folder"),
        ("a.frames", "drop it onto napari's window"),
        ("a.txt", "it lies beside images: leave it out"),
        ("a.what", "leave it out, or save it as TIFF; what Bio-Formats reads"),
    ],
)
def test_the_remedy_for_what_is_not_read(tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(
        ValueError, match=rf"is of no known kind: .*{what}.*; these are read: TIFF, "
    ):
        read(tmp_path / name)
