"""Names of files in a folder that takes one file a frame."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_stack.core.stack import Stack
from napari_stack.files import read, write
from support.pixels import Noise
from support.sources import NamedSource


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("{source}", ["1_IMG_1.tif", "2_b.tif", "3_IMG_1.tif"]),
        ("pre_{source}_post.png", ["1_pre_IMG_1_post.png", "2_pre_b_post.png",
                                   "3_pre_IMG_1_post.png"]),
        ("{index:04d}.jpg", ["0000.jpg", "0001.jpg", "0002.jpg"]),
        ("a{index}.ome.tif", ["a0.ome.tif", "a1.ome.tif", "a2.ome.tif"]),
    ],
)  # fmt: skip
def test_names_by_a_pattern(tmp_path: Path, noise: Noise, names: str, expected: list[str]) -> None:
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
        write(folder / "IMG 1.png", noise(4, 5, dtype="uint8"))
    write(folders[1] / "b.png", noise(4, 5, dtype="uint8"))
    write(tmp_path / "out", read(folders), names=names)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(expected)


@pytest.mark.parametrize(
    "names",
    ["{frame}", "{", "../{source}", "{index:q}", "{0}", "{}", "{source.name}", "{index:{no}}"],
)
def test_patterns_that_make_no_names(tmp_path: Path, noise: Noise, names: str) -> None:
    with pytest.raises(ValueError, match="the pattern of names"):
        write(tmp_path / "out", Stack.wrap(noise(2, 4, 5)), names=names)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a2.png", "a10.png", "b.tif"), ["a2.tif", "a10.tif", "b.tif"]),
        (("0.tif", "1.tif", "0.tif", "1.tif"), ["1_0.tif", "2_1.tif", "3_0.tif", "4_1.tif"]),
        (("a.tif", "a.tif", "a_again_2.tif"), ["1_a.tif", "2_a.tif", "3_a_again_2.tif"]),
        (("b.tif", "a.tif"), ["1_b.tif", "2_a.tif"]),
        (("a.tif", "A.png"), ["1_a.tif", "2_A.tif"]),
        (("a b.tif", "a-b.tif", "a?b.tif"), ["1_a_b.tif", "2_a-b.tif", "3_a_b.tif"]),
        (tuple("kjihgfedcba"), [f"{i:02}_{c}.tif" for i, c in enumerate("kjihgfedcba", 1)]),
    ],
)
def test_names_in_a_folder_keep_the_order(
    tmp_path: Path, noise: Noise, names: tuple[str, ...], expected: list[str]
) -> None:
    pixels = noise(len(names), 8, 9)
    write(tmp_path / "out", Stack(NamedSource(pixels, names=names)))
    stack = read(tmp_path / "out")
    assert [stack.source.label(i) for i in range(len(names))] == expected
    np.testing.assert_array_equal(np.asarray(stack), pixels)


def test_two_folders_written_to_one_keep_their_order(tmp_path: Path, noise: Noise) -> None:
    pixels = noise(4, 8, 9)
    for index, frame in enumerate(pixels):
        (tmp_path / f"run{index // 2}").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / f"run{index // 2}" / f"{index % 2}.tif", frame)
    write(tmp_path / "out", read([tmp_path / "run0", tmp_path / "run1"]))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "out")), pixels)
