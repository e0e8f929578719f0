"""Every script and command in docs/ and in the README runs, on samples, page by page."""

import inspect
import re
import shlex
import sys
from pathlib import Path

import pytest

import napari_stack as ns
from napari_stack.cli import main
from napari_stack.core.options import options_of

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))

sys.path.insert(0, str(ROOT / "tools" / "docs_site"))

import api_pages  # noqa: E402
import gallery  # noqa: E402
import option_pages  # noqa: E402

#: Pixels along a side of samples: enough for all that pages claim of them.
LARGEST = 144

#: Size of the frames that a stored file of strokes was painted on.
PAINTED = (256, 320)

#: What a page needs: an environment, a window, a cluster or time that a test has not.
LEFT_OUT = re.compile(r"^(make|python -m pip|pip|cd|git|napari-stack demo)\b|viewer|tcp://")


def blocks(page):
    """Code blocks of a page: (language, text), in order."""
    return re.findall(r"^ *```(python|sh)\n(.*?)^ *```", page.read_text("utf-8"), re.S | re.M)


def commands(text):
    """Give the commands of a shell block, also those that go on in the next line."""
    joined = text.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip()]


def run_page(page, enter=lambda: None):
    names = {"__name__": "page"}
    for language, text in blocks(page):
        enter()
        if language == "python":
            if not LEFT_OUT.search(text):
                exec(compile(text, str(page), "exec"), names)
            continue
        for command in commands(text):
            if LEFT_OUT.search(command) or not command.startswith("napari-stack "):
                continue
            words = shlex.split(command, comments=True)[1:]
            assert main(words) == 0, command


@pytest.fixture
def small_samples(monkeypatch):
    """Samples of no more than `LARGEST` pixels to a side, whatever a page asks for."""
    for name in ns.samples.__all__:
        monkeypatch.setattr(ns.samples, name, cut(getattr(ns.samples, name)))


def cut(sample):
    signature = inspect.signature(sample)

    def made(*args, **options):
        asked = signature.bind(*args, **options)
        asked.apply_defaults()
        size = asked.arguments["size"]
        if size != PAINTED:
            asked.arguments["size"] = tuple(min(side, LARGEST) for side in size)
        return sample(*asked.args, **asked.kwargs)

    return made


def nights():
    """Make three series, of which pages speak."""
    for number in (1, 2, 3):
        ns.write(f"night{number}", ns.samples.cosmic_rays(frames=3, size=(64, 72))[0])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of its own, from which the examples can be reached."""
    pytest.importorskip("psdtags")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_run(page, place, small_samples):
    if page.stem == "inspectors":  # it speaks of what the reader has
        nights()
        ns.Recipe([ns.Step("combine", save="mean.tif")]).save("recipe.json")
    run_page(page)


def test_readme_runs(place, monkeypatch, small_samples):
    """Each block is run alone: they show the same work in several ways."""
    ns.write("frames", ns.samples.cosmic_rays(frames=9, size=(96, 112))[0])
    ns.write("slices", ns.samples.focus_series(frames=5, size=(96, 112))[0])
    nights()
    folders = iter(range(100))

    def enter():
        here = place / f"block {next(folders)}"
        here.mkdir()
        for name in ("frames", "slices", "examples", "night1", "night2"):
            (here / name).symlink_to(place / name)
        monkeypatch.chdir(here)

    run_page(ROOT / "README.md", enter)


def made():
    """Pages that the site's build makes; it checks the links to their headings."""
    names = [*api_pages.names(), *option_pages.names(), *gallery.names()]
    folders = ("api", "operators", "gallery")
    return {ROOT / "docs" / name for name in names + [f"{folder}/index.md" for folder in folders]}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_links_and_pictures_are_there(page):
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        path = (page.parent / target).resolve()
        assert path in made() or path.exists(), target


def test_every_public_name_is_on_one_page_of_the_reference():
    found = [name for _, names in api_pages.subjects().values() for name in names]
    assert sorted(found) == sorted(set(ns.__all__) - {"layers", "samples"})
    pages = api_pages.pages()
    assert "::: napari_stack.operators.focus.focus_stack.focus_stack" in pages["api/focus.md"]
    assert "::: napari_stack.samples" in pages["api/samples.md"]
    assert "compute_now" in pages["api/layers.md"]


@pytest.mark.parametrize("name", ns.operators.CATALOGUE.own)
def test_pages_of_operators_tell_every_option(name):
    page = option_pages.page(name, ns.operators.CATALOGUE[name])
    for option in options_of(ns.operators.CATALOGUE[name].function).values():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{option.name}` |")][:1]
        assert option.text.split()[0] in row
        for choice in option.choices:
            assert f"`{choice}`" in row


@pytest.mark.parametrize("script", gallery.scripts(), ids=lambda script: script.stem)
def test_gallery_has_title_text_and_code_that_saves_a_picture(script):
    """That they run, the site's build tells."""
    title, text, code = gallery.parts(script)
    assert title
    assert text
    assert f'savefig("{script.stem}.png"' in code


def test_a_gallery_script_without_picture_is_refused(tmp_path):
    (tmp_path / "none.py").write_text('"""Title."""\n')
    with pytest.raises(ValueError, match="saved no picture"):
        gallery.run(tmp_path / "none.py")
