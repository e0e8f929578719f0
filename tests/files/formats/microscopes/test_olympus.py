"""OIF written as FluoView lays it out, against what oiffile reads."""

import gc
import random
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read
from support.compound_file import write_compound
from support.damage import bounded_refusal, damaged
from support.pixels import Noise

oiffile = pytest.importorskip("oiffile")

_SETTINGS = """[ProfileSaveInfo]\r
Name="FLUOVIEW"\r
Version="1.0"\r
[Version Info]\r
SystemName="FLUOVIEW FV1000"\r
[Axis Parameter Common]\r
AxisCount=5\r
AxisOrder="XYZTCLAP"\r
[Axis 0 Parameters Common]\r
AxisCode="X"\r
MaxSize=30\r
UnitName="um"\r
[Axis 1 Parameters Common]\r
AxisCode="Y"\r
MaxSize=20\r
UnitName="um"\r
[Axis 2 Parameters Common]\r
AxisCode="C"\r
MaxSize=2\r
[Axis 3 Parameters Common]\r
AxisCode="Z"\r
MaxSize=3\r
StartPosition=0.0\r
EndPosition=-3000.0\r
UnitName="nm"\r
[Axis 4 Parameters Common]\r
AxisCode="T"\r
MaxSize=2\r
StartPosition=0.0\r
EndPosition=2500.0\r
UnitName="ms"\r
[Channel 1 Parameters]\r
DyeName="DAPI"\r
[Channel 2 Parameters]\r
DyeName="Alexa Fluor 488"\r
[Reference Image Parameter]\r
ValidBitCounts=12\r
WidthConvertValue=0.25\r
WidthUnit="um"\r
HeightConvertValue=0.5\r
HeightUnit="um"\r
"""


def _write(path: Path, pixels: Any) -> None:
    """Write (c, z, t, y, x)."""
    path.write_bytes("\ufeff".encode("utf-16-le") + _SETTINGS.encode("utf-16-le"))
    folder = path.with_name(path.name + ".files")
    folder.mkdir()
    for c, z, t in np.ndindex(pixels.shape[:3]):
        name = f"s_C{c + 1:03}Z{z + 1:03}T{t + 1:03}.tif"
        tifffile.imwrite(folder / name, pixels[c, z, t], metadata=None)


def test_an_oif(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.oif", noise(2, 3, 2, 20, 30, dtype=np.uint16)
    _write(path, pixels)
    data = read(path)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), oiffile.imread(path))
    np.testing.assert_array_equal(np.asarray(data), pixels)
    c, z, t, y, x = data.axes
    assert (c.name, c.labels) == ("c", ("DAPI", "Alexa Fluor 488"))
    assert (z.name, z.step, z.unit) == ("z", 1.5, "um")
    assert (t.name, t.step, t.unit) == ("t", 2.5, "s")
    assert (y.step, x.step, x.unit) == (0.5, 0.25, "um")


def test_planes_that_are_not_there_are_told_of(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.oif"
    _write(path, noise(2, 3, 2, 20, 30, dtype=np.uint16))
    (tmp_path / "a.oif.files" / "s_C002Z002T001.tif").unlink()
    with pytest.raises(ValueError, match=r"a\.oif.*11 planes"):
        read(path)


def _write_oib(path: Path, pixels: Any) -> None:
    """Write (c, z, t, y, x): the files of an OIF as streams, with a list of their names."""
    streams = {"Stream00000": "\ufeff".encode("utf-16-le") + _SETTINGS.encode("utf-16-le")}
    names = ["Stream00000=a.oif", "Storage00001=a.oif.files"]
    for number, (c, z, t) in enumerate(np.ndindex(pixels.shape[:3]), 1):
        target = BytesIO()
        tifffile.imwrite(target, pixels[c, z, t], metadata=None)
        streams[f"Stream{number:05}"] = target.getvalue()
        names.append(f"Stream{number:05}=Storage00001/s_C{c + 1:03}Z{z + 1:03}T{t + 1:03}.tif")
    text = "\r\n".join(
        ["[OibSaveInfo]", "Name=OibSaveInfo", "Version=2.0.0.0", "MainFileName=Stream00000", *names]
    )
    info = "\ufeff".encode("utf-16-le") + f"{text}\r\n".encode("utf-16-le")
    write_compound(path, {"OibInfo.txt": info, **streams})


def test_an_oib(tmp_path: Path, noise: Noise) -> None:
    path, pixels = tmp_path / "a.oib", noise(2, 3, 2, 20, 30, dtype=np.uint16)
    _write_oib(path, pixels)
    np.testing.assert_array_equal(oiffile.imread(path), pixels)
    data = read(path)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    c, z, t, y, x = data.axes
    assert [axis.name for axis in data.axes] == ["c", "z", "t", "y", "x"]
    assert (c.labels[0], z.step, t.step, y.step, x.step) == ("DAPI", 1.5, 2.5, 0.5, 0.25)


def test_damaged_oibs_are_told_of(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.oib"
    _write_oib(path, noise(1, 2, 1, 20, 30, dtype=np.uint16))
    whole, generator, told = path.read_bytes(), random.Random("oib"), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # oiffile leaves some open
        for _ in range(40):
            path.write_bytes(damaged(whole, generator))
            told.append(str(bounded_refusal(path)))  # the error itself keeps the file
        gc.collect()
    refused = [text for text in told if text != "None"]
    assert len(refused) > 10
    assert all(path.name in text for text in refused)


def test_a_chain_without_end_is_told_of(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.oib"
    _write_oib(path, noise(1, 2, 1, 20, 30, dtype=np.uint16))
    data = bytearray(path.read_bytes())
    table = np.frombuffer(data, "<u4", 128, 512)  # the first sector says which follows which
    (last, *_) = np.flatnonzero(table == 0xFFFFFFFE)[1:]
    data[512 + 4 * last : 516 + 4 * last] = int(last).to_bytes(4, "little")  # itself
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.oib.*has no end"):
        read(path)
