"""The manifest: everything it names is there."""

import runpy
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

from napari_stack.operators import CATALOGUE, Operator

TOOL = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "manifest.py"))


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_distribution("napari-stack")


def test_name_and_display_name_are_one(manifest):
    assert manifest.name == manifest.display_name == "napari-stack"


def test_every_command_imports(manifest):
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


def test_every_named_command_exists(manifest):
    known = {command.id for command in manifest.contributions.commands}
    contributions = manifest.contributions
    named = {c.command for c in contributions.widgets + contributions.readers}
    named |= {c.command for c in contributions.writers + contributions.sample_data}
    named |= {item.command for items in contributions.menus.values() for item in items}
    assert named == known


def test_menus_may_be_added_to(manifest):
    for menu, items in manifest.contributions.menus.items():
        assert menu in MenuId.contributables()
        assert items


def test_every_operator_has_a_widget_in_a_menu(manifest):
    widgets = {widget.command for widget in manifest.contributions.widgets}
    placed = {item.command for items in manifest.contributions.menus.values() for item in items}
    assert widgets == placed
    assert {f"napari-stack.{name}" for name in CATALOGUE} < widgets


def test_a_dock_is_called_in_the_menu_as_in_its_title(manifest):
    titles = {c.id: c.title.removesuffix("...") for c in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        assert titles[widget.command] == widget.display_name


def test_the_lines_of_operators_are_what_the_catalogue_says():
    text = TOOL["MANIFEST"].read_text("utf-8")
    assert TOOL["filled"](text) == text


def test_the_lines_of_a_new_operator_are_written(monkeypatch):
    text = TOOL["MANIFEST"].read_text("utf-8")
    monkeypatch.setitem(CATALOGUE, "stretch_all", Operator("nowhere:stretch_all", menu="filter"))
    made = PluginManifest(**yaml.safe_load(TOOL["filled"](text))).contributions
    command = next(c for c in made.commands if c.id == "napari-stack.stretch_all")
    assert command.title == "Stretch All"
    assert command.python_name == "napari_stack._widgets:StretchAllDock"
    assert made.widgets[-1].display_name == "Stretch All"
    assert made.menus["napari/layers/filter"][-1].command == command.id


def test_a_menu_that_the_manifest_lacks_is_told(monkeypatch):
    monkeypatch.setitem(CATALOGUE, "stretch", Operator("nowhere:stretch", menu="sky"))
    with pytest.raises(ValueError, match="stretch is in the menu 'sky'"):
        TOOL["filled"](TOOL["MANIFEST"].read_text("utf-8"))
