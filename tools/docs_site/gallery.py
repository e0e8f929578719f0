"""The gallery: the scripts of docs/gallery, run, each a page with its text, code and pictures.

A script begins with a docstring, whose first line is the title, and saves pictures by matplotlib in
the folder that it runs in.
"""

import ast
import os
import runpy
import tempfile
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "docs" / "gallery"


def scripts() -> list[Path]:
    """Return the scripts, in order of their names."""
    return sorted(SCRIPTS.glob("*.py"))


def names() -> list[str]:
    """Name the pages."""
    return [f"gallery/{script.stem}.md" for script in scripts()]


def pages() -> dict[str, str | bytes]:
    """Run the scripts; return pages and pictures by name."""
    made: dict[str, str | bytes] = {}
    index = [
        "# Gallery",
        "",
        "Small examples on samples with known truth; each runs in seconds.",
        "",
    ]
    for script in scripts():
        title, text, code = parts(script)
        pictures = run(script)
        shown = "\n\n".join(f"![{title}]({name})" for name in pictures)
        page = f"# {title}\n\n{text}\n\n{shown}\n\n```python\n{code}\n```\n"
        made[f"gallery/{script.stem}.md"] = page
        made |= {f"gallery/{name}": content for name, content in pictures.items()}
        first = next(iter(pictures))
        index += [
            f"## [{title}]({script.stem}.md)",
            "",
            f"[![{title}]({first})]({script.stem}.md)",
            "",
        ]
    return {"gallery/index.md": "\n".join(index), **made}


def parts(script: Path) -> tuple[str, str, str]:
    """Take a script apart: title, text, code."""
    source = script.read_text("utf-8")
    tree = ast.parse(source)
    title, _, text = (ast.get_docstring(tree) or "").partition("\n")
    code = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip()
    return title.rstrip("."), text.strip(), code


def run(script: Path) -> dict[str, bytes]:
    """Run a script in a folder that is thrown away; return its pictures by name.

    Raises
    ------
    ValueError
        When it saved no picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            os.chdir(before)
            _close()
        pictures = {p.name: p.read_bytes() for p in sorted(Path(folder).glob("*.png"))}
    if not pictures:
        raise ValueError(f"{script.name} saved no picture: it is to call savefig('NAME.png')")
    return pictures


def _close() -> None:
    from matplotlib import pyplot

    pyplot.close("all")
