"""Where the images of a zarr group lie: fields of a plate or a well, series, or arrays."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff.ome_xml import parsed
from napari_stack.files.metadata import KEY

#: Endings of zipped zarr; the second is that of OME-NGFF's RFC 9.
ZIPPED = (".zarr.zip", ".ozx")

#: Files of which the folder of an array or group holds one.
MARKS = ("zarr.json", ".zarray", ".zgroup", ".zattrs")

#: A group of the images that were segmented: no images themselves.
_LABELS = "labels"


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
    attributes = dict(node.attrs)
    ome = attributes.get("ome", attributes)
    if hasattr(node, "shape") or KEY in attributes:
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
        raise UserError("the group holds no image: name the folder of an array in it")
    return [FoundImage(name, child) for name, child in found]


def _in_plate(node: Any, plate: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Go through the wells of a plate; of those that were never recorded there is no folder."""
    for entry in plate.get("wells", ()):
        path = str(entry["path"]).strip("/")
        well = _child(node, path)
        if well is None:
            continue
        attributes = dict(well.attrs)
        described = attributes.get("ome", attributes).get("well", {})
        for name, image in _in_well(well, described):
            yield f"{path}/{name}", image


def _in_well(node: Any, well: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for entry in well.get("images", ()):
        path = str(entry["path"]).strip("/")
        if (image := _child(node, path)) is not None:
            yield path, image


def _in_series(node: Any) -> list[tuple[str, Any]]:
    """Find the series of bioformats2raw, which are called by their numbers, or of a plain group."""
    listed = _listed_series(node)
    numbered = sorted((name for name in node.keys() if name.isdecimal()), key=int)  # noqa: SIM118
    found = [(name, node[name]) for name in listed or numbered if name in node]
    names = _names_of_series(node)
    if len(names) == len(found) and all(names):
        return [(name, image) for name, (_, image) in zip(names, found, strict=True)]
    return found if len(found) > 1 else [("", image) for _, image in found]


def _listed_series(node: Any) -> list[str]:
    if "OME" not in node:
        return []
    attributes = dict(node["OME"].attrs)
    listed = attributes.get("ome", attributes).get("series")
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
        attributes = dict(child.attrs)
        if len(getattr(child, "shape", ())) >= 2 or "multiscales" in attributes.get(
            "ome", attributes
        ):
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
