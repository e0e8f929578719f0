"""What mkdocs asks for while it builds the site: made pages, formulas, lists as on GitHub."""

import re
from pathlib import Path
from typing import Any

import api_pages
import gallery
import option_pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]

#: Pages at the top of the project that the site shows, too.
TOP = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "code-of-conduct.md": "CODE_OF_CONDUCT.md",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the pages that are made, and those of docs/ that mkdocs.yml does not name."""
    nav: list[Any] = config.nav or []
    given = set(re.findall(r"[\w/-]+\.md", str(nav)))
    others: dict[str, list[str]] = {}
    for path in sorted(Path(config.docs_dir).rglob("*.md")):
        name = path.relative_to(config.docs_dir).as_posix()
        if name not in given:
            folder, _, _ = name.rpartition("/")
            others.setdefault(folder.replace("-", " ").capitalize() or "More", []).append(name)
    config.nav = [
        *nav,
        *({title: pages} for title, pages in others.items()),
        {"Gallery": ["gallery/index.md", *gallery.names()]},
        {"Operators": ["operators/index.md", *option_pages.names()]},
        {"API reference": ["api/index.md", *api_pages.names()]},
        {"The project": list(TOP)},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and pictures that are made."""
    made: dict[str, str | bytes] = {
        **option_pages.pages(),
        **api_pages.pages(),
        **gallery.pages(),
        **{page: _moved((ROOT / source).read_text("utf-8")) for page, source in TOP.items()},
    }
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files


def _moved(text: str) -> str:
    """Point the links of a page at the top of the project to where the site has them."""
    for page, source in TOP.items():
        text = text.replace(f"]({source})", f"]({page})")
    return text.replace("](docs/", "](")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let lists be read as GitHub reads them: without an empty line before, indented by 2 or 3."""
    lines: list[str] = []
    inside = fenced = False
    for line in markdown.splitlines():
        start = line.lstrip().startswith("```")
        item = not fenced and re.match(r"( *)([-*]|\d+\.) ", line)
        if item and lines and lines[-1].strip() and not inside:
            lines.append("")
        if item:
            inside = True
        elif line.strip() and not line.startswith(" ") and not fenced:
            inside = False
        indent = len(line) - len(line.lstrip())
        if inside and not item and 0 < indent < 4:
            line = " " * (4 - indent) + line
        fenced ^= start
        lines.append(line)
    return "\n".join(lines)


_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_page_content(html: str, **_: Any) -> str:
    """Write formulas as MathML, which browsers show without a script."""
    from html import unescape

    from latex2mathml.converter import convert

    def formula(match: re.Match[str]) -> str:
        display = "block" if match[1] == "div" else "inline"
        return convert(unescape(match[2]), display=display)

    return _FORMULA.sub(formula, html)
