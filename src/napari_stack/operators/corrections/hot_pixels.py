"""`repair_hot_pixels` and `HotPixels`: defective pixels of the sensor, and their repair."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.correction import Correction
from napari_stack.core.errors import UserError
from napari_stack.core.measured import Measured
from napari_stack.core.options import Bounds, CountsWith, ImageSource, check
from napari_stack.core.source import Pixels
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import check_target, load_image, write
from napari_stack.operators.corrections.find_hot_pixels import Kind, Lines, Side, find_hot_pixels
from napari_stack.operators.corrections.mosaic import mosaic_step
from napari_stack.operators.corrections.pixelwise import check_channels
from napari_stack.operators.corrections.sensor import check_size, sensor_view

Method = Literal["mean", "median"]


@dataclass(frozen=True, eq=False)
class HotPixels(Correction, Measured):
    """Defective pixels, and how they are repaired from their good neighbours.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x) or (y, x, channel)
        True at defective pixels.
    method : {"mean", "median"}
        Of the good pixels around.
    kernel_size : int
        Side of the square around a pixel; it grows where this holds no good pixel.
    step : int
        From one neighbour to the next: 2 in mosaics of colours, where the next ones of the same
        colour are so far away; 0 takes what the frames say that it is applied to.
    """

    _name: ClassVar[str] = "hot pixels"
    of_sensor: ClassVar[bool] = True
    local: ClassVar[bool] = True  # a row is made of a few around it: see `Stack.seen`

    mask: NDArray[np.bool_] = ()  # type: ignore[assignment]
    method: Method = "mean"
    kernel_size: int = 3
    step: int = 0

    def __post_init__(self) -> None:
        self._freeze(np.bool_, "mask")
        shape = self.mask.shape
        if len(shape) not in (2, 3):
            raise UserError(f"a mask needs the shape (y, x) or (y, x, channel), got {shape}")

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], int]:
        """Row, column, channel and reach of defective pixels, by row, and the longest reach."""
        from napari_stack.operators.corrections.hot_pixel_kernels import reaches

        mask = self.mask if self.mask.ndim == 3 else self.mask[..., np.newaxis]
        places = np.argwhere(mask)
        step = max(self.step, 1)
        reach = reaches(mask, places, self.kernel_size // 2, step)
        return np.column_stack([places, reach]), int(reach.max(initial=0)) * step

    def source_rows(self, rows: slice, index: int) -> slice:  # noqa: ARG002
        """Rows it must see: those around the defective pixels, too."""
        _, reach = self._places
        return slice(max(rows.start - reach, 0), min(rows.stop + reach, len(self.mask)))

    def apply(
        self, values: NDArray[Any], valid: NDArray[np.bool_] | None, index: int, rows: slice
    ) -> Pixels:
        """Repair rows of a frame; good pixels are not touched, so it is done in place."""
        from napari_stack.operators.corrections.hot_pixel_kernels import repair

        seen = self.source_rows(rows, index)
        places, _ = self._places
        first, last = np.searchsorted(places[:, 0], [rows.start, rows.stop])
        pixels = values if values.ndim == 3 else values[..., np.newaxis]
        mask = self.mask if self.mask.ndim == 3 else self.mask[..., np.newaxis]
        step, median = max(self.step, 1), self.method == "median"
        repair(pixels, mask, places[first:last], seen.start, step, median)
        kept = slice(rows.start - seen.start, rows.stop - seen.start)
        return values[kept], None if valid is None else valid[kept]


#: Of the search for defective pixels.
_FOUND = CountsWith("mask", (None,))


def repair_hot_pixels(
    stack: Stack,
    *,
    mask: ImageSource = None,
    method: Method = "mean",
    kernel_size: Annotated[int, Bounds(3, 15, step=2, unit="px")] = 3,
    thresholds: Annotated[str, _FOUND] = "auto",
    blur: Annotated[Side, _FOUND] = "auto",
    kind: Annotated[Kind, _FOUND] = "both",
    lines: Annotated[Lines, _FOUND] = "none",
    exposures: Annotated[ImageSource, CountsWith("kind", ("warm", "all"))] = None,
    run: Run = Run(),
) -> Stack:
    """Replace defective pixels by the mean or median of their good neighbours.

    In mosaics of colours (raw frames) the neighbours are those of the same colour.

    Parameters
    ----------
    stack : Stack
        Of registered frames, pixels are repaired before they are moved.
    mask : array, path or layer
        Not zero at defective pixels, of the size of a frame as the sensor gave it, with or without
        channels. Without a mask they are found on the frames themselves.
    method : {"mean", "median"}
        Of the good neighbours.
    kernel_size : int
        Side of the square of neighbours, an odd number; it grows where no neighbour is good.
    thresholds : str
        Without a mask: how far a pixel must stand out of its neighbours in most frames: "auto", one
        number, or one for each channel with commas between, where the range of the data counts
        255.
    blur : int or "auto"
        Without a mask: side of the square around a pixel on which the eight pixels lie that it is
        compared with; an odd number.
    kind : {"both", "hot", "cold", "blinking", "warm", "all"}
        Without a mask: pixels that are too bright in most frames, too dark, or both; too bright in
        some frames; or whose excess grows with the exposure.
    lines : {"none", "columns", "rows", "both"}
        Without a mask: find whole columns or rows that stand out, too.
    exposures : array, path or layer
        Exposure time of each frame, for warm pixels.
    run : Run

    Returns
    -------
    Stack

    Raises
    ------
    ValueError
        When an option is out of range, or the mask has another size than the frames.

    Warns
    -----
    UserWarning
        Without a mask, when the scene does not move: its own points may be among the pixels found.
    """
    check(repair_hot_pixels, locals())
    if kernel_size % 2 == 0:
        raise UserError(f"repair_hot_pixels: kernel_size must be an odd number, got {kernel_size}")
    image = load_image(mask)
    if image is None:
        image = find_hot_pixels(
            stack,
            thresholds=thresholds,
            blur=blur,
            kind=kind,
            lines=lines,
            exposures=exposures,
            run=run,
        )
    return apply_hot_pixels(stack, HotPixels(image != 0, method, int(kernel_size)))


def apply_hot_pixels(stack: Stack, hot: HotPixels) -> Stack:
    """Repair known defective pixels, lazily and before any warp.

    Parameters
    ----------
    stack : Stack
        Frames of the same camera and size.
    hot : HotPixels

    Returns
    -------
    Stack

    Raises
    ------
    ValueError
        When the mask has another size or number of channels than the frames.
    """
    check_size("a mask", hot.mask.shape, stack)
    count = hot.mask.shape[2] if hot.mask.ndim == 3 else 1
    if count not in (1, stack.channels):
        if stack.ndim == 4 and count != stack.channels + stack.alpha:
            check_channels("a mask", count, stack)
        joint = stack.ndim == 3
        mask = np.asarray(hot.mask.any(axis=2) if joint else hot.mask[..., : stack.channels])
        hot = replace(hot, mask=mask)
    if hot.step == 0:  # also of files written before there was a step
        hot = replace(hot, step=mosaic_step(sensor_view(stack)))
    return stack.corrected(hot)


def write_hot_pixels(
    path: str | Path, mask: NDArray[np.bool_], *, overwrite: bool = False
) -> list[Path]:
    """Write a mask as images: joint, and with channels one of each.

    Parameters
    ----------
    path : str or Path
        Such as ``hot.png`` or ``hot.tif``. With three channels the images are called
        ``hot-rgb``, ``hot-r``, ``hot-g`` and ``hot-b``, with others ``hot-all``, ``hot-0``, ...
    mask : ndarray of bool, shape (y, x) or (y, x, channel)
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    FileExistsError
        Before anything is written, when one of the files is there and `overwrite` is False.
    """
    path = Path(path)
    images: dict[str, Any] = {"": mask}
    if mask.ndim == 3:
        colours = mask.shape[2] == 3
        names = "rgb" if colours else [str(k) for k in range(mask.shape[2])]
        images = {"-rgb" if colours else "-all": mask.any(axis=2)}
        images |= {f"-{name}": mask[..., k] for k, name in enumerate(names)}
    targets = {
        path.with_name(path.stem + end + path.suffix): image for end, image in images.items()
    }
    for target in targets:
        check_target(target, overwrite=overwrite)
    for target, image in targets.items():
        write(target, image.astype(np.uint8) * np.uint8(255), overwrite=overwrite)
    return list(targets)
