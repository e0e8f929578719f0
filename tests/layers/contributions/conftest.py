"""The plugin as napari finds it."""

import pytest
from npe2 import PluginManifest


@pytest.fixture
def plugin(npe2pm):
    """The plugin as installed, and no other."""
    npe2pm.register(PluginManifest.from_distribution("napari-stack"))
    return "napari-stack"
