"""Files that lie beside images: sidecars, locks, previews, and the RAW of a JPEG."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePath

from napari_stack.core.notices import warn_caller
from napari_stack.files.formats import FAMILIES

#: What programs and cameras write beside images; none of it is an image.
_SIDECARS = (
    ".xmp", ".thm", ".dop", ".pp3", ".on1", ".cos", ".cop", ".nksc", ".vrd", ".txt", ".xml",
    ".json", ".csv", ".tsv", ".log", ".md", ".pdf", ".ini", ".db", ".lock", ".lck", ".tmp", ".bak",
    ".part", ".crdownload", ".yml", ".yaml", ".htm", ".html", ".nd", ".scan", ".index", ".wav",
)  # fmt: skip

#: Of files of one name, the first of these kinds is taken: the others are copies for viewing.
_PREFERRED = (".tif", ".tiff", ".png")

#: Names that a warning lists at most.
_MOST_NAMES = 4

#: Families of which files are not told when they are left out: measured values lie beside images.
_UNTOLD = FAMILIES[-1]


def is_hidden(path: str) -> bool:
    """Whether a file manager put a file there, or a program that has another one open.

    Examples
    --------
    >>> is_hidden("a/._b.tif"), is_hidden("~$b.tif"), is_hidden("~b.tif")
    (True, True, False)
    """
    return os.path.basename(path).startswith((".", "~$"))  # noqa: PTH119


def images_among(paths: Sequence[str]) -> list[str]:
    """Return the images of the first family that is there, each name once.

    Warns
    -----
    UserWarning
        When images of other families, or copies of other kinds, are left out.
    """
    visible = [path for path in paths if not is_hidden(path)]
    for family in FAMILIES:
        if found := [path for path in visible if path.lower().endswith(family)]:
            taken = _without_copies(found)
            known = set(found)
            others = [path for path in visible if path not in known and _is_told(path)]
            _tell(others, "images of another kind")
            return taken
    return []


def without_sidecars(groups: Sequence[Sequence[str]], named: Sequence[bool]) -> list[list[str]]:
    """Leave out what lies beside images in a list of files, and the RAW of a picture.

    Parameters
    ----------
    groups : sequence of sequence of str
        The files that each path of the list means.
    named : sequence of bool
        Whether that path names the very file.

    Warns
    -----
    UserWarning
        Naming what is left out, unless it is hidden in any file manager.
    """
    single = [path for group, one in zip(groups, named, strict=True) if one for path in group]
    everything = {path for group in groups for path in group}
    pictures = {_stem(path) for path in single if path.lower().endswith(FAMILIES[0])}
    hidden = {path for path in single if is_hidden(path)}
    beside = {path for path in single if path.lower().endswith(_SIDECARS)} - hidden
    raw = {
        path for path in single if path.lower().endswith(FAMILIES[1]) and _stem(path) in pictures
    }
    if everything <= hidden | beside:  # nothing would be left
        return [list(group) for group in groups]
    _tell([*beside], "files that are no images")
    _tell([*raw], "raw images beside pictures of the same names")
    out = hidden | beside | raw
    return [[path for path in group if path not in out] for group in groups]


def _is_told(path: str) -> bool:
    lower = path.lower()
    return lower.endswith(tuple(s for f in FAMILIES for s in f)) and not lower.endswith(_UNTOLD)


def _without_copies(paths: list[str]) -> list[str]:
    """Of files with the same name and other suffixes, take one."""
    alike: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        alike[_stem(path)].append(path)
    if len(alike) == len(paths):
        return paths
    kept = {min(group, key=_rank) for group in alike.values()}
    _tell([path for path in paths if path not in kept], "copies of images, by their names")
    return [path for path in paths if path in kept]


def _rank(path: str) -> tuple[int, str]:
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    return (_PREFERRED.index(suffix) if suffix in _PREFERRED else len(_PREFERRED), path)


def _stem(path: str) -> str:
    return os.path.splitext(path)[0].lower()  # noqa: PTH122


def _tell(paths: Sequence[str], what: str) -> None:
    if not paths:
        return
    names = ", ".join(PurePath(path).name for path in sorted(paths)[:_MOST_NAMES])
    more = f" and {len(paths) - _MOST_NAMES} more" if len(paths) > _MOST_NAMES else ""
    warn_caller(f"left out, {what}: {names}{more}; to read them, name them alone")
