"""CZI of Zeiss, read by pylibCZIrw (libCZI): scenes as images, their tiles joined by libCZI."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import MISSING, Frame, needed_package
from napari_stack.files.formats.described import (
    channel_axis,
    spaced,
    stored_image,
    time_axis,
)
from napari_stack.files.formats.microscopes.czi_integrity import check_sizes
from napari_stack.files.formats.microscopes.czi_metadata import Metadata
from napari_stack.files.formats.microscopes.czi_times import times_of

#: Pixels by the names that libCZI gives them: their type, and channels in the order blue, green,
#: red.
_PIXELS = {
    "Gray8": (np.uint8, 1), "Gray16": (np.uint16, 1), "Gray32Float": (np.float32, 1),
    "Bgr24": (np.uint8, 3), "Bgr48": (np.uint16, 3), "Bgr96Float": (np.float32, 3),
}  # fmt: skip

#: Dimensions that are loops, the outermost first; of others, such as phases, all but the first
#: letters stand in front. S are scenes, M the tiles of a mosaic, B is of no use any more.
_LOOPS = "VHIRTCZ"

#: What the loops are called.
_NAMES = {"V": "view", "H": "phase", "I": "illumination", "R": "rotation"}

#: Most planes, frames or tiles that a file may declare: a time series of a day at 100 Hz has less.
_MOST = 2**24


@dataclass(frozen=True)
class _Scene:
    """Where a scene lies: its number (None where the file has none), rectangle, and first places.

    Attributes
    ----------
    letters : str
        Dimensions that vary, of `_LOOPS`.
    starts : dict of str to int
        First place along every dimension.
    """

    path: str
    number: int | None
    corner: tuple[int, int]
    width: int
    letters: str
    starts: dict[str, int]


class Czi(ArrayFormat):
    """CZI."""

    name = "CZI"
    starts = (b"ZISRAWFILE",)
    suffixes = (".czi",)
    libraries = ("pylibCZIrw", "_pylibCZIrw")

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the scenes; the image, where the file has none."""
        _library(path)
        check_sizes(path)
        with _opened(path) as file:
            metadata = Metadata(file.raw_metadata)
            rectangles = file.scenes_bounding_rectangle_no_pyramid or {
                None: file.total_bounding_rectangle_no_pyramid
            }
            box = {k: v for k, v in file.total_bounding_box_no_pyramid.items() if k in _LOOPS}
            blocks = _blocks(file)
            return [
                _image(path, file, metadata, box, (number, rectangle), blocks)
                for number, rectangle in sorted(rectangles.items(), key=lambda item: item[0] or 0)
            ]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        scene: _Scene = array
        offsets = dict(zip(scene.letters, place, strict=False))
        plane = {name: start + offsets.get(name, 0) for name, start in scene.starts.items()}
        x, y = scene.corner
        roi = (x, y + rows.start, scene.width, rows.stop - rows.start)
        with _opened(scene.path) as file:
            pixels = file.read(roi=roi, plane=plane, scene=scene.number)
        return np.array(pixels[..., ::-1] if pixels.shape[2] == 3 else pixels[..., 0])


def _library(path: str) -> Any:
    with needed_package(path, "CZI", "pylibCZIrw", "microscopes"):
        from pylibCZIrw import czi
    return czi


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with _library(path).open_czi(path) as file:
        yield file


def _blocks(file: Any) -> list[tuple[dict[str, int], int]]:
    """List the places of all full-size tiles, and their heights."""
    found: list[tuple[dict[str, int], int]] = []

    def take(_: int, block: Any) -> bool:
        if block.get_zoom() > 0.99:
            found.append((block.coordinate.to_dict(), block.physicalSize.h))
        return len(found) < _MOST

    file.enumerate_subblocks(take)
    return found


def _image(
    path: str,
    file: Any,
    metadata: Metadata,
    box: dict[str, tuple[int, int]],
    where: tuple[int | None, Any],
    blocks: list[tuple[dict[str, int], int]],
) -> StoredImage:
    number, rectangle = where
    inside = [b for b in blocks if number is None or b[0].get("S", number) == number]
    kinds = set(file.pixel_types.values())
    if len(kinds) != 1 or not kinds <= set(_PIXELS):
        raise UserError(
            f"its channels hold {', '.join(sorted(map(str, kinds)))} pixels, and one kind of "
            f"{', '.join(_PIXELS)} is needed: split the channels in ZEN"
        )
    dtype, samples = _PIXELS[kinds.pop()]
    shape = (rectangle.h, rectangle.w) + ((3,) if samples == 3 else ())
    letters = "".join(name for name in _LOOPS if box.get(name, (0, 1))[1] > 1)
    if prod(box[name][1] for name in letters) > _MOST:
        raise UserError("it claims more planes than any recording has")
    looks = metadata.looks(box.get("C", (0, 1))[1], np.dtype(dtype))
    axes = {
        "T": _time_axis(path, metadata, box.get("T", (0, 1))[1]),
        "C": channel_axis(looks),
        "Z": spaced("z", metadata.micrometres("Z"), "um"),
    }
    leading = [(axes.get(n, Axis(_NAMES.get(n, n.lower()))), box[n][1]) for n in letters]
    plane = tuple(spaced(n, metadata.micrometres(n.upper()), "um") for n in "yx")
    starts = {name: start for name, (start, _) in box.items()}
    scene = _Scene(path, number, (rectangle.x, rectangle.y), rectangle.w, letters, starts)
    found = stored_image(
        scene,
        leading,
        Frame(shape, np.dtype(dtype), rgb=samples == 3),
        (plane[0], plane[1]),
        partial=any(height * 2 < rectangle.h for _, height in inside),
        name=metadata.scene(number),
        look=looks[0] if len(looks) == 1 and samples == 1 else Look(),
    )
    _mark_missing(found, scene, [place for place, _ in inside])
    return found


def _time_axis(path: str, metadata: Metadata, count: int) -> Axis:
    """Return the axis of times: as they were noted, else by the interval that was wished for."""
    times = times_of(path)
    found = time_axis(times) if len(times) == count else Axis("t")
    return found if found.unit == "s" else metadata.time_axis()


def _mark_missing(found: StoredImage, scene: _Scene, places: list[dict[str, int]]) -> None:
    """Mark planes of which no tile was recorded, as where an acquisition was stopped."""
    sizes, starts = found.contents.sizes, scene.starts
    recorded = np.zeros(sizes, bool)
    for place in places:
        at = tuple(place.get(n, starts[n]) - starts[n] for n in scene.letters) or (0,)
        if all(0 <= i < size for i, size in zip(at, sizes, strict=True)):
            recorded[at] = True
    if not recorded.any():
        raise UserError("it holds no pixels")
    found.contents.order[~recorded.ravel()] = MISSING
