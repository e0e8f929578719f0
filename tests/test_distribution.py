"""What is built and published: contents of wheel and sdist, addresses, workflows, citation."""

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import napari_stack

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ADDRESS = "https://example.org/someone/napari-stack"


def build(target, folder, address=""):
    """Build a wheel or an sdist; return its path."""
    pytest.importorskip("hatchling")
    environment = {**os.environ, "NAPARI_STACK_REPOSITORY": address}
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))) as opened:
        yield opened


def metadata(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    return email.message_from_bytes(wheel.read(name))


def test_wheel_holds_the_package_and_nothing_else(wheel):
    names = wheel.namelist()
    sources = {p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src").rglob("*.py")}
    assert sources <= set(names)
    others = {name for name in names if not name.endswith(".py") and ".dist-info/" not in name}
    assert others == {
        "napari_stack/napari.yaml", "napari_stack/icon.svg", "napari_stack/py.typed",
        "napari_stack/operators/kernels.json",
        "napari_stack/operators/registration/search/judgement.json",
    }  # fmt: skip
    assert all(name.startswith("napari_stack") for name in names)


def test_wheel_says_what_it_is(wheel):
    facts = metadata(wheel)
    assert facts["Version"] == napari_stack.__version__
    assert "Framework :: napari" in facts.get_all("Classifier")
    assert not [need for need in facts.get_all("Requires-Dist") if re.match("napari|pyqt", need)
                and "extra ==" not in need]  # fmt: skip
    entries = wheel.read(next(n for n in wheel.namelist() if n.endswith("entry_points.txt")))
    assert b"napari_stack:napari.yaml" in entries


def test_without_an_address_the_readme_has_none(wheel):
    facts = metadata(wheel)
    assert facts.get_all("Project-URL") is None
    assert "docs/images/" not in facts.get_payload()
    assert "](docs/" not in facts.get_payload()
    assert facts.get_payload().startswith("# napari-stack")


def test_with_an_address_pictures_and_links_are_absolute(tmp_path):
    with zipfile.ZipFile(build("wheel", tmp_path, ADDRESS)) as opened:
        facts = metadata(opened)
    assert f"Source, {ADDRESS}" in facts.get_all("Project-URL")
    version = f"v{napari_stack.__version__}"
    assert f"]({ADDRESS}/raw/{version}/docs/images/register.png)" in facts.get_payload()
    assert f"]({ADDRESS}/blob/{version}/docs/stack.md)" in facts.get_payload()
    assert not re.findall(r"\]\((?!https?:|#)", facts.get_payload())


def test_sdist_holds_what_tests_and_pages_need(tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {
        "src/napari_stack/napari.yaml", "tests/conftest.py", "docs/images/register.png", "LICENSE",
        "tools/build_metadata.py", "examples/focus.json", "CHANGELOG.md", "CITATION.cff",
        "mkdocs.yml",
    } <= names  # fmt: skip
    hidden = {name for name in names if name.startswith(".")} - {".gitignore"}
    assert all(name.startswith(".github") for name in hidden)
    assert not [name for name in names if "__pycache__" in name or name.startswith("build/")]


def test_manifest_has_an_icon_and_categories():
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_file(ROOT / "src" / "napari_stack" / "napari.yaml")
    package, _, resource = manifest.icon.partition(":")
    assert (ROOT / "src" / package / resource).read_text("utf-8").startswith("<svg")
    assert "Image Processing" in [str(category) for category in manifest.categories]


def test_citation_and_conda_recipe_have_the_version_that_is_prepared():
    yaml = pytest.importorskip("yaml")
    (prepared,) = re.findall(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)[:1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text("utf-8"))
    assert citation["version"] == recipe["context"]["version"] == prepared
    assert citation["license"] == recipe["about"]["license"] == PROJECT["project"]["license"]


def test_conda_recipe_needs_what_the_package_needs():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text("utf-8"))
    other = {"opencv-python-headless": "py-opencv", "dask": "dask-core"}
    ours = dict(line.split(">=") for line in PROJECT["project"]["dependencies"])
    theirs = dict(line.split(" >=") for line in recipe["requirements"]["run"])
    del theirs["python"]
    builds = {"opencv-python-headless"}  # their fourth number is one of that package alone
    for name in builds:
        ours[name] = ours[name].rpartition(".")[0]
    assert {other.get(name, name): version for name, version in ours.items()} == theirs


def test_workflows_test_every_python_that_is_declared():
    yaml = pytest.importorskip("yaml")
    folder = ROOT / ".github"
    plain = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in folder.rglob("*.yml")}
    matrix = plain["test.yml"]["jobs"]["tests"]["strategy"]["matrix"]
    declared = re.findall(r"Python :: (3\.\d+)", json.dumps(PROJECT["project"]["classifiers"]))
    assert matrix["python"] == declared
    assert {line.partition("-")[0] for line in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert plain["release.yml"]["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    versions = {row["versions"] for row in matrix["include"]} | set(matrix["versions"])
    installs = (ROOT / "tools" / "install-versions.sh").read_text("utf-8")
    assert all(f"\n{name})" in installs for name in versions)


def texts():
    """Every text that is kept, by path."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not in a clone")
    for name in listed.stdout.decode().splitlines():
        path = ROOT / name
        if path.suffix in {".md", ".toml", ".yml", ".yaml", ".cff", ".sh", ".txt", ".json", ".py"}:
            yield name, path.read_text("utf-8")


#: Hosts that exist and are meant to be found, and those that stand for any.
HOSTS = {
    "napari.org", "example.org", "example.com", "localhost", "www.w3.org", "doi.org", "zenodo.org",
}  # fmt: skip


def test_nothing_names_an_address_that_is_not_there():
    """No machine, no registry, no repository of our own: there is none yet."""
    found = {}
    for name, text in texts():
        if name.startswith(("tests/", "src/")):  # names of formats and servers made up for tests
            continue
        for host in re.findall(r"https?://([\w.-]+)", text):
            if host.lower() not in HOSTS and re.search(r"\w\.\w", host):
                found.setdefault(host, set()).add(name)
    assert not found


def test_nothing_names_a_folder_of_a_machine():
    ours = re.compile(r"/(?:home|Users|root|work)/[\w.-]+/|/tmp/[\w.-]+/|/opt/(?:wheels|pypi)")
    found = {name: ours.findall(text) for name, text in texts() if ours.search(text)}
    assert not {name: hits for name, hits in found.items() if not name.startswith("tests/")}


@pytest.mark.parametrize("name", ["CODE_OF_CONDUCT.md", ".github/pull_request_template.md"])
def test_pages_of_the_project_say_something(name):
    assert len((ROOT / name).read_text("utf-8").split()) > 40
