"""Every example script runs, and every example recipe is run from the command line."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.cli import main
from napari_stack.recipe import Recipe, images_of

EXAMPLES = Path(__file__).parents[1] / "examples"

BURST = Path(__file__).parents[2] / "shared" / "data" / "handheld_burst"


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_scripts_run(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert "False" not in capsys.readouterr().out
    assert list(tmp_path.glob("*.tif"))


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    ns.write(folder / "frames", ns.samples.drifting_cells(frames=6, size=(96, 112), shift=3)[0])
    return folder / "frames"


@pytest.mark.parametrize("recipe", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_recipes_run(recipe, frames, tmp_path):
    output = tmp_path / "results"
    assert main(["run", str(recipe), str(frames), "-o", str(output)]) == 0
    for step in Recipe.load(recipe).steps:
        if step.save:
            assert list(output.glob(step.save.replace("{image}", "*"))), step.save


@pytest.mark.parametrize("recipe", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_recipes_hold_only_what_is_not_default(recipe):
    assert Recipe.load(recipe).to_json() == json.loads(recipe.read_text())


def test_macro_recipe_keeps_slabs_and_both_results_for_retouching(tmp_path):
    """What users of focusstack do: noise map, corrections, slabs, two methods, one file of all."""
    pytest.importorskip("psdtags")
    stack, truth = ns.samples.focus_series(frames=18, size=(96, 112), noise=2 / 255)
    ns.write(tmp_path / "frames", stack)
    recipe = EXAMPLES / "macro-retouching.json"
    assert main(["run", str(recipe), str(tmp_path / "frames"), "-o", str(tmp_path / "out")]) == 0
    results = Recipe.load(recipe).run(ns.read(tmp_path / "frames"))
    slabs, pyramid, by_depth = (results[n] for n in ("slabs", "pyramid", "depth map"))
    assert [slabs.source.window(i) for i in range(2)] == [list(range(10)), list(range(8, 18))]
    assert len(slabs) == 2
    np.testing.assert_array_equal(np.asarray(ns.read(tmp_path / "out" / "slabs")), slabs)
    layers = _layers(tmp_path / "out" / "retouch.tif")
    assert [name.split()[0] for name in layers] == ["focus_stack", "pyramid", "slabs", "slabs"]
    expected = [by_depth.image, pyramid.image, slabs[0], slabs[1]]
    for found, like in zip(layers.values(), expected, strict=True):
        np.testing.assert_array_equal(found.squeeze(), like)
    error = [np.abs(im[8:-8, 8:-8] - truth["image"][8:-8, 8:-8]).mean() for im in expected[:2]]
    assert max(error) < np.abs(stack[9] - truth["image"])[8:-8, 8:-8].mean() / 1.5


def _layers(path):
    import psdtags

    read = psdtags.TiffImageSourceData.fromtiff(path).layers.layers
    return {layer.name: layer.asarray() for layer in read[::-1]}


@pytest.mark.skipif(not BURST.is_dir(), reason="needs the development data")
def test_real_frames_give_the_same_pixels_from_recipe_and_script(tmp_path):
    recipe = EXAMPLES / "register-sigma-clip.json"
    assert main(["run", str(recipe), str(BURST), "-o", str(tmp_path)]) == 0
    clipped = ns.sigma_clip(ns.register(ns.read(BURST)), sigma=2.2)
    for name, image in images_of(clipped).items():
        np.testing.assert_array_equal(ns.read(tmp_path / f"clipped_{name}.tif")[0], image)
