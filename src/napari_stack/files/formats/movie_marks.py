"""What is drawn on the pictures of a movie: the time or place of each, and a scale bar."""

from collections.abc import Callable
from math import floor, log10
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.units import metres, plain_unit

#: Part of the height of a picture that letters take, and their least height in pixels.
_LETTERS, _LEAST = 0.06, 9

#: Part of the width that a scale bar takes at most.
_BAR = 0.25

Mark = Callable[[NDArray[np.uint8], int], None]


def stamp_of(axis: Axis, count: int) -> Mark:
    """Return what writes time or place into the upper left corner: its number without a unit."""
    texts = stamps(axis, count)

    def mark(picture: NDArray[np.uint8], number: int) -> None:
        gap = picture.shape[0] // 40 + 2
        _write(picture, texts[number], (gap, gap), "la")

    return mark


def stamps(axis: Axis, count: int) -> list[str]:
    """Write where frames lie along their axis, all with as many decimals, three at most.

    Examples
    --------
    >>> stamps(Axis("t", 0.25, "s"), 3), stamps(Axis("z", 2, "um"), 2), stamps(Axis("frame"), 2)
    (['0.00 s', '0.25 s', '0.50 s'], ['z 0 um', 'z 2 um'], ['frame 1', 'frame 2'])
    """
    unit = plain_unit(axis.unit)
    if unit == "pixel":
        return [f"{axis.name} {number + 1}" for number in range(count)]
    places = [axis.position(number) for number in range(count)]
    enough = (d for d in range(3) if all(abs(round(p, d) - p) < 1e-6 for p in places))
    decimals = next(enough, 3)
    texts = [f"{place:.{decimals}f} {unit}" for place in places]
    return texts if axis.name == "t" else [f"{axis.name} {text}" for text in texts]


def scale_bar(path: Path, axis: Axis, width: int) -> Mark:
    """Return what draws a bar of a round length into the lower right corner.

    Raises
    ------
    UserError
        Where the size of a pixel is not known.
    """
    unit = plain_unit(axis.unit)
    if not metres(unit):
        raise UserError(
            f"{path}: a scale bar needs the size of a pixel, and {axis.name!r} has the unit "
            f"{axis.unit!r}: give the axis a step and a unit of length, or leave out scale_bar"
        )
    step = abs(axis.step)
    length = round_length(_BAR * width * step)
    pixels, text = max(1, round(length / step)), f"{length:g} {unit}"

    def mark(picture: NDArray[np.uint8], _number: int) -> None:
        height, wide = picture.shape[:2]
        gap, thick = height // 25 + 2, max(2, height // 80)
        bottom, right = height - gap, wide - gap
        left = max(right - pixels, 0)
        picture[bottom - thick - 1 : bottom + 1, max(left - 1, 0) : right + 1] = 0
        picture[bottom - thick : bottom, left:right] = 255
        _write(picture, text, ((left + right) // 2, bottom - thick - 2), "mb")

    return mark


def round_length(most: float) -> float:
    """Return the greatest of 1, 2, 5, 10, 20, ... that is not more.

    Examples
    --------
    >>> round_length(37.0), round_length(0.6), round_length(1.0)
    (20.0, 0.5, 1.0)
    """
    power = 10.0 ** floor(log10(most))
    return max(float(f"{n * power:.6g}") for n in (1, 2, 5) if n * power <= most * (1 + 1e-9))


# Units are in ASCII: the letters that come with Pillow have no sign for micro.
def _write(picture: NDArray[np.uint8], text: str, place: tuple[int, int], anchor: str) -> None:
    from PIL import Image, ImageDraw, ImageFont

    size = max(_LEAST, round(_LETTERS * picture.shape[0]))
    image = Image.fromarray(picture)
    font: Any = ImageFont.load_default(size)
    ImageDraw.Draw(image).text(place, text, fill="white", font=font, anchor=anchor, stroke_width=1,
                               stroke_fill="black")  # fmt: skip
    picture[...] = np.asarray(image)
