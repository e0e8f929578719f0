"""Sets of TIFF files: of OME, whose description names the files, and of Micro-Manager."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.files.damage import damage_named
from napari_stack.files.formats.tiff import micro_manager
from napari_stack.files.formats.tiff.find_series import Directories
from napari_stack.files.formats.tiff.ome_images import images_in, other_files, planes_in_set
from napari_stack.files.formats.tiff.ome_xml import OmeXml, parsed
from napari_stack.files.formats.tiff.plane_map import PlaneMap

#: Endings of files that hold the description of a set, and no pixels.
COMPANIONS = (".companion.ome", ".ome.xml")

#: Names of missing files that a message lists at most.
_MOST_NAMES = 4

#: Files that are looked into for one that was renamed.
_MOST_FILES = 500

#: Gives the series of a file.
Find = Callable[[str], Directories]


def set_of(files: list[str], find: Find) -> PlaneMap | None:
    """Find the set that a file belongs to, or None where it stands by itself.

    Parameters
    ----------
    files : list of str
        The first one is asked; the others must belong to its set. The images of which they hold a
        part are returned.
    find : callable

    Raises
    ------
    FileNotFoundError
        Naming a file, when none is there that holds a part of these images.
    UserError
        Naming the first of `files` that does not belong to the set.

    Warns
    -----
    UserWarning
        Naming the files that are missing: their planes are missing frames, and images that have
        no other file are left out.
    """
    files = [str(Path(file)) for file in files]
    if files[0].lower().endswith(COMPANIONS):
        return _set_of(_description(files[0]), files[0], files, find)
    found = find(files[0])
    if found.index is not None:
        return _acquisition(files, find)
    companion = _companion(files[0]) if found.ome is None else ""
    if companion:
        return _set_of(_description(companion), companion, files, find)
    if found.ome is None:
        return None
    ome, master = found.ome, files[0]
    if ome.master:
        master = str(Path(master).parent / ome.master)
        if not Path(master).is_file():
            raise FileNotFoundError(
                f"{files[0]} is a part of an OME set that {ome.master} describes, and that file is "
                "missing: put the files of the set into one folder"
            )
        is_text = master.lower().endswith(COMPANIONS)
        ome = _description(master) if is_text else (find(master).ome or ome)
    return _set_of(ome, master, files, find) if other_files(ome, master) else None


def _companion(path: str) -> str:
    """Return the file beside this one that describes it, where there is one, else ""."""
    folder, name = Path(path).parent, Path(path).name
    for other in _names_in(folder, COMPANIONS):
        images = _description(str(folder / other)).images
        if any(plane.file == name for image in images for plane in image.blocks):
            return str(folder / other)
    return ""


def _description(path: str) -> OmeXml:
    """Read a description that stands in a file of its own."""
    with damage_named(path):
        return parsed(Path(path).read_text(encoding="utf-8", errors="replace").strip())


def _acquisition(files: list[str], find: Find) -> PlaneMap | None:
    paths = micro_manager.acquisition(files[0])
    if len(paths) == 1:
        return None
    _check_members(files, set(paths), files[0])
    indices = {path: find(path).index for path in paths}
    known = {path: index for path, index in indices.items() if index is not None}
    with damage_named(files[0]):
        return micro_manager.planes_in(known, set(files))


def _check_members(files: list[str], members: set[str], path: str) -> None:
    for other in files[1:]:
        if other not in members:
            raise UserError(f"{other} does not belong to the set of {path}: read it by itself")


def _set_of(ome: OmeXml, master: str, files: list[str], find: Find) -> PlaneMap:
    folder = Path(master).parent
    own = "" if master.lower().endswith(COMPANIONS) else master
    named = sorted(other_files(ome, master))
    if not named:
        raise UserError(f"{master} describes no image in a TIFF: name the files of the images")
    paths = _paths_of(ome, named, folder, find)
    _check_members(files, {master, *paths.values()}, files[0])
    missing = [name for name in named if name not in paths]
    pages = {path: find(path).series[0].count for path in {*filter(None, [own]), *paths.values()}}
    with damage_named(files[0]):
        found = planes_in_set(ome, paths, own, pages)
    if not found.images:
        raise _lacking(files[0], missing[0])
    _warn_of_missing(ome, missing, files)
    return images_in(found, files)


def _paths_of(ome: OmeXml, names: list[str], folder: Path, find: Find) -> dict[str, str]:
    """Return where the files of a set are, by the names in its description.

    A file that was renamed is known by its identifier, also where it has the name of another one.
    """
    planes = [plane for image in ome.images for plane in image.blocks]
    wanted = {plane.uuid: plane.file for plane in planes if plane.file in names and plane.uuid}
    due = {name: uuid for uuid, name in wanted.items()}
    there = {name: str(folder / name) for name in names if (folder / name).is_file()}
    sure = {
        name: path
        for name, path in there.items()
        if name not in due or _uuid_of(path, find) in ("", due[name])
    }
    if len(sure) < len(names) and wanted:
        for name in _names_in(folder, (".tif", ".tiff"))[:_MOST_FILES]:
            path = str(folder / name)
            with suppress(UserError, OSError):
                if path not in sure.values() and (uuid := _uuid_of(path, find)) in wanted:
                    sure.setdefault(wanted[uuid], path)
    return there | sure


def _uuid_of(path: str, find: Find) -> str:
    ome = find(path).ome
    return "" if ome is None else ome.uuid


def _names_in(folder: Path, endings: tuple[str, ...]) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.lower().endswith(endings))


def _warn_of_missing(ome: OmeXml, missing: list[str], files: list[str]) -> None:
    """Tell of the files that are not there: what images lack of them, or which are left out."""
    if not missing:
        return
    absent, named = set(missing), {Path(path).name for path in files}
    images = [{plane.file for plane in image.blocks} for image in ome.images]
    # What a file is called may have changed: where none is known by name, all images are meant.
    asked = [parts for parts in images if parts & named] or images
    incomplete = any(parts & absent and parts - absent for parts in asked)
    what = "planes of theirs are missing frames" if incomplete else "images in these are left out"
    count = "a file is missing" if len(absent) == 1 else f"{len(absent)} files are missing"
    more = ", ..." if len(missing) > _MOST_NAMES else ""
    warn_caller(
        f"{files[0]} is a part of an OME set of which {count} "
        f"({', '.join(missing[:_MOST_NAMES])}{more}): "
        f"{what}; put the files of the set into one folder",
    )


def _lacking(path: str, name: str) -> FileNotFoundError:
    return FileNotFoundError(
        f"{path} is a part of an OME set, and its file {name} is missing: put the files of the set "
        "into one folder"
    )
