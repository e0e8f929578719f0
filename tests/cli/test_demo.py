"""The demo in a small form: its measures, its files, and the napari window without a display."""

import os
import shutil

import numpy as np
import pytest

from napari_stack import Transforms, read, samples
from napari_stack.cli import demo as demo_module
from napari_stack.cli import main
from napari_stack.cli.demo import corner_errors, ray_scores, run_demo
from napari_stack.files import read_recipe


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "made"
    errors = run_demo(folder, viewer=False, size=(176, 192), frames=16, slices=5)
    return folder, errors


def test_errors_against_the_truth_are_small(demo):
    _, errors = demo
    assert errors["corner error"] < 0.2
    assert errors["largest corner error"] < 0.5
    assert errors["clipped PSNR"] > 44
    assert errors["noise"] < 0.2
    assert errors["ray precision"] > 0.85
    assert errors["ray recall"] > 0.9
    assert errors["fused PSNR"] > 30
    assert errors["depth error"] < 0.2
    assert errors["depth within 1"] > 0.95


def test_frames_results_and_recipes_are_written(demo):
    folder, _ = demo
    assert len(read(folder / "cells")) == 16
    assert len(read(folder / "focus")) == 5
    assert len(Transforms.load(folder / "clipped_transforms.json")) == 16
    steps = [step["operator"] for step in read_recipe(folder / "fused_image.tif")["steps"]]
    assert steps == ["register", "focus_stack"]


def test_its_recipe_gives_the_same_pixels(demo, tmp_path):
    folder, _ = demo
    result = tmp_path / "again.tif"
    words = ["run", str(folder / "clipped.json"), str(folder / "cells"), "-o", str(result)]
    assert main(words) == 0
    np.testing.assert_array_equal(read(result)[0], read(folder / "clipped_image.tif")[0])


def test_a_folder_that_exists_is_left_alone(tmp_path):
    names = [demo_module._new_folder(tmp_path / "demo").name for _ in range(3)]
    assert names == ["demo", "demo-2", "demo-3"]


def test_corner_errors_of_a_known_shift():
    still = np.eye(3)[np.newaxis]
    moved = still.copy()
    moved[0, :2, 2] = 3, 4
    np.testing.assert_allclose(corner_errors(moved, still, (10, 20)), np.full((1, 4), 5.0))


def test_ray_scores_of_the_truth_itself():
    _, truth = samples.cosmic_rays(frames=5, size=(64, 64), rays=10)
    everything = (slice(None), slice(None))
    used = np.ones(5, bool)
    perfect = truth["mask"].sum(axis=0)
    assert ray_scores(perfect, truth, used, everything) == (1.0, 1.0)
    assert ray_scores(np.zeros_like(perfect), truth, used, everything)[1] == 0.0


def test_layers_of_the_demo(demo):
    pytest.importorskip("napari")
    from napari_stack.cli.demo_viewer import gallery

    shown = gallery(demo[0])
    assert [layer.name for layer in shown[:4]] == [
        "cells", "cells registered", "cells clipped", "cells rejected",
    ]  # fmt: skip
    assert len(shown) == 8
    clipped = read(demo[0] / "clipped_image.tif")[0]
    np.testing.assert_array_equal(np.asarray(shown[2].data), clipped)


@pytest.mark.skipif(not shutil.which("xvfb-run"), reason="needs xvfb-run")
def test_without_a_display_the_window_becomes_a_picture(demo, monkeypatch, capsys):
    pytest.importorskip("napari")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    demo_module._show(demo[0], demo_module.Report())
    assert str(demo[0] / "napari.png") in capsys.readouterr().out
    window = read(demo[0] / "napari.png")[0]
    canvas = window[100:-100, window.shape[1] // 3 :]
    assert canvas.shape[0] > 300
    assert canvas.std() > 10  # pictures, not an empty canvas


def test_without_napari_or_screen_it_says_what_to_do(demo, monkeypatch, capsys):
    report = demo_module.Report()
    monkeypatch.setattr(demo_module, "find_spec", lambda name: None)
    demo_module._show(demo[0], report)
    assert "pip install" in capsys.readouterr().out
    monkeypatch.setattr(demo_module, "find_spec", lambda name: name)
    monkeypatch.setattr(demo_module, "_has_display", lambda: False)
    monkeypatch.setattr(demo_module.shutil, "which", lambda name: None)
    demo_module._show(demo[0], report)
    assert "install xvfb" in capsys.readouterr().out


def test_a_display_is_known_by_its_variable(monkeypatch):
    monkeypatch.setattr(demo_module.sys, "platform", "linux")
    monkeypatch.setattr(demo_module.os, "environ", {"WAYLAND_DISPLAY": "wayland-0"})
    assert demo_module._has_display()
    monkeypatch.setattr(demo_module.os, "environ", {})
    assert not demo_module._has_display()
    assert os.environ == {}
