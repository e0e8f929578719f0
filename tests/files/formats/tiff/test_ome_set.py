"""OME sets: images in several files, in any order of the pages; several images in a file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import list_series, odd_files, read
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


def test_names_that_are_not_used_are_told(ome_set: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = ome_set
    with pytest.warns(UserWarning, match=r"from_names.* is not used"):
        found = read(folder, axis="z", from_names=True)
    np.testing.assert_array_equal(np.asarray(found), pixels)


def test_what_is_missing_is_named(ome_set: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = ome_set
    tifffile.imwrite(folder / "other.tif", pixels[0, 0, 0])
    with pytest.raises(ValueError, match=r"other\.tif does not belong to the set of"):
        read(folder)


@pytest.mark.parametrize("name", ["", "c0.ome.tif", "c2.ome.tif"])
def test_planes_of_a_lost_file_are_missing_frames(
    ome_set: tuple[Path, NDArray[Any]], name: str
) -> None:
    folder, pixels = ome_set
    (folder / "c1.ome.tif").unlink()
    with (
        pytest.warns(
            UserWarning, match=r"a file is missing \(c1\.ome\.tif\): planes of theirs are"
        ),
        pytest.warns(UserWarning, match="of the 24 frames that are declared 8 are missing"),
    ):
        found = read(folder / name, axis="z")
    assert isinstance(found, Hyperstack)
    used = found.frames.used.reshape(2, 3, 4)
    assert used[:, [0, 2]].all()
    assert not used[:, 1].any()
    assert not np.asarray(found)[:, 1].any()
    np.testing.assert_array_equal(np.asarray(found)[:, [0, 2]], pixels[:, [0, 2]])
    ticked = replace(found.frames, used=np.ones(24, bool))
    assert ticked.used.sum() == 16  # they cannot be ticked on


def test_a_set_without_any_file_of_an_image(tmp_path: Path) -> None:
    body = "".join(image(n, tiff_data(f"p{n}.tif")) for n in range(2))
    (tmp_path / COMPANION).write_text(ome(body, "companion"))
    with pytest.raises(FileNotFoundError, match=r"its file p0\.tif is missing: put the files"):
        read(tmp_path / COMPANION)


def image(number: int, data: str, step: float = 0.5, t: int = 3, name: str = "") -> str:
    """Describe an image of t planes in one file."""
    named = f'Name="{name}" ' if name else ""
    return (
        f'<Image ID="Image:{number}" {named}><Pixels ID="Pixels:{number}" DimensionOrder="XYCZT" '
        f'Type="uint16" SizeX="11" SizeY="9" SizeZ="1" SizeC="1" SizeT="{t}" '
        f'PhysicalSizeX="{step}" PhysicalSizeY="{step}"><Channel ID="Channel:{number}:0" '
        f'SamplesPerPixel="1"/>{data}</Pixels></Image>'
    )


def tiff_data(file: str = "", t: int = 3, start: int = 0) -> str:
    uuid = f'<UUID FileName="{file}">urn:uuid:{file}</UUID>' if file else ""
    return "".join(
        f'<TiffData FirstT="{n}" IFD="{start + n}" PlaneCount="1">{uuid}</TiffData>'
        for n in range(t)
    )


def ome(body: str, uuid: str = "") -> str:
    identified = f'UUID="urn:uuid:{uuid}"' if uuid else ""
    space = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'
    return f'<?xml version="1.0" encoding="UTF-8"?><OME {space} {identified}>{body}</OME>'


def save(path: Path, pixels: NDArray[Any], xml: str = "") -> None:
    options: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
    tifffile.imwrite(path, pixels, description=xml.encode() if xml else None, **options)


NAMES = ["a_Pos0.ome.tif", "a_Pos1.ome.tif"]


@pytest.fixture
def positions(tmp_path: Path, noise: Noise) -> tuple[Path, NDArray[Any]]:
    """Write a file a position."""
    pixels = noise(2, 3, 9, 11)
    body = "".join(image(n, tiff_data(name), name=f"P{n}") for n, name in enumerate(NAMES))
    for name, part in zip(NAMES, pixels, strict=True):
        save(tmp_path / name, part, ome(body, name))
    return tmp_path, pixels


def test_a_file_a_position(positions: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = positions
    for name, part in zip(NAMES, pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(read(folder / name)), part)
    for both in (folder, [folder / name for name in NAMES]):
        found = read(both)
        assert found.axes[0] == Axis("position", labels=("P0", "P1"))
        assert found.axes[-1] == Axis("x", 0.5, "um")
        np.testing.assert_array_equal(np.asarray(found), pixels)
    np.testing.assert_array_equal(np.asarray(read(folder, series="P1")), pixels[1])
    with pytest.raises(
        ValueError, match=r"no series 'P2': .*a_Pos0\.ome\.tif holds 2 series, 0 'P0'"
    ):
        read(folder, series="P2")


def test_a_position_whose_file_is_missing_is_told(positions: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = positions
    (folder / NAMES[0]).unlink()
    with pytest.warns(
        UserWarning, match=r"OME set of which a file is missing \(a_Pos0\.ome\.tif\)"
    ):
        found = read(folder)
    np.testing.assert_array_equal(np.asarray(found), pixels[1])


def test_a_file_that_was_renamed(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 9, 11)
    for uuid in ("old.ome.tif", ""):
        save(tmp_path / "new.tif", pixels, ome(image(0, tiff_data("old.ome.tif")), uuid))
        np.testing.assert_array_equal(np.asarray(read(tmp_path / "new.tif")), pixels)


def test_a_set_whose_files_were_renamed(ome_set: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = ome_set
    for number in range(3):
        (folder / f"c{number}.ome.tif").rename(folder / f"new {number}.tif")
    for name in ("", "new 1.tif"):
        np.testing.assert_array_equal(np.asarray(read(folder / name)), pixels)


def test_a_set_whose_files_changed_names(ome_set: tuple[Path, NDArray[Any]]) -> None:
    folder, pixels = ome_set
    for old, new in (("c0", "x"), ("c1", "c0"), ("c2", "c1"), ("x", "c2")):
        (folder / f"{old}.ome.tif").rename(folder / f"{new}.ome.tif")
    for name in ("", "c1.ome.tif"):
        np.testing.assert_array_equal(np.asarray(read(folder / name, axis="z")), pixels)


def test_several_images_in_a_file(tmp_path: Path, noise: Noise) -> None:
    pixels, path = noise(6, 9, 11), tmp_path / "a.ome.tif"
    save(path, pixels, ome(image(0, tiff_data()) + image(1, tiff_data(start=3))))
    np.testing.assert_array_equal(np.asarray(read(path)).reshape(6, 9, 11), pixels)
    second = read(path, series=1, every=2)
    np.testing.assert_array_equal(np.asarray(second), pixels[3::2])
    np.testing.assert_array_equal(second.render(1, slice(2, 4)), pixels[5, 2:4])
    save(path, pixels[:5], ome(image(0, tiff_data()) + image(1, tiff_data(start=3, t=2), t=2)))
    with pytest.warns(UserWarning, match="2 series that differ, and the first is read"):
        np.testing.assert_array_equal(np.asarray(read(path)), pixels[:3])
    np.testing.assert_array_equal(np.asarray(read(path, series=1)), pixels[3:5])
    assert list_series(path) == [
        "0 (11 x 9 uint16 pixels, t = 3)",
        "1 (11 x 9 uint16 pixels, t = 2)",
    ]


def test_images_of_different_sizes(tmp_path: Path, noise: Noise) -> None:
    small, large = noise(2, 9, 11), noise(3, 20, 30)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        tif.write(small, metadata={"axes": "ZYX"})
        tif.write(large, metadata={"axes": "TYX"})
    with pytest.warns(UserWarning, match="2 series that differ"):
        np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.ome.tif")), small)
    stack = read(tmp_path / "a.ome.tif", series=1)
    assert stack.axes[0].name == "t"
    np.testing.assert_array_equal(np.asarray(stack), large)


@pytest.mark.parametrize("gap", ["not described", "beyond the end"])
def test_planes_that_were_never_recorded(tmp_path: Path, noise: Noise, gap: str) -> None:
    pixels, path = noise(3, 9, 11), tmp_path / "a.ome.tif"
    data = tiff_data(t=5 if gap == "beyond the end" else 3)
    save(path, pixels, ome(image(0, data, t=5)))
    with pytest.warns(UserWarning, match="of the 5 frames that are declared 2 are missing"):
        stack = read(path)
    assert stack.used.tolist() == [True, True, True, False, False]
    np.testing.assert_array_equal(np.asarray(stack)[:3], pixels)
    assert not np.asarray(stack)[3:].any()


COMPANION = "a.companion.ome"


@pytest.mark.parametrize("binary_only", [True, False])
def test_a_companion_describes_the_files(tmp_path: Path, noise: Noise, binary_only: bool) -> None:
    pixels = noise(2, 3, 9, 11)
    body = "".join(image(n, tiff_data(f"p{n}.tif"), name=f"P{n}") for n in range(2))
    (tmp_path / COMPANION).write_text(ome(body, "companion"))
    only = f'<BinaryOnly MetadataFile="{COMPANION}" UUID="urn:uuid:companion"/>'
    for n, part in enumerate(pixels):
        save(tmp_path / f"p{n}.tif", part, ome(only, f"p{n}.tif") if binary_only else "")
    for named in (tmp_path, tmp_path / COMPANION):
        found = read(named)
        assert found.axes[0] == Axis("position", labels=("P0", "P1"))
        np.testing.assert_array_equal(np.asarray(found), pixels)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "p1.tif")), pixels[1])
    if binary_only:
        (tmp_path / COMPANION).unlink()
        with pytest.raises(
            FileNotFoundError, match=r"that a\.companion\.ome describes, and that file"
        ):
            read(tmp_path / "p1.tif")


def test_a_master_file_describes_the_others(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 9, 11)
    names = ["p0.ome.tif", "p1.ome.tif"]
    body = "".join(image(n, tiff_data(name)) for n, name in enumerate(names))
    save(tmp_path / names[0], pixels[0], ome(body, names[0]))
    only = f'<BinaryOnly MetadataFile="{names[0]}" UUID="urn:uuid:{names[0]}"/>'
    save(tmp_path / names[1], pixels[1], ome(only, names[1]))
    np.testing.assert_array_equal(np.asarray(read(tmp_path)), pixels)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / names[1])), pixels[1])


def test_a_description_that_claims_anything_is_damaged(tmp_path: Path, noise: Noise) -> None:
    xml = ome(image(0, tiff_data(), t=10**9) + image(1, ""))
    save(tmp_path / "a.ome.tif", noise(3, 9, 11), xml)
    with pytest.raises(ValueError, match=r"a\.ome\.tif .*claims .* planes, which no file holds"):
        read(tmp_path / "a.ome.tif")


def test_a_series_of_another_size_is_not_odd(tmp_path: Path, noise: Noise) -> None:
    for number in range(2):
        with tifffile.TiffWriter(tmp_path / f"{number}.ome.tif", ome=True) as tif:
            tif.write(noise(2, 9, 11), metadata={"axes": "ZYX"})
            tif.write(noise(3, 20, 30), metadata={"axes": "TYX"})
    found = read(tmp_path, series=1)
    assert found.shape == (2, 3, 20, 30)
    assert odd_files(found) == {}
