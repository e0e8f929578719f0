"""Image stacks of Micro-Manager: in one file or several, renamed, stopped early, not closed."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import list_series, read
from support.micro_manager import Plane, summary, value, values, write

ALL = [(c, z, t, 0) for t, c, z in product(range(2), range(2), range(3))]
SECOND = [(c, z, t, 1) for c, z, t, _ in ALL]
RIGHT = [value(plane) for plane in ALL]


@pytest.mark.parametrize("name", ["e_MMStack_Pos0.ome.tif", "renamed.tif"])
def test_a_whole_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, ALL, summary(2, 3, 2))
    found = read(tmp_path / name, axis="z")
    assert isinstance(found, Hyperstack)
    assert found.axes == (
        Axis("t", 0.5, "s"), Axis("c", labels=("DAPI", "GFP")), Axis("z", 2.0, "um"),
        Axis("y", 0.65, "um"), Axis("x", 0.65, "um"),
    )  # fmt: skip
    assert values(found).ravel().tolist() == RIGHT
    assert found.frames.used.all()
    assert values(read(tmp_path / name, axis="z", every=2))[0, 0].tolist() == [1, 21]


@pytest.mark.parametrize("slices_first", [True, False])
def test_planes_in_the_order_of_their_recording(tmp_path: Path, slices_first: bool) -> None:
    planes = sorted(ALL, key=lambda plane: (-plane[2], plane[1], -plane[0]))
    about = summary(2, 3, 2, SlicesFirst=slices_first)
    write(tmp_path / "e_MMStack.ome.tif", planes, about)
    found = read(tmp_path / "e_MMStack.ome.tif")
    names = [axis.name for axis in found.axes[:3]]
    assert names == (["t", "c", "z"] if slices_first else ["t", "z", "c"])
    right = np.reshape(RIGHT, (2, 2, 3))
    np.testing.assert_array_equal(values(found), right if slices_first else right.swapaxes(1, 2))


@pytest.mark.parametrize("names", [
    ("e_MMStack_Default.ome.tif", "e_MMStack_Default_1.ome.tif", "e_MMStack_Default_2.ome.tif"),
    ("e_MMStack.ome.tif", "e_MMStack_1.ome.tif", "e_MMStack_2.ome.tif"),
    ("cells.tif", "cells_1.tif", "cells_2.tif"),
])  # fmt: skip
def test_an_acquisition_in_several_files(tmp_path: Path, names: tuple[str, ...]) -> None:
    planes = [(0, 0, t, 0) for t in range(6)]
    for number, name in enumerate(names):
        write(tmp_path / name, planes[2 * number : 2 * number + 2], summary(6))
    write(tmp_path / "f_MMStack_Default.ome.tif", [(0, 4, 0, 0)], summary(6))  # of another one
    right = [value(plane) for plane in planes]
    for name in names:
        found = read(tmp_path / name)
        assert found.shape == (6, 8, 9)
        assert values(found).tolist() == right
    assert values(read([tmp_path / name for name in names])).tolist() == right
    assert values(read([tmp_path / name for name in names], odd="skip")).tolist() == right
    with pytest.raises(ValueError, match=r"f_MMStack_.*does not belong to the set of"):
        read([tmp_path / names[0], tmp_path / "f_MMStack_Default.ome.tif"])


def test_positions_in_a_file_each(tmp_path: Path) -> None:
    names = ["e_MMStack_Pos0.ome.tif", "e_MMStack_Pos1.ome.tif"]
    for name, planes in zip(names, (ALL, SECOND), strict=True):
        write(tmp_path / name, planes, summary(2, 3, 2, 2))
    second = [value(plane) for plane in SECOND]
    assert values(read(tmp_path / names[1])).ravel().tolist() == second
    both = read(tmp_path)
    assert both.axes[0] == Axis("position", labels=("site 0", "site 1"))
    assert values(both).ravel().tolist() == RIGHT + second
    assert values(read(tmp_path, series="site 1")).ravel().tolist() == second
    assert values(read(tmp_path, series=1)).ravel().tolist() == second
    assert [text.partition(" (")[0] for text in list_series(tmp_path)] == [
        "0 'site 0'", "1 'site 1'"
    ]  # fmt: skip
    (tmp_path / names[0]).unlink()
    assert values(read(tmp_path)).ravel().tolist() == second


def test_positions_in_one_file(tmp_path: Path) -> None:
    mixed = [plane for pair in zip(ALL, SECOND, strict=True) for plane in pair]
    path = tmp_path / "e_MMStack.ome.tif"
    write(path, mixed, summary(2, 3, 2, 2), position_names=False)
    found = read(path)
    assert found.axes[0] == Axis("position", labels=("Pos0", "Pos1"))
    assert values(found).ravel().tolist() == RIGHT + [value(plane) for plane in SECOND]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", [7, 2])
def test_planes_that_were_never_recorded(tmp_path: Path, closed: bool, count: int) -> None:
    path = tmp_path / "e_MMStack.ome.tif"
    write(path, ALL[:count], summary(2, 3, 2), closed=closed)
    with pytest.warns(UserWarning, match=rf"of the 12 frames that are declared {12 - count} are"):
        found = read(path)
    assert found.shape == (2, 2, 3, 8, 9)
    assert values(found).ravel().tolist() == RIGHT[:count] + [0] * (12 - count)
    assert found.frames.used.tolist() == [True] * count + [False] * (12 - count)


def test_the_first_planes_can_be_missing(tmp_path: Path) -> None:
    planes: list[Plane] = [(0, 0, 2, 0), (0, 0, 3, 0)]
    write(tmp_path / "e_MMStack_1.ome.tif", planes, summary(4))
    with pytest.warns(UserWarning, match="of the 4 frames that are declared 2 are missing"):
        found = read(tmp_path / "e_MMStack_1.ome.tif")
    assert found.frames.used.tolist() == [False, False, True, True]
    assert values(found).tolist() == [0, 0, value(planes[0]), value(planes[1])]


def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "e_MMStack.ome.tif"
    write(path, ALL, summary(2, 3, 2))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=r"e_MMStack\.ome\.tif is damaged, cut off"):
        read(path)


def test_a_summary_that_claims_anything(tmp_path: Path) -> None:
    path = tmp_path / "e_MMStack.ome.tif"
    write(path, ALL, summary(10**6, 10**6, 2))
    assert values(read(path)).ravel().tolist() == RIGHT
    write(path, [(0, 6000, 0, 0), (0, 0, 600, 0)], summary(2, 3, 2))
    with pytest.raises(ValueError, match=r"its index map claims .* planes, of which 2 are there"):
        read(path)
