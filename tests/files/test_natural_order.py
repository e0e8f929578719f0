"""The order of paths: numbers with signs, decimals and exponents, and those that only count."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_stack.files.natural_order import naturally

ORDERED = [
    ["f1", "f2", "f10"],
    ["a", "a_1", "a_2", "a_10"],
    ["IMG_1", "img_2", "IMG_10"],
    ["z-10", "z-2", "z0", "z3"],
    ["z-2", "z-1", "z+0", "z+1"],
    ["z_-3", "z_-2", "z_-1"],
    ["img-1", "img-2", "img-10"],  # counted, with a dash
    ["scan1-1", "scan1-2", "scan2-1"],
    ["2024-01-05", "2024-01-10", "2024-02-01"],
    ["d0.5", "d1", "d1.25", "d1.5", "d10"],
    ["-10.5", "-10.25", "0.5"],
    ["p-0.10um", "p-0.05um", "p0.00um", "p0.05um"],
    ["v1.2", "v1.9", "v1.10"],  # versions, or two numbers that count
    ["12.30.05", "12.30.45", "13.1.1"],
    ["x1e-3", "x5e-3", "x1e0", "x2.5e+1"],
    ["e1.5e-3s", "e2e-3s", "e1e-2s"],
    ["x1e2", "x5e2", "x1e3", "x2e10"],
    ["z0.25_t1", "z0.25_t10", "z0.5_t2"],
    ["a3f9e5", "b1"],
    ["z0,5um", "z1um", "z1,25um", "z1,5um", "z10um"],
    ["tile 1,2", "tile 1,10", "tile 2,1"],  # two numbers that count
    ["x1,2,3 um", "x1,2,10 um"],
]


@pytest.mark.parametrize("names", ORDERED, ids=lambda names: names[0])
def test_names(names: list[str]) -> None:
    right = [f"/data/{name}.tif" for name in names]
    for seed in range(5):
        mixed = right.copy()
        random.Random(seed).shuffle(mixed)
        assert naturally(mixed) == right


def test_folders_come_first_then_names_and_suffixes() -> None:
    right = ["r/run-1/b.tif", "r/run2/a2.tif", "r/run2/a10.jpg", "r/run2/a10.tif", "r/run10/a1.tif"]
    assert naturally(right[::-1]) == right
    assert naturally(["a01.tif", "a1.tif"]) == naturally(["a1.tif", "a01.tif"])
    assert naturally([]) == []


@given(st.lists(st.integers(-999, 999), unique=True, min_size=2))
def test_any_numbers_with_signs(numbers: list[int]) -> None:
    right = [f"z_{number}.tif" for number in sorted(numbers)]
    assert naturally(right[::-1]) == right


@given(st.lists(st.decimals(0, 99, places=3), unique=True, min_size=2))
def test_any_numbers_with_decimals(numbers: list[float]) -> None:
    for form in ("{:.3f}", "{:g}"):
        right = [f"dose {form.format(float(number))} Gy.tif" for number in sorted(numbers)]
        assert naturally(right[::-1]) == right


@given(st.lists(st.text("ab-+.e0123456789_ ", max_size=9)))
def test_any_names_have_an_order(names: list[str]) -> None:
    assert sorted(naturally(names)) == sorted(names)
    assert naturally(naturally(names)) == naturally(names)
