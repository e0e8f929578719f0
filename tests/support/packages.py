"""Packages that are installed for the time of a test, without a network or a build backend."""

import shutil
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path

from napari_stack.operators import CATALOGUE

INVERT = Path(__file__).parents[2] / "examples" / "napari-stack-invert"


def install(folder, name, points, version="1.0"):
    """Write the metadata of a distribution, as an installer does, into a folder on the path."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


def install_example(folder):
    """Install examples/napari-stack-invert into a folder."""
    project = tomllib.loads((INVERT / "pyproject.toml").read_text("utf-8"))["project"]
    install(folder, project["name"], project["entry-points"], project["version"])
    shutil.copytree(INVERT / "napari_stack_invert", folder / "napari_stack_invert")


@contextmanager
def installed(folder):
    """Let the catalogue find what is installed in a folder, and forget it afterwards."""
    modules = set(sys.modules)
    sys.path.insert(0, str(folder))
    CATALOGUE._installed = None  # it asks again
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        CATALOGUE._installed = None
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
