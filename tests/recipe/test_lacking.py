"""What files with layers need is told before anything is read, with the command to install it."""

import sys

import pytest

import napari_stack as ns
from napari_stack.cli import main
from napari_stack.files import read, why_no_layers
from napari_stack.layers.contributions.writer import write_layers
from napari_stack.recipe.batch import run_each
from napari_stack.recipe.results import lacking

COMMAND = r"pip install 'napari-stack\[layers\]'"

RECIPE = ns.Recipe(
    [
        ns.Step("transform_frames", {"rotate": 90.0}, name="turned"),
        ns.Step("combine", save="layers.tif", layers=["turned"]),
    ]
)


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setitem(sys.modules, "psdtags", None)


@pytest.fixture
def folder(tmp_path, noise):
    made = tmp_path / "in"
    made.mkdir()
    for number in range(2):
        ns.write(made / f"{number}.tif", noise(16, 24, dtype="uint8"))
    return made


def test_nothing_lacks_where_it_is_installed():
    pytest.importorskip("psdtags")
    assert why_no_layers() == ""
    assert lacking(RECIPE.steps) == ""


def test_recipes_without_layers_need_nothing(without):
    assert lacking(RECIPE.steps[:1]) == ""
    assert "pip install" in lacking(RECIPE.steps)


def test_a_recipe_says_so_before_it_computes(without, folder, tmp_path):
    reports = []
    run = ns.Run(tick=lambda *what: reports.append(what))
    with pytest.raises(ValueError, match=COMMAND):
        RECIPE.run(read(folder), folder=tmp_path, run=run)
    assert reports == []


def test_a_batch_says_so_once(without, folder, tmp_path):
    with pytest.raises(ValueError, match=COMMAND):
        run_each(RECIPE, [str(folder)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_line_says_so(without, folder, tmp_path, capsys):
    assert main(["combine", str(folder), "-o", str(tmp_path / "a.tif"), "--layers"]) != 0
    told = capsys.readouterr().err
    assert "pip install 'napari-stack[layers]'" in told
    assert "Combining" not in told


def test_the_writer_says_so_before_it_computes(without, tmp_path):
    with pytest.raises(OSError, match=COMMAND):
        write_layers(str(tmp_path / "a.tif"), [])
