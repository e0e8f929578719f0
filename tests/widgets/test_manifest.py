"""The manifest: everything it names is there."""

from importlib import import_module

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

from napari_stack.operators import CATALOGUE


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
