"""`Metadata`: what the XML of a CZI says of pixel sizes, times, channels and scenes."""

from contextlib import suppress
from math import isfinite
from typing import Any
from xml.etree import ElementTree

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.core.look import Look, limits_of, ramp
from napari_stack.files.formats.described import spaced

_CHANNELS = "Metadata/Information/Image/Dimensions/Channels/Channel"
_SHOWN = "Metadata/DisplaySetting/Channels/Channel"
_SCENES = "Metadata/Information/Image/Dimensions/S/Scenes/Scene"
_INCREMENT = "Metadata/Information/Image/Dimensions/T/Positions/Interval/Increment"
_METRES = 1e6  # micrometres in a metre


class Metadata:
    """The XML of a CZI.

    Parameters
    ----------
    text : str
    """

    def __init__(self, text: str) -> None:
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise UserError("its metadata declare entities, which no CZI has")
        try:
            self._root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise UserError(f"its metadata are no XML: {error}") from error

    def micrometres(self, letter: str) -> float:
        """Return the size of a pixel, 0 where it is not known."""
        path = f"Metadata/Scaling/Items/Distance[@Id='{letter}']/Value"
        return self._number(path) * _METRES

    def time_axis(self) -> Axis:
        """Return the axis of times."""
        return spaced("t", self._number(_INCREMENT), "s")

    def looks(self, count: int, dtype: np.dtype[Any]) -> list[Look]:
        """Return names, colours and display ranges of the channels."""
        channels, shown = self._root.findall(_CHANNELS), self._root.findall(_SHOWN)
        found = []
        for number in range(count):
            named = [part[number].get("Name") for part in (channels, shown) if len(part) > number]
            name = next((text for text in named if text), "")
            setting = shown[number] if len(shown) > number else ElementTree.Element("Channel")
            colour = (setting.findtext("Color") or "").removeprefix("#")[-6:]
            found.append(Look(name, ramp(colour), _limits(setting, dtype)))
        return found

    def scene(self, number: int | None) -> str:
        """Return the name of a scene."""
        for scene in self._root.findall(_SCENES):
            if scene.get("Index") == str(number):
                return str(scene.get("Name") or "")
        return ""

    def _number(self, path: str) -> float:
        with suppress(ValueError):
            found = float(self._root.findtext(path) or 0)
            return found if isfinite(found) else 0.0
        return 0.0


def _limits(setting: ElementTree.Element, dtype: np.dtype[Any]) -> tuple[float, float] | None:
    """Return the display range, which a CZI holds as shares of the range of whole numbers."""
    low, high = setting.findtext("Low"), setting.findtext("High")
    if dtype.kind != "u" or (low is None and high is None):
        return None
    with suppress(ValueError):
        most = np.iinfo(dtype).max
        return limits_of((float(low or 0) * most, float(high or 1) * most))
    return None
