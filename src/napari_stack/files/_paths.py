"""Which files are meant: a file, a folder, a glob, or a list of these, and in which order."""

import os
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from os.path import isdir
from pathlib import Path

#: Suffixes by which images are found in a folder or by a glob. A file that is named by itself is
#: known by its content.
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")

PathLike = str | os.PathLike[str]


def resolve(paths: PathLike | Iterable[PathLike]) -> list[str]:
    """List the files that are meant, each once.

    Those of a folder or glob come in natural order ("2" before "10"); what is given as a list keeps
    its order.

    Raises
    ------
    FileNotFoundError
        For a missing file, a folder without images, or a glob without match.
    ValueError
        When no path is given at all, or an empty one.
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise ValueError("no file is given: name a file, a folder, or a glob such as 'run1/*.tif'")
    groups = (naturally(_expand(expanded(path))) for path in given)
    return list(dict.fromkeys(name for group in groups for name in group))


def expanded(path: PathLike) -> Path:
    """Make a path of a text, ~ expanded.

    Raises
    ------
    ValueError
        For an empty one, which would mean the current folder.
    """
    if not str(path).strip():
        raise ValueError("the path is empty: name a file or a folder (. is the current one)")
    return Path(path).expanduser()


def naturally(names: Iterable[str]) -> list[str]:
    """Sort names as people do: "2" before "10"."""
    from natsort import natsorted, ns

    return natsorted(names, alg=ns.PATH | ns.IGNORECASE)


def _expand(path: Path) -> Iterator[str]:
    if path.is_dir():
        yield from _in_folder(path)
    elif path.exists():
        yield str(path)
    elif has_magic(str(path)):
        yield from _matching(str(path))
    else:
        raise FileNotFoundError(
            f"{path} does not exist: check the spelling, or name a folder or a glob"
        )


def _in_folder(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        found = [e.path for e in entries if _is_image(e.name) and not e.is_dir()]
    if not found:
        raise FileNotFoundError(
            f"the folder {folder} holds no images ({', '.join(SUFFIXES)}): name the folder that "
            "holds them, or a glob"
        )
    return found


def _matching(pattern: str) -> list[str]:
    matches = glob(pattern, recursive=True)  # noqa: PTH207 (it takes absolute patterns)
    found = [match for match in matches if _is_image(Path(match).name) and not isdir(match)]  # noqa: PTH112
    if not found:
        what = "only files that are no images" if matches else "nothing"
        raise FileNotFoundError(
            f"the glob {pattern} finds {what}: images are called {', '.join(SUFFIXES)}"
        )
    return found


def _is_image(name: str) -> bool:
    # A leading dot marks what file managers put beside images.
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")
