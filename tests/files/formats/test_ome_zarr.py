"""Zarr and OME-Zarr, read and written."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import list_series, read, read_recipe, write
from support.files import assert_holds
from support.pixels import Noise

AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.1, "um"))  # fmt: skip


@pytest.mark.parametrize("compression", ["zlib", "none", "zstd"])
def test_zarr_round_trip(tmp_path: Path, noise: Noise, compression: Any) -> None:
    pytest.importorskip("zarr")
    pixels = noise(3, 2, 4, 9, 11)
    recipe = {"steps": []}
    write(tmp_path / "a.zarr", pixels, axes=AXES, recipe=recipe, compression=compression)
    found = read(tmp_path / "a.zarr")
    assert found.axes == AXES
    assert_holds(tmp_path / "a.zarr", pixels)
    assert read_recipe(tmp_path / "a.zarr") == recipe
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    with pytest.raises(FileExistsError, match=r"a\.zarr exists already"):
        write(tmp_path / "a.zarr", pixels, axes=AXES)
    write(tmp_path / "a.zarr", pixels[:, ::-1], axes=AXES, overwrite=True)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels[:, ::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("channels", [(), (3,), (4,), (2,)])
def test_images_and_colours_in_zarr(
    tmp_path: Path, noise: Noise, channels: tuple[int, ...]
) -> None:
    pytest.importorskip("zarr")
    pixels = noise(9, 11, *channels, dtype="uint8")
    write(tmp_path / "a.zarr", pixels, rgb=channels in ((3,), (4,)))
    stack = assert_holds(tmp_path / "a.zarr", pixels[np.newaxis])
    assert (stack.rgb, stack.alpha) == (channels in ((3,), (4,)), channels == (4,))


def test_zarr_that_others_wrote(tmp_path: Path, noise: Noise) -> None:
    zarr = pytest.importorskip("zarr")
    pixels = noise(2, 3, 9, 11)
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    inner = group.create_group("0")
    array = inner.create_array("full", shape=pixels.shape, chunks=(1, 1, 3, 11), dtype="u2")
    array[:] = pixels
    axes = [{"name": "c", "type": "channel"}] + [
        {"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"
    ]
    scale = [{"type": "scale", "scale": [1, 2.0, 0.5, 0.25]}]
    datasets = [{"path": "full", "coordinateTransformations": scale}]
    inner.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    inner.attrs["omero"] = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    expected = (Axis("c", labels=("DAPI", "GFP")), Axis("z", 2, "um"), Axis("y", 0.5, "um"),
                Axis("x", 0.25, "um"))  # fmt: skip
    for path in (tmp_path / "a.zarr", tmp_path / "a.zarr" / "0"):
        assert read(path).axes == expected
        assert assert_holds(path, pixels).source.partial
    bare = zarr.create_array(tmp_path / "b.zarr", shape=(2, 9, 11), chunks=(1, 9, 11), dtype=">i2")
    bare[:] = pixels[0, :2].astype("int16")
    assert not assert_holds(tmp_path / "b.zarr", pixels[0, :2].astype("int16")).source.partial
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(ValueError, match=r"c\.zarr cannot be read: the zarr group holds no image"):
        read(tmp_path / "c.zarr")


def test_a_zarr_is_whole_or_absent(tmp_path: Path, noise: Noise) -> None:
    pytest.importorskip("zarr")
    stack = Stack.wrap(noise(5, 9, 11))
    before = noise(5, 9, 11)
    write(tmp_path / "a.zarr", Stack.wrap(before))

    def tick(done: int, total: int, what: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.zarr", stack, overwrite=True, run=Run(tick=tick))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), before)
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "diary.txt").touch()
    with pytest.raises(FileExistsError, match="is no zarr"):
        write(tmp_path / "mine.zarr", stack, overwrite=True)
    with pytest.raises(ValueError, match="not lzw"):
        write(tmp_path / "b.zarr", stack, compression="lzw")


def image(group: Any, pixels: NDArray[Any], version: str, name: str = "") -> None:
    """Write an image with axes z, y and x into a group."""
    array = group.create_array("0", shape=pixels.shape, chunks=(1, *pixels.shape[1:]), dtype="u2")
    array[:] = pixels
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    scale = [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    described = [{"version": version, "name": name, "axes": axes, "datasets": datasets}]
    describe(group, version, multiscales=described)


def describe(group: Any, version: str, **attributes: Any) -> None:
    if version == "0.4":
        group.attrs.update(attributes)
    else:
        group.attrs["ome"] = {"version": version, **attributes}


FORMATS = {"0.4": 2, "0.5": 3}


def plate(
    path: Path, pixels: dict[str, NDArray[Any]], version: str, lost: tuple[str, ...] = ()
) -> None:
    zarr = pytest.importorskip("zarr")
    group = zarr.create_group(path, zarr_format=FORMATS[version])
    wells = list(dict.fromkeys(name.rpartition("/")[0] for name in pixels))
    entries = [{"path": well, "rowIndex": 0, "columnIndex": 0} for well in [*wells, *lost]]
    describe(group, version, plate={"version": version, "wells": entries, "name": "p"})
    for well in wells:
        inner = group.create_group(well)
        fields = [n.rpartition("/")[2] for n in pixels if n.startswith(f"{well}/")]
        describe(inner, version, well={"images": [{"path": field} for field in fields]})
        for field in fields:
            image(inner.create_group(field), pixels[f"{well}/{field}"], version)


NAMES = ("A/1/0", "A/1/1", "B/2/0", "B/2/1")


@pytest.mark.parametrize("version", FORMATS)
def test_a_plate(tmp_path: Path, noise: Noise, version: str) -> None:
    pixels = {name: noise(3, 9, 11) for name in NAMES}
    plate(tmp_path / "a.zarr", pixels, version)
    found = read(tmp_path / "a.zarr", axis="z")
    assert found.axes == (
        Axis("position", labels=NAMES), Axis("z", 2.0, "um"), Axis("y", 0.5, "um"),
        Axis("x", 0.25, "um"),
    )  # fmt: skip
    np.testing.assert_array_equal(np.asarray(found), np.stack(list(pixels.values())))
    chosen = read(tmp_path / "a.zarr", series="B/2/0")
    np.testing.assert_array_equal(np.asarray(chosen), pixels["B/2/0"])
    np.testing.assert_array_equal(chosen.render(2, slice(3, 5)), pixels["B/2/0"][2, 3:5])
    well = read(tmp_path / "a.zarr" / "B" / "2")
    assert well.axes[0] == Axis("position", labels=("0", "1"))
    np.testing.assert_array_equal(np.asarray(well)[1], pixels["B/2/1"])
    assert len(list_series(tmp_path / "a.zarr")) == 4


@pytest.mark.parametrize("version", FORMATS)
def test_wells_and_fields_that_are_not_there_are_told(
    tmp_path: Path, noise: Noise, version: str
) -> None:
    pixels = {name: noise(2, 5, 6) for name in NAMES}
    plate(tmp_path / "a.zarr", pixels, version, lost=("H/12",))
    shutil.rmtree(tmp_path / "a.zarr" / "B" / "2" / "1")
    told = r"of the 5 images that the zarr declares 2 are not there, and are left out: B/2/1, H/12"
    with pytest.warns(UserWarning, match=told):
        found = read(tmp_path / "a.zarr")
    assert found.axes[0].labels == NAMES[:3]
    np.testing.assert_array_equal(np.asarray(found), np.stack([pixels[n] for n in NAMES[:3]]))


@pytest.mark.parametrize("version", [2, 3])
def test_axes_by_the_names_that_an_array_has(tmp_path: Path, version: int) -> None:
    zarr = pytest.importorskip("zarr")
    pixels = np.arange(8 * 9 * 3, dtype="u2").reshape(8, 9, 3)
    names = ["y", "x", "depth"]
    more = {"dimension_names": names} if version == 3 else {}
    array = zarr.create_array(
        tmp_path / "a.zarr", data=pixels, chunks=(4, 9, 3), zarr_format=version, **more
    )
    if version == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = names
    found = read(tmp_path / "a.zarr")
    assert found.axes == (Axis("z"), Axis("y"), Axis("x"))
    np.testing.assert_array_equal(np.asarray(found), pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(found.render(1, slice(2, 6)), pixels[2:6, :, 1])


def test_fields_that_differ_are_named(tmp_path: Path, noise: Noise) -> None:
    pixels = {"A/1/0": noise(3, 9, 11), "A/1/1": noise(4, 9, 11)}
    plate(tmp_path / "a.zarr", pixels, "0.5")
    with pytest.warns(UserWarning, match=r"2 series that differ.* 0 'A/1/0' .*; 1 'A/1/1' "):
        np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels["A/1/0"])
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr", series=1)), pixels["A/1/1"])


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("named", [True, False])
def test_series_as_bioformats2raw_writes_them(
    tmp_path: Path, noise: Noise, version: str, named: bool
) -> None:
    zarr = pytest.importorskip("zarr")
    pixels = noise(2, 3, 9, 11)
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=FORMATS[version])
    describe(group, version, **{"bioformats2raw.layout": 3})
    for number, part in enumerate(pixels):
        image(group.create_group(str(number)), part, version)
    if named:
        inner = group.create_group("OME")
        describe(inner, version, series=["0", "1"])
        images = "".join(f'<Image Name="P{n}"><Pixels SizeX="11"/></Image>' for n in range(2))
        xml = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'
        (tmp_path / "a.zarr" / "OME" / "METADATA.ome.xml").write_text(xml)
    found = read(tmp_path / "a.zarr")
    labels = ("P0", "P1") if named else ("0", "1")
    assert found.axes[0] == Axis("position", labels=labels)
    np.testing.assert_array_equal(np.asarray(found), pixels)
    np.testing.assert_array_equal(
        np.asarray(read(tmp_path / "a.zarr", series=labels[1])), pixels[1]
    )


def test_several_arrays_and_several_scales_in_a_group(tmp_path: Path, noise: Noise) -> None:
    zarr = pytest.importorskip("zarr")
    first, second = noise(3, 9, 11), noise(4, 9, 12)
    group = zarr.create_group(tmp_path / "a.zarr")
    for name, pixels in {"raw": first, "seg": second}.items():
        group.create_array(name, data=pixels)
    with pytest.warns(UserWarning, match=r"2 series that differ.* 0 'raw' .*; 1 'seg' "):
        assert read(tmp_path / "a.zarr").shape == first.shape
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr", series="seg")), second)
    scales = [
        {"name": name, "axes": ["z", "y", "x"], "datasets": [{"path": name}]}
        for name in ("raw", "seg")
    ]
    describe(group, "0.5", multiscales=scales)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr", series="seg")), second)


@pytest.mark.parametrize("name", ["a.zarr.zip", "a.ozx", "a.zip"])
@pytest.mark.parametrize("inside", ["", "a.zarr"])
def test_a_zarr_in_a_zip(tmp_path: Path, noise: Noise, name: str, inside: str) -> None:
    pixels = noise(3, 2, 4, 9, 11)
    (tmp_path / "b").mkdir()
    folder = tmp_path / "b" / "x.zarr"
    write(folder, pixels, axes=AXES)
    with zipfile.ZipFile(tmp_path / name, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.write(path, Path(inside) / path.relative_to(folder))
    found = read(tmp_path / name)
    assert found.axes == AXES
    assert_holds(tmp_path / name, pixels)
    if name != "a.zip":
        np.testing.assert_array_equal(np.asarray(read(tmp_path)), pixels)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"is damaged, cut off"):
        read(tmp_path / name)
