"""OME-Zarr as other readers need it: order of axes, channels, windows, levels, chunks, shards."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.look import Look, ramp
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, write
from support.pixels import Noise

CHANNELS = Axis("c", labels=("DAPI", "GFP"), looks=(Look("", ramp("blue"), (3, 99)), Look()))
KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def written(path: Path, data: Any, **options: Any) -> tuple[Any, dict[str, Any]]:
    write(path, data, **options)
    group = zarr.open_group(path, mode="r")
    return group, dict(group.attrs).get("ome", {})  # type: ignore[call-overload, no-any-return]


def obeys_ngff(group: Any, ome: dict[str, Any]) -> None:
    """Check what version 0.5 demands of axes, levels and channels."""
    (scales,) = ome["multiscales"]
    kinds = [axis.get("type") for axis in scales["axes"]]
    assert kinds == sorted(kinds, key=["time", "channel", None, "space"].index)
    assert [axis["name"] for axis in scales["axes"]][-2:] == ["y", "x"]
    array = group["0"]
    assert len(kinds) == array.ndim <= 5
    for dataset in scales["datasets"]:
        for change in dataset["coordinateTransformations"]:
            assert len(change[change["type"]]) == array.ndim
    count = array.shape[kinds.index("channel")] if "channel" in kinds else 1
    assert len(ome["omero"]["channels"]) == count
    for channel in ome["omero"]["channels"]:
        assert int(channel["color"], 16) < 2**24
        window = channel["window"]
        assert window["min"] <= window["start"] < window["end"] <= window["max"]


@pytest.mark.parametrize("axes", ["tzc", "ctz", "zc", "czt", "ct", "tz", "c", "z", "frame", ""])
def test_any_order_of_axes(tmp_path: Path, noise: Noise, axes: str) -> None:
    names = [axes] if axes == "frame" else list(axes)
    pixels = noise(*range(2, 2 + len(names)), 24, 30)
    group, ome = written(tmp_path / "a.zarr", pixels, axes=[*names, "y", "x"])
    obeys_ngff(group, ome)
    stored = [axis["name"] for axis in ome["multiscales"][0]["axes"]]
    order = [[*names, "y", "x"].index(name) for name in stored]
    np.testing.assert_array_equal(group["0"][...], pixels.transpose(order))
    found = read(tmp_path / "a.zarr")
    np.testing.assert_array_equal(np.asarray(found).reshape(pixels.shape), pixels)
    assert [axis.name for axis in found.leading] == (names or ["frame"])
    np.testing.assert_array_equal(found.frames.render(0, slice(3, 7)), found.frames[0][3:7])


@pytest.mark.parametrize("channels", [2, 3, 4, 5])
@pytest.mark.parametrize("axes", ["tyx", "ztyx"])
def test_channels_of_a_pixel_are_channels(
    tmp_path: Path, noise: Noise, channels: int, axes: str
) -> None:
    pixels, rgb = noise(*(3, 2, 24, 30)[-len(axes) :], channels), channels in (3, 4)
    group, ome = written(tmp_path / "a.zarr", pixels, axes=axes, rgb=rgb)
    obeys_ngff(group, ome)
    labels = [channel["label"] for channel in ome["omero"]["channels"]]
    assert labels == (
        ["red", "green", "blue", "alpha"][:channels] if rgb else list("01234")[:channels]
    )
    found = read(tmp_path / "a.zarr")
    assert found.rgb == rgb
    np.testing.assert_array_equal(np.asarray(found), pixels)


def test_names_colours_and_windows(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(3, 2, 24, 30)
    axes = ("t", CHANNELS, Axis("y", 0.5, "um", start=-4.0), Axis("x", 0.5, "um"))
    _, ome = written(tmp_path / "a.zarr", pixels, axes=axes)
    first, second = ome["omero"]["channels"]
    assert (first["label"], first["color"]) == ("DAPI", "0000FF")
    assert first["window"] == {"min": 0, "max": 65535, "start": 3, "end": 99}
    assert (second["label"], second["color"]) == ("GFP", "FFFFFF")
    seen = {"start": pixels[:, 1].min(), "end": pixels[:, 1].max()}
    assert second["window"] == {"min": 0, "max": 65535, **seen}
    assert read(tmp_path / "a.zarr").axes[1:] == axes[1:]  # windows of the pixels are no choice


@pytest.mark.parametrize("values", [0.0, np.nan, 7.5])
def test_windows_of_floats(tmp_path: Path, values: float) -> None:
    group, ome = written(tmp_path / "a.zarr", np.full((8, 9), values, np.float32))
    obeys_ngff(group, ome)


def test_what_others_wrote(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "a.zarr")
    group.create_array("0", shape=(2, 8, 9), dtype="uint16")
    axes = [{"name": name, "type": KINDS[name]} for name in "cyx"]
    changes = [
        {"type": "scale", "scale": [1, 2, 3]},
        {"type": "translation", "translation": [0, 5, 6]},
    ]
    channels = [{"label": "a", "color": "00ff00", "window": {"start": 1, "end": 5}}, {"label": "b"}]
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": changes}],
             "coordinateTransformations": [{"type": "scale", "scale": [1, 10, 10]}]}
        ],
        "omero": {"channels": channels},
    }  # fmt: skip
    found = read(tmp_path / "a.zarr")
    looks = (Look("", ramp("green"), (1, 5)), Look())
    assert found.axes == (
        Axis("c", labels=("a", "b"), looks=looks),
        Axis("y", 20, start=50),
        Axis("x", 30, start=60),
    )


def test_a_window_that_was_changed_since_counts(tmp_path: Path, noise: Noise) -> None:
    write(tmp_path / "a.zarr", noise(2, 8, 9), axes="tyx")
    group = zarr.open_group(tmp_path / "a.zarr")
    ome = dict(group.attrs["ome"])  # type: ignore[arg-type]
    ome["omero"]["channels"][0]["window"] |= {"start": 2, "end": 3}
    group.attrs["ome"] = ome
    assert read(tmp_path / "a.zarr").frames.look == Look(limits=(2, 3))


def test_levels_are_means(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 1100, 601)
    axes = ("t", Axis("y", 0.5, "um"), Axis("x", 0.5, "um", start=3.0))
    group, ome = written(tmp_path / "a.zarr", pixels, axes=axes)
    obeys_ngff(group, ome)
    assert [group[str(k)].shape[1:] for k in range(3)] == [(1100, 601), (550, 301), (275, 151)]
    means = pixels[:, :, :600].reshape(2, 550, 2, 300, 2).astype(float).mean((2, 4))
    np.testing.assert_allclose(group["1"][:, :, :300], means, atol=0.5)
    second = ome["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    assert second[0]["scale"] == [1, 1, 1]
    assert second[1]["translation"] == [0, 0.25, 3.25]  # the middle of four pixels
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels)


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "uint8"])
def test_levels_keep_the_type(tmp_path: Path, noise: Noise, dtype: str) -> None:
    group, _ = written(tmp_path / "a.zarr", noise(9, 11, dtype=dtype), levels=4)
    assert [group[str(k)].shape for k in range(4)] == [(9, 11), (5, 6), (3, 3), (2, 2)]
    assert {group[str(k)].dtype for k in range(4)} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("chunks", "shards", "stored"),
    [
        ((8, 16), None, ((1, 1, 1, 8, 16), None)),
        ((1, 2, 3, 8, 16), None, ((1, 3, 2, 8, 16), None)),
        ((8, 16), (24, 32), ((1, 1, 1, 8, 16), (1, 1, 1, 24, 32))),
        ((1, 1, 2, 8, 16), (2, 2, 4, 24, 30), ((1, 2, 1, 8, 16), (2, 4, 2, 24, 32))),
    ],
)
def test_chunks_and_shards(
    tmp_path: Path, noise: Noise, chunks: Any, shards: Any, stored: tuple[Any, Any]
) -> None:
    pixels = noise(3, 4, 5, 24, 30)
    group, ome = written(tmp_path / "a.zarr", pixels, axes="tzcyx", chunks=chunks,
                         shards=shards, levels=2)  # fmt: skip
    obeys_ngff(group, ome)
    array = group["0"]
    assert (array.chunks, array.shards) == stored
    np.testing.assert_array_equal(array[...], pixels.transpose(0, 2, 1, 3, 4))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr", axis="z")), pixels)


@pytest.mark.parametrize("chunks", [(8,), (0, 8), (1, 8, 8, 8, 8)])
def test_chunks_that_do_not_fit(tmp_path: Path, noise: Noise, chunks: Any) -> None:
    with pytest.raises(ValueError, match="chunks needs whole numbers above 0 along y and x"):
        write(tmp_path / "a.zarr", noise(3, 24, 30), axes="tyx", chunks=chunks)
    assert not (tmp_path / "a.zarr").exists()


def test_no_more_than_a_chunk_is_held(tmp_path: Path) -> None:
    """Frames come one after another, those of a chunk together: never more than these."""

    class Counted(ArraySource):
        def pixels(self, index: int, rows: slice | None = None) -> Any:
            seen.append(index)
            return super().pixels(index, rows)

    seen: list[int] = []
    stack = Stack(Counted(np.zeros((12, 24, 30), np.uint8)))
    write(tmp_path / "a.zarr", stack, chunks=(4, 24, 30), run=Run(workers=1))
    assert seen == list(range(12))
    large = Stack.wrap(np.broadcast_to(np.uint8(0), (12, 400, 400)))
    with pytest.raises(ValueError, match="choose a chunk of fewer frames"):
        write(tmp_path / "b.zarr", large, chunks=(12, 400, 400), run=Run(memory=2**20))


def test_frames_are_computed_in_the_order_of_the_array(tmp_path: Path, noise: Noise) -> None:
    hyper = Hyperstack.wrap(noise(2, 3, 4, 8, 9), axes="zctyx")
    group, ome = written(tmp_path / "a.zarr", hyper, chunks=(2, 1, 1, 8, 9))
    obeys_ngff(group, ome)
    np.testing.assert_array_equal(group["0"][...], np.asarray(hyper).transpose(2, 1, 0, 3, 4))


def test_axes_have_the_names_that_others_know(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 2, 8, 9)
    axes = ("Z", Axis("Channel", labels=("a", "b", "c")), "T", "Y", "X")
    group, ome = written(tmp_path / "a.zarr", pixels, axes=axes)
    obeys_ngff(group, ome)
    assert [axis["name"] for axis in ome["multiscales"][0]["axes"]] == list("tczyx")
    found = read(tmp_path / "a.zarr")
    assert [axis.name for axis in found.axes] == ["Z", "Channel", "T", "Y", "X"]
    assert found.axes[1].labels == ("a", "b", "c")
    np.testing.assert_array_equal(np.asarray(found), pixels)


def test_axes_that_ngff_has_not(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(2, 3, 2, 2, 8, 9)
    with pytest.warns(UserWarning, match="other programs open it as a plain zarr array"):
        _, ome = written(tmp_path / "a.zarr", pixels, axes=("p", "t", "c", "b", "y", "x"))
    assert ome == {}
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels)


def test_napari_ome_zarr_opens_it(tmp_path: Path, noise: Noise) -> None:
    plugin = pytest.importorskip("napari_ome_zarr")
    axes = (
        Axis("t", 2, "s"),
        Axis("z", 3, "um"),
        CHANNELS,
        Axis("y", 0.5, "um"),
        Axis("x", 0.5, "um"),
    )
    pixels = noise(2, 3, 2, 24, 30)
    write(tmp_path / "a.zarr", pixels, axes=axes, levels=2)
    path = str(tmp_path / "a.zarr")
    ((data, options, kind),) = plugin.napari_get_reader(path)(path)
    assert (kind, options["channel_axis"]) == ("image", 1)
    assert [name.rpartition(" ")[2] for name in options["name"]] == ["DAPI", "GFP"]
    assert options["contrast_limits"][0] == [3, 99]
    assert list(options["scale"]) == [2, 3, 0.5, 0.5]
    np.testing.assert_array_equal(np.asarray(data[0]), pixels.swapaxes(1, 2))
