"""The adapters, and an environment of its own for each program."""

import ast
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Adapter:
    """An adapter: a file with functions by the kind of task, and what it says of itself.

    ``REQUIREMENTS`` are what pip installs, ``PROGRAM`` is looked for on the PATH, ``PYTHON`` is
    the lowest version, and ``BUILT_IN`` says that the Python at hand may have it, too (the quick
    mode asks for that).
    """

    name: str
    path: Path
    about: str
    kinds: tuple[str, ...]
    requirements: tuple[str, ...]
    program: str
    python: tuple[int, int]
    built_in: bool


def adapters() -> list[Adapter]:
    """Read the adapters, ours first, without importing them."""
    found = [_read(path) for path in sorted((HERE / "adapters").glob("with_*.py"))]
    return sorted(found, key=lambda adapter: (adapter.name != "napari-stack", adapter.name))


def _read(path: Path) -> Adapter:
    tree = ast.parse(path.read_text("utf-8"))
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper() and not node.targets[0].id.startswith("_")
    }  # fmt: skip
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return Adapter(
        path.stem.removeprefix("with_").replace("_", "-").replace("imreg-dft", "imreg_dft"),
        path,
        " ".join((ast.get_docstring(tree) or "").split()),
        tuple(n for n in functions if n != "version" and not n.startswith("_")),
        tuple(values.get("REQUIREMENTS", ())),
        values.get("PROGRAM", ""),
        values.get("PYTHON", (3, 11)),
        values.get("BUILT_IN", False),
    )


def python_of(adapter: Adapter, folder: Path) -> Path:
    """Return the Python that has the program, made where it is not there.

    Raises
    ------
    RuntimeError
        Saying why it cannot be had.
    """
    if adapter.program and not shutil.which(adapter.program):
        raise RuntimeError(f"the program {adapter.program} is not installed")
    if not adapter.requirements:
        return Path(sys.executable)
    home = folder / adapter.name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        _make(home, python, adapter)
    return python


def _make(home: Path, python: Path, adapter: Adapter) -> None:
    base = _base(adapter.python)
    print(f"making an environment for {adapter.name}", flush=True)
    subprocess.run([base, "-m", "venv", str(home)], check=True)
    words = [str(python), "-m", "pip", "install", "--quiet", *adapter.requirements]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(home)
        lines = [line for line in done.stderr.splitlines() if "ERROR" in line] or ["pip failed"]
        raise RuntimeError(f"pip cannot install {' '.join(adapter.requirements)}: {lines[-1]}")


def _base(lowest: tuple[int, int]) -> str:
    """Return a Python of that version or newer."""
    if sys.version_info >= lowest:
        return sys.executable
    for minor in range(lowest[1], lowest[1] + 3):
        if found := shutil.which(f"python{lowest[0]}.{minor}"):
            return found
    raise RuntimeError(f"Python {lowest[0]}.{lowest[1]} or newer is not installed")
