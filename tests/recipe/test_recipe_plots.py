"""Plots of what steps measured: by a recipe, on the command line, and refused before the work."""

import sys

import numpy as np
import PIL.Image
import pytest

from napari_stack import samples, write
from napari_stack.cli import main
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.operators.inspection import drawings
from napari_stack.operators.inspection.plots import new_figure
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.plots import Plots

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def fading():
    """Cells that fade from frame to frame."""
    cells = np.asarray(samples.drifting_cells(4, (96, 112), shift=4, rotation=0, scale=0)[0])
    dimmed = cells * np.linspace(1, 0.7, 4)[:, None, None]
    return Stack.wrap(np.rint(dimmed).astype(np.uint16))


RECIPE = Recipe(
    [
        Step("register", {"transform": "translation"}, name="moved cells"),
        Step("balance"),
        Step("correct_bleaching", input="moved cells"),
        Step("combine", save="mean.tif"),
    ]
)
FILES = [
    "balance-gains", "balance-histograms", "correct_bleaching-decay", "moved_cells-drift",
]  # fmt: skip


def test_a_recipe_draws_what_its_steps_measured(fading, tmp_path):
    RECIPE.run(fading, folder=tmp_path, plots=tmp_path / "new" / "plots")
    found = sorted((tmp_path / "new" / "plots").iterdir())
    assert [path.name for path in found] == [f"{name}.png" for name in FILES]
    for path in found:
        with PIL.Image.open(path) as image:
            assert min(image.size) > 300
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10, "more than an empty page"


def test_matches_are_drawn_where_frames_were_matched(fading, tmp_path):
    Recipe([Step("register", {"method": "features"})]).run(fading, plots=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "register-drift.png", "register-matches.png",
    ]  # fmt: skip


def test_what_is_there_is_refused_before_the_work(fading, tmp_path):
    there = tmp_path / "balance-histograms.svg"
    there.write_text("mine")
    with pytest.raises(FileExistsError, match="balance-histograms"):
        RECIPE.run(fading, folder=tmp_path, plots=Plots(tmp_path, "svg"))
    assert [path.name for path in tmp_path.iterdir()] == [there.name]
    RECIPE.run(fading, folder=tmp_path, plots=Plots(tmp_path, "svg", overwrite=True))
    assert there.read_text().count("<path") > 10


def test_without_matplotlib_it_is_said_before_the_work(fading, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"napari-stack\[plots\]"):
        RECIPE.run(fading, folder=tmp_path, plots=tmp_path / "plots")
    assert not list(tmp_path.iterdir())
    Recipe([Step("combine")]).run(fading, plots=tmp_path / "plots")  # nothing is to be drawn


def test_every_position_that_was_measured_has_its_plot(fading, tmp_path):
    data = np.stack([np.asarray(fading)] * 2)
    hyper = Hyperstack.wrap(data, axes="ctyx", axis="t")
    Recipe([Step("balance", axis="t", measure_each=True)]).run(hyper, plots=tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"balance-{plot}-c{c}.png" for plot in ("gains", "histograms") for c in (0, 1)]


def test_the_command_line_draws(fading, tmp_path, capsys):
    write(tmp_path / "in.tif", fading)
    words = ["correct-bleaching", str(tmp_path / "in.tif"), "-o", str(tmp_path / "out.tif")]
    assert main([*words, "--plots", str(tmp_path / "plots"), "--plots-as", "svg"]) == 0
    assert "correct_bleaching-decay.svg: plot" in capsys.readouterr().out
    text = (tmp_path / "plots" / "correct_bleaching-decay.svg").read_text()
    assert text.count("<path") > 10


def test_a_recipe_on_several_series_draws_for_each(fading, tmp_path):
    RECIPE.save(tmp_path / "recipe.json")
    for name in "ab":
        write(tmp_path / f"{name}.tif", fading)
    inputs = [str(tmp_path / f"{name}.tif") for name in "ab"]
    words = ["run", str(tmp_path / "recipe.json"), *inputs, "-o", str(tmp_path / "out"), "--each"]
    assert main([*words, "--plots", str(tmp_path / "plots")]) == 0
    for name in "ab":
        found = sorted(path.stem for path in (tmp_path / "plots" / name).iterdir())
        assert found == FILES


def test_histograms_show_the_frame_before_and_after():
    data = np.full((3, 40, 40), 1000, np.uint16)
    data += np.random.default_rng(0).integers(0, 200, data.shape, np.uint16)
    data[0] //= 2
    stack = Stack.wrap(data)
    result = Step("balance").apply(stack)
    figure = new_figure()
    drawings.draw_histograms(figure, stack, result.corrections[0])
    drawn = [patch.get_data() for patch in figure.axes[0].patches]  # reference, before, after
    centres = [np.average(d.edges[1:] + d.edges[:-1], weights=d.values) / 2 for d in drawn]
    np.testing.assert_allclose(centres, [1100, 550, 1100], rtol=0.02)


def test_the_profile_of_a_fall_off_is_measured_on_the_frames():
    y, x = np.mgrid[:120, :160]
    share = 1 - 0.4 * (np.hypot(x - 79.5, y - 59.5) / 100) ** 2
    stack = Stack.wrap(np.tile(share * 1000, (3, 1, 1)).astype(np.uint16))
    result = Step("correct_vignetting", {"scene": "still"}).apply(stack)
    vignetting = result.corrections[0]
    radii, means = drawings.profile(stack, vignetting)
    np.testing.assert_allclose(means, 1 - 0.4 * (radii / 100) ** 2, atol=0.01)
