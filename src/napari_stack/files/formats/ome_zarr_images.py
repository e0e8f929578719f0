"""Where the images of a zarr group lie: fields of a plate or a well, series, or arrays."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari_stack.core.notices import warn_caller
from napari_stack.files.damage import NoImageError
from napari_stack.files.formats.tiff.ome_xml import parsed
from napari_stack.files.metadata import KEY

#: Endings of zipped zarr; the second is that of OME-NGFF's RFC 9.
ZIPPED = (".zarr.zip", ".ozx")

#: Files of which the folder of an array or group holds one.
MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")

#: A group of the images that were segmented: no images themselves.
_LABELS = "labels"


#: Images that a warning names at most.
_MOST_NAMES = 6


class FoundImage(NamedTuple):
    """An image in a group: its name, the group or array, and which of its multiscales it is."""

    name: str
    node: Any
    number: int = 0


def images_in(node: Any) -> list[FoundImage]:
    """Return the images that a group or array holds.

    Raises
    ------
    UserError
        Where there is none.
    """
    ome = _described(node)
    if hasattr(node, "shape") or KEY in node.attrs:
        return [FoundImage("", node)]
    if scales := ome.get("multiscales"):
        names = [str(scale.get("name", "")) if len(scales) > 1 else "" for scale in scales]
        return [FoundImage(name, node, number) for number, name in enumerate(names)]
    if "plate" in ome:
        found = list(_in_plate(node, ome["plate"]))
    elif "well" in ome:
        found = list(_in_well(node, ome["well"]))
    elif "0" in node:
        found = _in_series(node)
    else:
        found = list(_in_group(node))
    if not found:
        raise NoImageError("the zarr group holds no image: name the folder of an array in it")
    _tell_of_missing(_declared(node, ome), {name for name, _ in found})
    return [FoundImage(name, child) for name, child in found]


def _declared(node: Any, ome: Mapping[str, Any]) -> list[str]:
    """Return the paths of the images of a plate or well, and of wells that have no folder."""
    if "well" in ome:
        return _paths(ome["well"], "images")
    if "plate" not in ome:
        return []
    declared = []
    for path in _paths(ome["plate"], "wells"):
        well = _child(node, path)
        described = {} if well is None else _described(well).get("well", {})
        declared += [f"{path}/{name}" for name in _paths(described, "images")] or [path]
    return declared


def _tell_of_missing(declared: Sequence[str], found: set[str]) -> None:
    missing = [path for path in declared if path not in found]
    if missing:
        names = ", ".join(missing[:_MOST_NAMES]) + (", ..." if len(missing) > _MOST_NAMES else "")
        warn_caller(
            f"of the {len(declared)} images that the zarr declares {len(missing)} are not "
            f"there, and are left out: {names}",
        )


def _in_plate(node: Any, plate: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Go through the wells of a plate; of those that were never recorded there is no folder."""
    for path in _paths(plate, "wells"):
        well = _child(node, path)
        if well is not None:
            for name, image in _in_well(well, _described(well).get("well", {})):
                yield f"{path}/{name}", image


def _in_well(node: Any, well: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for path in _paths(well, "images"):
        if (image := _child(node, path)) is not None:
            yield path, image


def _paths(described: Mapping[str, Any], key: str) -> list[str]:
    return [str(entry["path"]).strip("/") for entry in described.get(key, ())]


def _described(node: Any) -> Mapping[str, Any]:
    """Return the attributes of OME-NGFF, of any version."""
    attributes = dict(node.attrs)
    found: Mapping[str, Any] = attributes.get("ome", attributes)
    return found


def _in_series(node: Any) -> list[tuple[str, Any]]:
    """Find the series of bioformats2raw, which are called by their numbers, or of a plain group."""
    listed = _listed_series(node)
    _tell_of_missing(listed, {name for name in listed if name in node})
    numbered = sorted((name for name in node.keys() if name.isdecimal()), key=int)  # noqa: SIM118
    found = [(name, node[name]) for name in listed or numbered if name in node]
    names = _names_of_series(node)
    if len(names) == len(found) and all(names):
        return [(name, image) for name, (_, image) in zip(names, found, strict=True)]
    return found if len(found) > 1 else [("", image) for _, image in found]


def _listed_series(node: Any) -> list[str]:
    if "OME" not in node:
        return []
    listed = _described(node["OME"]).get("series")
    return [str(path) for path in listed] if isinstance(listed, list) else []


def _names_of_series(node: Any) -> list[str]:
    """Read the names of the images in the OME-XML that bioformats2raw writes beside them."""
    if "OME" not in node:
        return []
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    place = node.store_path / "OME" / "METADATA.ome.xml"
    stored = sync(place.get(prototype=default_buffer_prototype()))
    if stored is None:
        return []
    return [image.name for image in parsed(stored.to_bytes().decode("utf-8", "replace")).images]


def _in_group(node: Any) -> Iterator[tuple[str, Any]]:
    """Go through what a group without a description holds."""
    for name in sorted(node.keys()):
        if name in (_LABELS, "OME"):
            continue
        child = node[name]
        if len(getattr(child, "shape", ())) >= 2 or "multiscales" in _described(child):
            yield name, child


def _child(node: Any, path: str) -> Any:
    try:
        return node[path]
    except KeyError:
        return None


def is_zarr(path: Path) -> bool:
    """Return whether a folder is an array or group."""
    return any((path / mark).is_file() for mark in MARKS)


def is_zipped(path: str) -> bool:
    """Whether a file is a zipped zarr."""
    return path.lower().endswith(ZIPPED) or root_of_zip(path) is not None


def root_of_zip(path: str) -> str | None:
    """Return the folder of the outermost group or array in a zip, or None where there is none."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
    except (OSError, zipfile.BadZipFile):
        return None
    roots = [name.rpartition("/")[0] for name in names if name.rpartition("/")[2] in MARKS]
    return min(roots, key=lambda root: (root.count("/") + bool(root), root), default=None)
