"""`frame_names`: names of the files of a folder that takes one file a frame."""

import re
from pathlib import Path
from string import Formatter

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack
from napari_stack.files.natural_order import naturally
from napari_stack.files.paths import SUFFIXES

#: Suffixes of images, as a pattern.
_ENDINGS = "|".join(re.escape(suffix) for suffix in SUFFIXES)


def frame_names(stack: Stack, pattern: str = "{source}") -> list[str]:
    """Names of files for the frames of a stack, all different, which sorted keep their order.

    Where the names that the pattern gives would not do so, a running number comes first.

    Parameters
    ----------
    stack : Stack
    pattern : str
        ``{source}`` stands for the name of the file a frame came from, ``{index}`` for its number,
        ``{index:04d}`` for that in four digits. Without a suffix it is .tif.

    Raises
    ------
    ValueError
        For a pattern with other braces, or with folders.
    """
    labels = (_plain_label(stack.source.label(index)) for index in range(len(stack)))
    names = [_filled(pattern, label, index) for index, label in enumerate(labels)]
    different = {name.lower() for name in names}  # file systems may ignore case
    if len(different) == len(names) and naturally(names) == names:
        return names
    digits = len(str(len(names)))
    return [f"{number:0{digits}}_{name}" for number, name in enumerate(names, 1)]


def _plain_label(label: str) -> str:
    name = re.sub(rf"({_ENDINGS})(?= |$)", "", label, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "frame"


def _filled(pattern: str, source: str, index: int) -> str:
    try:
        for _, field, form, _ in Formatter().parse(pattern):
            if field not in ("source", "index", None) or "{" in (form or ""):
                raise ValueError(field)  # `format` would look for attributes, too
        name = pattern.format(source=source, index=index)
    except ValueError as error:
        raise UserError(
            f"the pattern of names {pattern!r} is not understood: {{source}}, {{index}} and "
            "{index:04d} stand for the frame's file and number"
        ) from error
    if name != Path(name).name:
        raise UserError(f"the pattern of names {pattern!r} leads to another folder: leave out /")
    return name if re.search(rf"({_ENDINGS})$", name, flags=re.IGNORECASE) else f"{name}.tif"
