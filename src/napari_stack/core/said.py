"""What a result tells in plain words, and what is offered to do about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from napari_stack.core.stack import Stack


@dataclass(frozen=True)
class Said:
    """A sentence on a result.

    Parameters
    ----------
    text : str
        A full sentence, without a full stop.
    offer : str
        What is offered to do, in a word or two: the text of a button.
    options : mapping
        Options of the operator that do it.
    opens : str
        Title of the dock that shows more of it.
    shows : callable, optional
        Gives a map of the sensor that shows it, and what that is called; a mask is boolean.
    """

    text: str
    offer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    opens: str = ""
    shows: Callable[[], tuple[str, NDArray[Any]]] | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """A result as sentences are made from it.

    Parameters
    ----------
    frames : Stack or None
        From an operator that gives frames, at one position of other axes.
    images : mapping of str to ndarray
        From one that gives images, and what it gives for each frame; its ``"table"`` from one that
        gives that.
    options : mapping
        Options that differ from their defaults.
    given : Stack or None
        The frames that it was made of, where they are at hand and lie at one position.
    unit : str
        Of the axis that images were made along; "" where that is not known.
    """

    frames: Stack | None
    images: Mapping[str, Any]
    options: Mapping[str, Any]
    given: Stack | None = None
    unit: str = ""
