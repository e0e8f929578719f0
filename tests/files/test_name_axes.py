"""Axes that are written in the names of files and folders."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.files import read
from napari_stack.files.name_axes import axes_by_pattern, axes_in_names, may_be_plain

DAPI_GFP = ("DAPI", "GFP")
TZC = list(product(range(2), range(3), range(2)))

#: Names of programs, and the axes that they tell of.
LAYOUTS: dict[str, tuple[list[str], dict[str, int]]] = {
    "Leica": (
        [f"e_t{t:03d}_z{z:03d}_ch{c:02d}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
    "MetaMorph": (
        [f"e_w{c + 1}{DAPI_GFP[c]}_s{s + 1}_t{t + 1}" for s, t, c in TZC],
        {"position": 2, "t": 3, "c": 2},
    ),
    "MetaMorph, another order": (
        [f"e_s{s + 1}_w{c + 1}{DAPI_GFP[c]}_t{t + 1}" for s, t, c in TZC],
        {"position": 2, "t": 3, "c": 2},
    ),
    "Micro-Manager 2": (
        [f"Pos{p}/img_channel{c:03d}_position{p:03d}_time000000000_z{z:03d}" for p, z, c in TZC],
        {"position": 2, "z": 3, "c": 2},
    ),
    "Micro-Manager 2, without positions": (
        [f"Pos{p}/img_channel{c:03d}_time000000000_z{z:03d}" for p, z, c in TZC],
        {"position": 2, "z": 3, "c": 2},
    ),
    "Micro-Manager 1.4": (
        [f"1-Pos_000_00{p}/img_000000000_{DAPI_GFP[c]}_{z:03d}" for p, z, c in TZC],
        {"position": 2, "z": 3, "c": 2},
    ),
    "Harmony": (
        [f"Images/r0{r + 1}c02f03p0{z + 1}-ch{c + 1}sk1fk1fl1" for r, z, c in TZC],
        {"row": 2, "z": 3, "c": 2},
    ),
    "CellVoyager": (
        [f"e_{'AB'[w]}01_T0001F00{f + 1}L01A01Z01C0{c + 1}" for w, f, c in TZC],
        {"well": 2, "position": 3, "c": 2},
    ),
    "ScanR": (
        [f"e--W0000{w}--P0000{p}--Z00000--T00000--{DAPI_GFP[c]}" for w, p, c in TZC],
        {"well": 2, "position": 3, "c": 2},
    ),
    "ImageXpress": (
        [f"TimePoint_{t + 1}/e_A01_s{s + 1}_w{c + 1}" for s, t, c in TZC],
        {"position": 2, "t": 3, "c": 2},
    ),
    "Nikon": ([f"e_xy0{p}z{z}c{c + 1}" for p, z, c in TZC], {"position": 2, "z": 3, "c": 2}),
    "Nikon, behind a name": (
        [f"expt00{t}xy0{p}c{c + 1}" for p, t, c in TZC], {"position": 2, "t": 3, "c": 2}
    ),
    "MetaMorph, names with blanks": (
        [f"e_w{c + 1} {DAPI_GFP[c]}_s{s + 1}_z{z}" for s, z, c in TZC],
        {"position": 2, "z": 3, "c": 2},
    ),
    "exponents": (
        [f"e_z{(z + 1) * 5}e-1_t{t}_w{c}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
    "channels in the names of folders and of files": (
        [f"{DAPI_GFP[c]}/{DAPI_GFP[c]}_t{t}_z{z}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
    "Zeiss": ([f"e_s{s}z0{z}c{c}_ORG" for s, z, c in TZC], {"position": 2, "z": 3, "c": 2}),
    "a folder a channel": (
        [f"{DAPI_GFP[c]}/e_t{t}_z{z}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
    "Incucyte": (
        [f"VID10_{'AB'[w]}1_{p + 1}_2019y05m05d_0{2 * h}h00m" for w, p, h in TZC],
        {"well": 2, "position": 3, "t": 2},
    ),
    "decimals with a comma": (
        [f"e_t{t}_z{(3, '3,25', '3,5')[z]}_c{c}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
    "names of channels": (
        [f"e_t{t}z{z} {DAPI_GFP[c]}" for t, z, c in TZC], {"t": 2, "z": 3, "c": 2}
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_of_programs(layout: str) -> None:
    names, axes = LAYOUTS[layout]
    files = [f"/data/{name}.tif" for name in names]
    order = np.random.default_rng(3).permutation(len(files))
    found = axes_in_names([files[number] for number in order])
    assert found is not None
    assert dict(zip([a.name for a in found.axes], found.sizes, strict=True)) == axes
    assert [a.name for a in found.axes] == list(axes)
    assert order[found.grid].tolist() == list(range(12))
    assert found.is_plain
    labels = next((a.labels for a in found.axes if a.name == "c"), ())
    assert labels in ((), DAPI_GFP)
    assert (labels == DAPI_GFP) == any("DAPI" in name for name in names)


@pytest.mark.parametrize(
    "names",
    [
        ["VID1_A1_1_2019y15m05d_00h00m", "VID1_A1_2_2019y15m05d_00h00m"],  # no month
        ["DSC_0001", "DSC_0002", "DSC_0003"],
        ["t0", "t1", "t2"],
        ["2024-01-01_a", "2024-01-02_a", "2024-01-03_b"],
        [f"t{i}_z{i}" for i in range(9)],  # z only counts on
        ["run1/f1", "run1/f2", "run2/f1", "run2/f2"],
        ["t0_z0", "t0_z1", "t1_z0", "other"],
        ["a", "b", "c"],
        ["t1_z1_copy", "t1_z1"],
        ["only one"],
    ],
)
def test_names_that_tell_of_no_grid_are_not_told(names: list[str]) -> None:
    found = axes_in_names([f"/d/{name}.tif" for name in names])
    assert found is None or not found.is_plain


def saved(folder: Path, names: list[str], *, shape: tuple[int, ...] = (4, 5)) -> NDArray[Any]:
    """Write a file for each name, of increasing values."""
    pixels = np.stack([np.full(shape, number + 1, np.uint8) for number in range(len(names))])
    for name, frame in zip(names, pixels, strict=True):
        path = folder / f"{name}.tif"
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, frame, photometric="minisblack")
    return pixels


def values(found: Any) -> list[int]:
    return np.asarray(found)[..., 0, 0].ravel().tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("layout", ["Leica", "Micro-Manager 2", "a folder a channel"])
def test_files_are_laid_out_when_asked_for(tmp_path: Path, layout: str) -> None:
    names, axes = LAYOUTS[layout]
    saved(tmp_path, names)
    with pytest.warns(
        UserWarning, match="the names of the 12 files tell of axes, .*from_names=True"
    ):
        assert read(f"{tmp_path}/**/*.tif").shape == (12, 4, 5)
    found = read(f"{tmp_path}/**/*.tif", from_names=True)
    assert isinstance(found, Hyperstack)
    assert dict(zip([a.name for a in found.leading], found.sizes, strict=True)) == axes
    assert values(found) == list(range(1, 13))
    assert found.frames.used.all()


@pytest.mark.parametrize("missing", [(1, 1, 0), (0, 0, 0), (1, 2, 1)])
def test_a_gap_is_a_missing_frame(tmp_path: Path, missing: tuple[int, int, int]) -> None:
    names = [f"e_t{t}_z{z}_c{c}" for t, z, c in TZC]
    saved(tmp_path, names)
    gap = TZC.index(missing)
    (tmp_path / f"{names[gap]}.tif").unlink()
    with pytest.warns(UserWarning, match="of the 12 frames that are declared 1 is missing"):
        found = read(tmp_path, from_names=True)
    right = [0 if number == gap else number + 1 for number in range(12)]
    assert values(found) == right
    assert found.frames.used.tolist() == [number != gap for number in range(12)]
    assert found.frames.source.missing == {gap}


def test_a_time_at_which_nothing_was_recorded(tmp_path: Path) -> None:
    times = [0, 10, 20, 40, 50]
    saved(tmp_path, [f"t{t}_z{z}" for t in times for z in range(2)])
    with pytest.warns(UserWarning, match="of the 12 frames that are declared 2 are missing"):
        found = read(tmp_path, from_names=True, axis="t")
    assert found.shape[:2] == (6, 2)
    assert found.frames.used.reshape(6, 2)[:, 0].tolist() == [True] * 3 + [False] + [True] * 2


def test_numbers_with_signs_decimals_and_units(tmp_path: Path) -> None:
    depths = ["-2.5", "0", "2.5", "5.0", "7.5", "10"]
    saved(tmp_path, [f"e_z{depth}um" for depth in depths])
    found = read(tmp_path, from_names=True)
    assert found.axes[0] == Axis("z", 2.5, "um", start=-2.5)
    assert values(found) == [1, 2, 3, 4, 5, 6]
    uneven = axes_in_names([f"/d/z{z} um.tif" for z in ("0", "1", "3.5")])
    assert uneven is not None
    assert uneven.axes == (Axis("z", 1.0, "um", positions=(0.0, 1.0, 3.5)),)


def test_files_with_axes_of_their_own(tmp_path: Path) -> None:
    saved(tmp_path, [f"t{t}_c{c}" for t in range(2) for c in range(2)], shape=(3, 4, 5))
    found = read(tmp_path, from_names=True)
    assert [axis.name for axis in found.axes] == ["t", "c", "q", "y", "x"]
    assert values(found) == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    tifffile.imwrite(
        tmp_path / "t1_c1.tif", np.zeros((2, 4, 5), np.uint8), photometric="minisblack"
    )
    with pytest.raises(ValueError, match=r"t1_c1\.tif holds 2 frames where the first file"):
        np.asarray(read(tmp_path, from_names=True))


def test_a_pattern(tmp_path: Path) -> None:
    saved(tmp_path, [f"run{p}/{c}-{z}x" for p in "ab" for c in ("mito", "actin") for z in (2, 10)])
    found = read(f"{tmp_path}/*/*.tif", from_names="run{position}/{c}-{z}*.tif", axis="z")
    assert isinstance(found, Hyperstack)
    assert found.leading == (
        Axis("position", labels=("a", "b")), Axis("z"), Axis("c", labels=("actin", "mito"))
    )  # fmt: skip
    assert values(found) == [3, 1, 4, 2, 7, 5, 8, 6]
    for pattern, sentence in {
        "{z}_{z}": "is not understood",
        "{}": "is not understood",
        "{a b}": "is not understood",
        "{c}_{z}": r"the name mito-2x does not fit the pattern",
        "*": "do not differ in what the pattern",
    }.items():
        with pytest.raises(ValueError, match=sentence):
            axes_by_pattern(
                [f"/d/{c}-{z}x.tif" for c in ("mito", "actin") for z in (2, 10)], pattern
            )


def test_wavelengths_in_folders_and_files_are_one_axis_and_keep_their_names() -> None:
    found = axes_in_names([f"/d/{c}/{c}_t{t}.tif" for c in (488, 561) for t in range(3)])
    assert found is not None
    assert found.axes == (Axis("t"), Axis("c", labels=("488", "561")))
    assert found.grid.tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(
    ("hours", "axis"),
    [((0, 3, 6), Axis("t", 180.0, "min")), ((0, 9, 10), Axis("t", 1.0, "min", (), (0, 540, 600)))],
)
def test_dates_in_names_are_times(hours: tuple[int, ...], axis: Axis) -> None:
    files = [f"VID10_{w}_1_2019y05m05d_{h:02d}h00m.tif" for w in ("A1", "B1") for h in hours]
    found = axes_in_names(files)
    assert found is not None
    assert found.axes == (Axis("well", labels=("A1", "B1")), axis)


def test_decimals_with_a_comma_are_places() -> None:
    found = axes_in_names([f"z{z}um_c{c}.tif" for z in ("0,5", "1", "1,5") for c in range(2)])
    assert found is not None
    assert found.axes[0] == Axis("z", 0.5, "um", start=0.5)


def test_uneven_places_without_a_unit_are_told() -> None:
    found = axes_in_names([f"/d/t{t}_z{z}.tif" for t in (0, 1, 50) for z in ("-1.5", "0", "2")])
    assert found is not None
    assert [axis.labels for axis in found.axes] == [("0", "1", "50"), ("-1.5", "0", "2")]


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    saved(tmp_path, ["a_t1_z1", "a_t1_z2", "a_t2_z1", "a_t2_z2", "overview"])
    with pytest.warns(UserWarning, match=r"\(all but overview\.tif\) tell of axes, t = 2, z = 2"):
        assert len(read(tmp_path)) == 5
    with pytest.raises(ValueError, match=r"t = 2, z = 2, but for overview\.tif: leave these out"):
        read(tmp_path, from_names=True)


def test_names_that_tell_of_nothing_are_refused_when_asked_for(tmp_path: Path) -> None:
    saved(tmp_path, ["a_1", "b_2", "c_x"])
    with pytest.raises(
        ValueError, match=r"names of the 3 files, a_1\.tif the first, tell of no axes"
    ):
        read(tmp_path, from_names=True)
    for path in tmp_path.iterdir():
        path.unlink()
    saved(tmp_path, ["t1_z1", "t1_z01", "t2_z1", "t2_z2"])
    with pytest.raises(ValueError, match=r"t1_z0?1\.tif and .*t1_z0?1\.tif are at the same place"):
        read(tmp_path, from_names=True)


def test_few_names_of_different_kinds_tell_of_no_axes() -> None:
    assert not may_be_plain(["/d/artificial_moving-rigid.jpg", "/d/artificial_reference.jpg"])
