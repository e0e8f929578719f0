"""Files that microscopes wrote, against what the libraries of their formats read."""

import copy
import gc
import pickle
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look
from napari_stack.core.stack import Stack
from napari_stack.files import list_series, read


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "microscopes"


def test_an_nd2_with_planes(folder: Path) -> None:
    nd2 = pytest.importorskip("nd2")
    stack = read(folder / "zstack.nd2")
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), nd2.imread(folder / "zstack.nd2"))
    z, y, x = stack.axes
    assert (z.name, z.step, z.unit) == ("z", 6.0, "um")
    assert (y.step, x.step, x.unit) == (pytest.approx(0.323390342594048),) * 2 + ("um",)
    assert stack.look == Look("FITC BP", ("#000000", "#07ff00"))


def test_an_nd2_with_times(folder: Path) -> None:
    nd2 = pytest.importorskip("nd2")
    path = folder / "timelapse.nd2"
    stack = read(path)
    assert isinstance(stack, Stack)
    np.testing.assert_array_equal(np.asarray(stack), nd2.imread(path))
    t, _, x = stack.axes
    assert (t.name, t.unit, x.step) == ("t", "s", 0.325)
    assert t.step == pytest.approx(0.50016, abs=1e-5)


def test_an_nd2_stays_open_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nd2 = pytest.importorskip("nd2")
    path = folder / "timelapse.nd2"
    opened: list[Any] = []

    class Counted(nd2.ND2File):  # type: ignore[misc]
        def __init__(self, path: str) -> None:
            super().__init__(path)
            opened.append(self)

    stack, truth = read(path), nd2.imread(path)
    assert isinstance(stack, Stack)
    monkeypatch.setattr(nd2, "ND2File", Counted)
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(stack.render, range(53)))
    np.testing.assert_array_equal(frames, truth)
    assert len(opened) == 1
    again = pickle.loads(pickle.dumps(stack))
    np.testing.assert_array_equal(again[52], truth[52])
    assert not opened[0].closed
    del stack
    gc.collect()
    assert opened[0].closed


def test_a_czi_with_times_channels_and_planes(folder: Path) -> None:
    czi = pytest.importorskip("pylibCZIrw.czi")
    path = folder / "cell_division_t3_z5_c2.czi"
    data = read(path)
    assert isinstance(data, Hyperstack)
    assert ([a.name for a in data.leading], data.sizes) == (["t", "c", "z"], (3, 2, 5))
    with czi.open_czi(str(path)) as file:
        for number, (t, c, z) in enumerate(np.ndindex(3, 2, 5)):
            plane = file.read(plane={"T": t, "C": c, "Z": z})[..., 0]
            np.testing.assert_array_equal(data.frames[number], plane)


def test_a_czi_with_named_channels(folder: Path) -> None:
    pytest.importorskip("pylibCZIrw")
    data = read(folder / "dapi_gfp.czi")
    (c, y, _) = data.axes
    assert (c.name, c.labels) == ("c", ("DAPI", "GFP"))
    assert [look.colours[-1] for look in c.looks] == ["#0000ff", "#00ff00"]
    assert c.looks[0].limits == (0.0, pytest.approx(249.0))
    assert y.unit == "pixel"  # its size is not known


def test_a_lif_with_several_images(folder: Path) -> None:
    liffile = pytest.importorskip("liffile")
    path = folder / "xz.lif"
    with pytest.warns(UserWarning, match=r"3 series that differ.*'xzt'.*'xzy'.*'xz'"):
        data = read(path)
    assert isinstance(data, Hyperstack)
    with liffile.LifFile(path) as file:
        truth = file.images[0].asarray()
        last = file.images[2].asarray()
    np.testing.assert_array_equal(np.asarray(data), truth)
    t, c, z, x = data.axes
    assert [a.name for a in data.axes] == ["t", "c", "z", "x"]
    assert (t.step, t.unit) == (pytest.approx(0.53), "s")
    assert (z.step, x.step, x.unit) == (*(pytest.approx(0.14028, abs=1e-5),) * 2, "um")
    assert [look.colours[-1] for look in c.looks] == ["#00ff00", "#ff0000"]
    np.testing.assert_array_equal(np.asarray(read(path, series="xz")), last)
    assert [text.split("'")[1] for text in list_series(path)] == ["xzt", "xzy", "xz"]


@pytest.mark.parametrize(("name", "place"), [("xz_c0t0.tif", 0), ("xz_c1t8.tif", 17)])
def test_planes_of_a_lif_as_another_program_saved_them(folder: Path, name: str, place: int) -> None:
    pytest.importorskip("liffile")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = read(folder / "xz.lif", series="xzt")
    saved = tifffile.imread(folder / name)
    assert isinstance(data, Hyperstack)
    np.testing.assert_array_equal(data.frames[place], saved)


def test_a_lof_of_an_image_of_a_lif(folder: Path, tmp_path: Path) -> None:
    liffile = pytest.importorskip("liffile")
    path = tmp_path / "a.lof"
    with liffile.LifFile(folder / "xz.lif") as file:
        image = file.images[0]
        pixels, element = image.asarray(), image.xml_element
    _write_lof(path, pixels.tobytes(), element)
    with liffile.LifFile(path) as file:  # the library takes it for one
        np.testing.assert_array_equal(file.images[0].asarray(), pixels)
    data = read(path)
    np.testing.assert_array_equal(np.asarray(data), pixels)
    assert [axis.name for axis in data.axes] == ["t", "c", "z", "x"]


def test_an_xlif_that_names_a_lof(folder: Path, tmp_path: Path) -> None:
    liffile = pytest.importorskip("liffile")
    with liffile.LifFile(folder / "xz.lif") as file:
        image = file.images[2]
        pixels, element = image.asarray(), image.xml_element
    _write_lof(tmp_path / "a.lof", pixels.tobytes(), element)
    root = ElementTree.Element("LMSDataContainerHeader", Version="2")
    named = copy.deepcopy(element)
    for memory in named.iter("Memory"):
        memory.clear()
        memory.attrib.update(Size=str(pixels.nbytes), MemoryBlockID="MemBlock_1")
        ElementTree.SubElement(memory, "Block", File="a.lof", Size=str(pixels.nbytes), Offset="0")
    root.append(named)
    (tmp_path / "a.xlif").write_bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.xlif")), pixels)


def _write_lof(path: Path, pixels: bytes, element: object) -> None:
    """Write a file as Leica's description of the format says: three blocks, the XML last."""

    def block(content: bytes) -> bytes:
        return struct.pack("<II", 0x70, len(content)) + content

    def text(string: str) -> bytes:
        return b"\x2a" + struct.pack("<I", len(string)) + string.encode("utf-16-le")

    root = ElementTree.Element("LMSDataContainerHeader", Version="2")
    root.append(element)  # type: ignore[arg-type]
    head = text("LMS_Object_File") + b"\x2a" + struct.pack("<I", 2)
    head += b"\x2a" + struct.pack("<I", 0) + b"\x2a" + struct.pack("<Q", len(pixels))
    xml = ElementTree.tostring(root, "unicode")
    path.write_bytes(block(head) + pixels + block(text(xml)))
