"""What LSM of Zeiss and STK of MetaMorph say of their axes and channels."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_stack.core.axis import Axis
from napari_stack.core.look import Look, ramp
from napari_stack.core.units import plain_unit
from napari_stack.files.formats.described import spaced, time_axis

#: An LSM notes metres.
_MICROMETRES = 1e6

#: Channels lie in planes of a page.
_PLANAR = 2


def is_split(tif: Any, page: Any) -> bool:
    """Whether the planes of a page are channels of a microscope, and not colours of pixels."""
    return bool(tif.is_lsm and page.planarconfig == _PLANAR and page.samplesperpixel > 1)


def axes_of(tif: Any) -> dict[str, Axis]:
    """Return what is known of the axes, by their names; nothing of other files."""
    if tif.is_lsm:
        return _of_lsm(tif.lsm_metadata or {})
    return _of_stk(tif.stk_metadata or {}) if tif.is_stk else {}


def _of_lsm(known: Mapping[str, Any]) -> dict[str, Axis]:
    found = {
        name: spaced(name, float(known.get(f"VoxelSize{name.upper()}", 0)) * _MICROMETRES, "um")
        for name in "zyx"
    }
    # The interval is the one that was wished for, the stamps are those of the frames.
    t = time_axis(np.asarray(known.get("TimeStamps", ()), float).tolist())
    interval = float(known.get("TimeIntervall", 0))
    return found | {"t": t if t.unit == "s" else spaced("t", interval, "s")}


def looks_of_lsm(tif: Any) -> tuple[tuple[str, ...], tuple[Look, ...]]:
    """Return names and colours of the channels of an LSM."""
    known = (tif.lsm_metadata or {}).get("ChannelColors", {})
    names = tuple(str(name) for name in known.get("ColorNames", ()))
    return names, tuple(Look("", ramp(colour[:3])) for colour in known.get("Colors", ()))


def _of_stk(known: Mapping[str, Any]) -> dict[str, Axis]:
    unit = plain_unit(str(known.get("CalibrationUnits") or ""))
    found = {
        name: spaced(name, float(known.get(f"{name.upper()}Calibration") or 0), unit)
        for name in "yx"
        if unit != "pixel"
    }
    distances = np.asarray(known.get("ZDistance", ()), float)
    if distances.size and np.isfinite(distances).all():
        found["z"] = spaced("z", float(np.abs(distances).mean()), "um")
    moments = known.get("DatetimeCreated")
    if moments is not None:
        seconds = (moments - moments[0]) / np.timedelta64(1, "ms") / 1000
        found["t"] = time_axis(seconds.tolist())
    return found
