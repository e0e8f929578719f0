"""OME-XML: read by a parser that refuses to expand entities."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files import read, read_recipe
from support.pixels import Noise

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(30))
    + "]><OME><Image><Description>&a30;</Description></Image></OME>"
)


def ome_tiff(path: Path, pixels: NDArray[Any], xml: str) -> Path:
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(path, pixels, description=xml.encode(), **options)
    return path


def test_entities_are_not_expanded(tmp_path: Path, noise: Noise) -> None:
    path = ome_tiff(tmp_path / "a.ome.tif", noise(20, 30), BILLION_LAUGHS)
    for function in (read, read_recipe):
        with pytest.raises(UserError, match=r"a\.ome\.tif .*document type declaration"):
            function(path)


def ome(prefix: str = "", more: str = "") -> str:
    """Describe an image of 2 x 3 planes and one more, names with a prefix of the namespace."""
    p = f"{prefix}:" if prefix else ""
    space = f"xmlns:{prefix}" if prefix else "xmlns"
    sides = 'DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeT="1"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- <!DOCTYPE is but a comment here -->'
        f'<{p}OME {space}="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<{p}Image ID="Image:0"><{p}Pixels ID="Pixels:0" {sides} SizeZ="3" SizeC="2" '
        """PhysicalSizeX="0.5" PhysicalSizeXUnit='&#181;m' PhysicalSizeZ = "900" """
        f'PhysicalSizeZUnit="nm"><{p}Channel ID="Channel:0:0" Name="one &amp; &lt;two&gt;"/>'
        f'<{p}Channel Name="three" ID="Channel:0:1"></{p}Channel>'
        f'<{p}TiffData IFD="0" PlaneCount="6"/></{p}Pixels>{more}</{p}Image>'
        f'<{p}Image ID="Image:1"><{p}Pixels ID="Pixels:1" {sides} SizeZ="1" SizeC="1" '
        f'PhysicalSizeX="7"><{p}Channel ID="Channel:1:0" Name="other"/>'
        f'<{p}TiffData IFD="6" PlaneCount="1"/></{p}Pixels></{p}Image></{p}OME>'
    )


@pytest.mark.parametrize("prefix", ["", "OME"])
def test_each_image_has_its_own_description(tmp_path: Path, noise: Noise, prefix: str) -> None:
    pixels = noise(7, 20, 30)
    path = ome_tiff(tmp_path / "a.ome.tif", pixels, ome(prefix))
    found = read(path, series=0)
    labels = ("one & <two>", "three")
    expected = (Axis("c", labels=labels), Axis("z", 900, "nm"), Axis("y"), Axis("x", 0.5, "um"))
    assert found.axes == expected
    np.testing.assert_array_equal(np.asarray(found), pixels[:6].reshape(2, 3, 20, 30))
    other = read(path, series=1)
    assert other.axes == (Axis("frame"), Axis("y"), Axis("x", 7, "um"))
    np.testing.assert_array_equal(np.asarray(other), pixels[6:])


def test_what_stands_before_an_error_counts(tmp_path: Path, noise: Noise) -> None:
    path = ome_tiff(tmp_path / "a.ome.tif", noise(6, 20, 30), ome(more="<& no XML>"))
    assert read(path).axes[-1] == Axis("x", 0.5, "um")


def test_channels_that_have_names_keep_them(tmp_path: Path, noise: Noise) -> None:
    xml = ome().replace('Name="three" ', "")
    found = read(ome_tiff(tmp_path / "a.ome.tif", noise(7, 20, 30), xml), series=0)
    assert found.axes[0] == Axis("c", labels=("one & <two>", ""))
