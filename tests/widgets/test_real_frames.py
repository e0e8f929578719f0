"""Real frames from a folder: the docks, a script and a recipe give the same pixels."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import napari_stack as ns
from napari_stack._widgets import FocusStackDock, OpenFramesDock, RegisterDock, SigmaClipDock
from napari_stack.cli import main

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs the development data")


def reduced(folder, target):
    """Write the frames of a folder at a third of their size, which is enough here."""
    target.mkdir()
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as frame:
            frame.reduce(3).save(target / path.name, quality=95, exif=frame.getexif())
    return target


def run(kind, viewer, qtbot, **options):
    """Run a dock on the active layer, and give the first layer that it adds."""
    dock = kind(viewer)
    viewer.window.add_dock_widget(dock)
    before = list(viewer.layers)
    if kind is OpenFramesDock:
        dock.set_paths(options["paths"])
    else:
        dock.set_options(options)
    with qtbot.waitSignal(dock.runner.finished, timeout=120_000):
        dock.run()
    return next(layer for layer in viewer.layers if layer not in before)


@pytest.mark.parametrize(
    ("folder", "kind", "operator", "options"),
    [
        ("focus_pcb", FocusStackDock, "focus_stack", {}),
        ("handheld_burst", SigmaClipDock, "sigma_clip", {"sigma": 2.2}),
    ],
)
def test_docks_script_and_recipe(folder, kind, operator, options, viewer, qtbot, tmp_path):
    frames = reduced(DATA / folder, tmp_path / "frames")
    run(OpenFramesDock, viewer, qtbot, paths=frames)
    moved = run(RegisterDock, viewer, qtbot)
    assert moved.rgb
    docked = run(kind, viewer, qtbot, **options)

    scripted = getattr(ns, operator)(ns.register(ns.read(frames)), **options)
    np.testing.assert_array_equal(docked.data, scripted.image)

    # The recipe that the layer carries is run again from the command line.
    recipe = ns.Recipe.from_json(docked.metadata["napari_stack"]["recipe"])
    recipe.save(tmp_path / "recipe.json")
    target = tmp_path / "out.tif"
    assert main(["run", str(tmp_path / "recipe.json"), str(frames), "-o", str(target)]) == 0
    np.testing.assert_array_equal(ns.read(target)[0], scripted.image)
