"""Strokes in a recipe, its JSON, its script, on the command line: the same image from all."""

import json

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.cli import main
from napari_stack.recipe import Recipe, Step
from support.focus_scenes import ramp

STROKES = ns.Strokes(
    (
        ns.Stroke(4, [(30, 40), (36, 60)], 9),
        ns.Stroke(ns.Slab(0, 1), [(60, 20)], 8),
        ns.Stroke("fused", [(36, 60)], 5),
    ),
    frames=6,
    size=(80, 96),
)
OPTIONS = {"method": "pyramid", "retouch": STROKES}


@pytest.fixture(scope="module")
def stack():
    return ns.Stack.wrap(np.clip(ramp((80, 96))[0], 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def expected(stack):
    return ns.focus_stack(stack, **OPTIONS).image


def test_a_recipe(stack, expected, tmp_path):
    recipe = Recipe([Step("focus_stack", OPTIONS)])
    plain = json.loads(json.dumps(recipe.to_json()))
    assert plain["steps"][0]["options"]["retouch"] == STROKES.to_json()
    again = Recipe.from_json(plain)
    assert again.steps[0].options["retouch"] == STROKES
    np.testing.assert_array_equal(again.run(stack)["focus_stack"].image, expected)
    STROKES.save(tmp_path / "strokes.json")
    by_file = Step("focus_stack", {**OPTIONS, "retouch": str(tmp_path / "strokes.json")})
    np.testing.assert_array_equal(by_file.apply(stack).image, expected)


def test_a_script(stack, expected, tmp_path, monkeypatch):
    ns.write(tmp_path / "frames.tif", stack)
    text = Recipe([Step("focus_stack", OPTIONS)]).to_script("frames.tif")
    assert "retouch={'format': 'napari-stack strokes'" in text
    monkeypatch.chdir(tmp_path)
    found = {}
    exec(compile(text, "script", "exec"), found)
    np.testing.assert_array_equal(found["focus_stack"].image, expected)


def test_the_command_line(stack, expected, tmp_path, capsys):
    ns.write(tmp_path / "frames.tif", stack)
    STROKES.save(tmp_path / "strokes.json")
    words = ["focus-stack", str(tmp_path / "frames.tif"), "-o", str(tmp_path / "out.tif")]
    words += ["--method", "pyramid", "--retouch", str(tmp_path / "strokes.json")]
    assert main(words) == 0
    np.testing.assert_array_equal(np.asarray(ns.read(tmp_path / "out.tif"))[0], expected)
    capsys.readouterr()
    ns.Strokes(STROKES.strokes, frames=9).save(tmp_path / "strokes.json", overwrite=True)
    words[3] = str(tmp_path / "second.tif")
    assert main(words) == 1
    assert "painted on 9 frames, and these are 6" in capsys.readouterr().err
    assert not (tmp_path / "second.tif").exists()


def test_a_step_refuses_what_is_no_stroke():
    with pytest.raises(ValueError, match="retouch does not fit: stroke 0: it must hold source"):
        Step("focus_stack", {"retouch": [{"frame": 3}]})
