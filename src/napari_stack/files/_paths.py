"""Which files are meant: a file, a folder, a glob, or a list of these, in natural order."""

import os
from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path

#: Suffixes by which images are found in a folder or by a glob. A file that is named by itself is
#: known by its content.
SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg")

PathLike = str | os.PathLike[str]


def resolve(paths: PathLike | Iterable[PathLike]) -> list[str]:
    """List the files that are meant, each once, in natural order ("2" before "10").

    Raises
    ------
    FileNotFoundError
        For a missing file, a folder without images, or a glob without match.
    ValueError
        When no path is given at all.
    """
    from natsort import natsorted, ns

    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise ValueError("no file is given: name a file, a folder, or a glob such as 'run1/*.tif'")
    found = dict.fromkeys(name for path in given for name in _expand(Path(path).expanduser()))
    return natsorted(found, alg=ns.PATH | ns.IGNORECASE)


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
        found = [entry.path for entry in entries if _is_image(entry.name)]
    if not found:
        raise FileNotFoundError(
            f"the folder {folder} holds no images ({', '.join(SUFFIXES)}): name the folder that "
            "holds them, or a glob"
        )
    return found


def _matching(pattern: str) -> list[str]:
    matches = glob(pattern, recursive=True)  # noqa: PTH207 (it takes absolute patterns)
    found = [match for match in matches if _is_image(Path(match).name)]
    if not found:
        what = "only files that are no images" if matches else "nothing"
        raise FileNotFoundError(
            f"the glob {pattern} finds {what}: images are called {', '.join(SUFFIXES)}"
        )
    return found


def _is_image(name: str) -> bool:
    # A leading dot marks what file managers put beside images.
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")
