"""What CONTRIBUTING says of a new operator: the module and the entry on that page are enough."""

import json
import re
import runpy
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import _widgets, layers, operators
from napari_stack.cli import main
from napari_stack.operators import CATALOGUE
from support.docks import docked, ran

ROOT = Path(__file__).parents[2]
NAME = "napari_stack.operators.filters.multiply"


@pytest.fixture
def multiply(monkeypatch):
    """The operator of the page: its module imported, its entry put into the catalogue."""
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    blocks = re.findall(r"^ *```python\n(.*?)^ *```", page, re.S | re.M)
    source, entry = map(textwrap.dedent, blocks)
    module = ModuleType(NAME)
    monkeypatch.setitem(sys.modules, NAME, module)
    exec(compile(source, "multiply.py", "exec"), vars(module))
    exec(compile(entry, "entry", "exec"), dict(vars(operators)))
    yield CATALOGUE["multiply"]
    del CATALOGUE["multiply"]


def test_its_module_and_its_entry_are_enough(multiply, tmp_path, capsys):
    multiply.check()
    data = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    np.testing.assert_array_equal(ns.multiply(ns.Stack.wrap(data), factor=3), data * 3)
    with pytest.raises(ValueError, match="factor must be a number in the range 0 to 100, got 101"):
        ns.multiply(ns.Stack.wrap(data), factor=101)
    np.testing.assert_array_equal(layers.multiply(Image(data)).data, data * 2)
    recipe = ns.Recipe.from_json(json.loads(json.dumps(ns.Recipe([ns.Step("multiply")]).to_json())))
    np.testing.assert_array_equal(recipe.run(ns.Stack.wrap(data))["multiply"], data * 2)
    source, target = str(tmp_path / "in.tif"), str(tmp_path / "out.tif")
    ns.write(source, ns.Stack.wrap(data))
    assert main(["multiply", source, "-o", target, "--factor", "4"]) == 0
    np.testing.assert_array_equal(ns.read(target), data * 4)
    assert main(["multiply", "--help"]) == 0
    assert "What every pixel is multiplied by. Range: 0 to 100." in capsys.readouterr().out


def test_its_dock_runs(multiply, viewer, qtbot):
    data = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    viewer.add_image(data, rgb=False)
    dock = docked(viewer, _widgets.MultiplyDock)
    dock.set_options({"factor": 3.0})
    ran(dock, qtbot)
    np.testing.assert_array_equal(viewer.layers[1].data, data * 3)


def test_its_lines_of_the_manifest_are_written(multiply):
    tool = runpy.run_path(str(ROOT / "tools" / "manifest.py"))
    text = tool["MANIFEST"].read_text("utf-8")
    added = [line.strip() for line in tool["filled"](text).splitlines() if "ultiply" in line]
    assert "python_name: napari_stack._widgets:MultiplyDock" in added
    assert added.count("- command: napari-stack.multiply") == 2  # the widget, and the menu
