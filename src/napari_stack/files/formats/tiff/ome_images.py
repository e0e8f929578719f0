"""Where the planes of the images of OME-TIFFs lie, in one file or a set, by their OME-XML."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.formats.tiff import ome_axes
from napari_stack.files.formats.tiff.axes import shown_axes, sound
from napari_stack.files.formats.tiff.ome_xml import OmeImage, OmeXml, TiffData
from napari_stack.files.formats.tiff.plane_map import MappedImage, PlaneMap, empty_places

#: Order of the planes where the description gives none.
_USUAL_ORDER = "XYCZT"

#: Planes that a description may claim: beyond, the file is damaged.
_MOST_PLANES = 2**20


def is_several(ome: OmeXml, path: str) -> bool:
    """Whether a file holds several images, or parts of images that lie in other files, too."""
    return len(ome.images) > 1 or bool(ome.master) or bool(other_files(ome, path))


def other_files(ome: OmeXml, path: str) -> set[str]:
    """Return the names of the other files of a set; none for a file that stands by itself.

    A file that was renamed, and has no identifier, is the only one that is named.
    """
    others = ome.other_files(path)
    named = {plane.file for image in ome.images for plane in image.blocks if plane.file}
    if others == named and len(named) == 1 and not (Path(path).parent / next(iter(named))).exists():
        return set()
    return others


def planes_in_file(ome: OmeXml, path: str, pages: int) -> PlaneMap:
    """Map the images of a file that stands by itself.

    Parameters
    ----------
    ome : OmeXml
    path : str
    pages : int
        How many the file has.
    """
    found = [_mapped(image, lambda _plane: 0, [pages]) for image in ome.images]
    return PlaneMap([path], [image for image in found if len(image.recorded)])


def planes_in_set(
    ome: OmeXml, paths: Mapping[str, str], own: str, pages: Mapping[str, int]
) -> PlaneMap:
    """Map the images of a set.

    Parameters
    ----------
    ome : OmeXml
    paths : mapping of str to str
        Path of each file that is at hand, by the name in the description.
    own : str
        Path of the file with the description; empty where that is no TIFF.
    pages : mapping of str to int
        Number of pages of each file, by its path.
    """
    files = list(dict.fromkeys([*filter(None, [own]), *paths.values()]))

    def file_of(plane: TiffData) -> int | None:
        mine = not plane.file or (ome.uuid and plane.uuid == ome.uuid)
        path = own if mine and own else paths.get(plane.file)
        return None if path is None else files.index(path)

    counts = [pages[path] for path in files]
    found = [_mapped(image, file_of, counts) for image in ome.images]
    return PlaneMap(files, [image for image in found if len(image.recorded)])


def _mapped(
    image: OmeImage, file_of: Callable[[TiffData], int | None], pages: Sequence[int]
) -> MappedImage:
    """Map an image; planes in files that are not at hand, or beyond their end, are missing."""
    letters = list(image.pixels.get("DimensionOrder", _USUAL_ORDER)[:1:-1])
    if sorted(letters) != ["C", "T", "Z"]:
        raise UserError(f"its OME-XML names the dimensions {letters}, where Z, C and T are due")
    sizes = tuple(max(image.size(a) // (image.samples if a == "C" else 1), 1) for a in letters)
    if np.prod(sizes, dtype=float) > _MOST_PLANES:
        raise UserError(f"its OME-XML claims {sizes} planes, which no file holds")
    places = empty_places(sizes)
    for plane in image.blocks or [TiffData({})]:
        file = file_of(plane)
        first = [plane.number(f"First{letter}", 0) for letter in letters]
        if file is None or any(at >= size for at, size in zip(first, sizes, strict=True)):
            continue
        start, page = int(np.ravel_multi_index(first, sizes)), plane.number("IFD", 0)
        default = 1 if "IFD" in plane.attributes else pages[file]
        count = plane.number("PlaneCount", plane.number("NumPlanes", default))
        count = min(count, len(places) - start, pages[file] - page)
        if count > 0:
            places[start : start + count, 0] = file
            places[start : start + count, 1] = page + np.arange(count)
    said = sound(ome_axes.axes_of(image))
    kept = [(a.lower(), n) for a, n in zip(letters, sizes, strict=True) if a != "C" or n > 1]
    leading, look = shown_axes(kept, said, image.channels, ome_axes.looks_of(image))
    plane_axes = said.get("y", Axis("y")), said.get("x", Axis("x"))
    return MappedImage(image.name, leading, tuple(n for _, n in kept), plane_axes, places, look)


def images_in(found: PlaneMap, paths: Iterable[str]) -> PlaneMap:
    """Keep the images of which these files hold a part; all where they hold no plane at all."""
    named = {Path(path) for path in paths}
    numbers = {number for number, path in enumerate(found.files) if Path(path) in named}
    kept = [i for i in found.images if numbers.intersection(i.recorded[:, 0].tolist())]
    return PlaneMap(found.files, kept or found.images)
