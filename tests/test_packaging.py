"""What the package promises before it computes: cheap imports, one version, one manifest."""

import ast
import importlib.metadata
import json
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import napari_stack

ROOT = Path(__file__).parents[1]
FORBIDDEN = ("napari", "qtpy", "magicgui", "superqt", "cv2", "numba", "scipy", "dask", "skimage")

#: Runs a module with lines of arguments, as ``python -m`` does, then tells what was imported.
TELL = """
import runpy, sys
module, *lines = sys.argv[1:]
for line in lines:
    sys.argv = [module, *line.split()]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        assert not stop.code, stop.code
print("imported:", *{name.partition(".")[0] for name in sys.modules})
"""

#: Prints the processor time that an import takes, that of Python's start left out.
TIME = """
import time
start = time.process_time()
import {}
print(time.process_time() - start)
"""


def python(code, *arguments):
    """Output of a fresh interpreter."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(output):
    return set(output.rpartition("imported:")[2].split())


def test_import_is_light():
    code = (
        "import sys, napari_stack; print('imported:', *{n.partition('.')[0] for n in sys.modules})"
    )
    assert not imported(python(code)) & {*FORBIDDEN, "PyQt6"}


def test_help_is_light():
    lines = ["--help", "sigma-clip --help", "register --help", "run --help"]
    output = python(TELL, "napari_stack.cli", *lines)
    assert output.count("Usage") == len(lines)
    assert not imported(output) & {*FORBIDDEN, "PyQt6"}


def test_import_takes_hardly_longer_than_numpy():
    ratios = []
    for _ in range(3):  # a busy machine gets two more chances
        pairs = [
            [float(python(TIME.format(name))) for name in ("napari_stack", "numpy")]
            for _ in range(5)
        ]
        ours, numpy = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratios.append(ours / numpy)
        if ratios[-1] < 1.5:
            return
    pytest.fail(f"import napari_stack took {ratios} times as long as import numpy")


@pytest.mark.parametrize("name", napari_stack.__all__)
def test_every_public_name_is_there(name):
    assert getattr(napari_stack, name) is not None


def test_version_is_in_one_place():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["tool"]["hatch"]["version"]["path"] == "src/napari_stack/__init__.py"
    about = importlib.metadata.distribution("napari-stack")
    place = json.loads(about.read_text("direct_url.json") or "{}").get("url", ROOT.as_uri())
    if place != ROOT.as_uri():
        pytest.skip("what is installed is another checkout")
    assert about.version == napari_stack.__version__


def modules_imported():
    """Names of the modules at the top that the sources import anywhere."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module.partition(".")[0]


def test_every_package_that_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}
    packages = importlib.metadata.packages_distributions()
    for module in set(modules_imported()) - sys.stdlib_module_names - {"napari_stack"}:
        if module in packages:  # else it is not installed here
            given = {canonicalize_name(name) for name in packages[module]}
            assert given & declared, f"{module} is imported and not declared"


def test_manifest_at_the_top_is_a_link_to_the_packaged_one():
    link = ROOT / "napari.yaml"
    packaged = ROOT / "src" / "napari_stack" / "napari.yaml"
    assert packaged.is_file()
    assert not packaged.is_symlink()
    if not link.is_symlink():  # where links are not supported, git writes their target
        assert link.read_text() == "src/napari_stack/napari.yaml"
    else:
        assert link.resolve() == packaged.resolve()


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"])
def test_pages_exist(name):
    assert len((ROOT / name).read_text(encoding="utf-8")) > 100


def test_constraints_are_names_and_versions():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    for pin in pins:
        name, _, version = pin.partition("==")
        assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), pin
        assert version[0].isdigit(), pin
        assert set("/:@;") & set(pin) == set(), pin


def test_imports_go_down():
    pytest.importorskip("importlinter")
    # In a process of its own, since it sets up logging for the whole process.
    code = (
        "from importlinter.cli import lint_imports; raise SystemExit("
        f"lint_imports(config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
