"""OME sets: one image in several files, in any order of the pages."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read
from support.pixels import Noise

SIZES = {"T": 2, "C": 3, "Z": 4}


@pytest.fixture
def ome_set(tmp_path: Path, noise: Noise) -> tuple[Path, NDArray[Any]]:
    """Write a file a channel; the pages of the second lie in another order."""
    pixels = noise(2, 3, 4, 9, 11)
    frames = [[(t, z) for t in range(2) for z in range(4)] for _ in range(3)]
    frames[1].reverse()
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="{z}" IFD="{ifd}" PlaneCount="1">'
        f'<UUID FileName="c{c}.ome.tif">urn:uuid:{c}</UUID></TiffData>'
        for c in range(3)
        for ifd, (t, z) in enumerate(frames[c])
    )
    sizes = " ".join(f'Size{name}="{size}"' for name, size in SIZES.items())
    channels = "".join(f'<Channel ID="Channel:0:{c}" Name="name {c}"/>' for c in range(3))
    for c in range(3):
        xml = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{c}"><Image ID="Image:0"><Pixels ID="Pixels:0" '
            'DimensionOrder="XYZCT" Type="uint16" SizeX="11" SizeY="9" PhysicalSizeX="0.5" '
            f'PhysicalSizeXUnit="µm" {sizes}>{channels}{data}</Pixels></Image></OME>'
        )
        with tifffile.TiffWriter(tmp_path / f"c{c}.ome.tif") as tif:
            for ifd, (t, z) in enumerate(frames[c]):
                tif.write(
                    pixels[t, c, z],
                    description=xml.encode() if ifd == 0 else None,
                    metadata=None,
                )
    return tmp_path, pixels


@pytest.mark.parametrize("name", ["", "c0.ome.tif", "c2.ome.tif", "*.ome.tif"])
def test_a_set_is_one_image(ome_set: tuple[Path, NDArray[Any]], name: str) -> None:
    folder, pixels = ome_set
    found = read(folder / name, axis="z")
    assert isinstance(found, Hyperstack)
    assert [axis.name for axis in found.axes] == ["t", "c", "z", "y", "x"]
    assert found.leading[1].labels == ("name 0", "name 1", "name 2")
    assert found.axes[-1] == Axis("x", 0.5, "um")
    np.testing.assert_array_equal(np.asarray(found), pixels)
    part = found.stack({"t": 1, "c": 1}).render(2, slice(3, 5))
    np.testing.assert_array_equal(part, pixels[1, 1, 2, 3:5])


def test_what_is_missing_is_named(ome_set: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = ome_set
    tifffile.imwrite(folder / "other.tif", pixels[0, 0, 0])
    with pytest.raises(ValueError, match=r"other\.tif does not belong to the OME set"):
        read(folder)
    (folder / "c1.ome.tif").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"c0\.ome\.tif .* its file c1\.ome\.tif is missing"
    ):
        read(folder / "c0.ome.tif")
