"""`panels_of`: what is known of frames, as panels of a plot."""

import numpy as np
from numpy.typing import NDArray

from napari_stack._widgets.parts.plot.plot import Panel
from napari_stack.operators.inspection.frame_table import FrameTable


def panels_of(table: FrameTable) -> list[Panel]:
    """Put the columns of a table into panels; shifts together, and the channels of a gain.

    Shifts have bars, of one standard deviation; these have a panel of their own besides: they are
    mostly too short to be seen.
    """
    groups: dict[str, list[str]] = {}
    for title in table.columns:
        words = title.replace("shift x", "shift x, y").replace("shift y", "shift x, y")
        words = words.replace("dx_sigma", "sigma of x, y").replace("dy_sigma", "sigma of x, y")
        split = words.split()
        groups.setdefault(" ".join(split[:-1] if split[-1].isdigit() else split), []).append(title)
    return [
        Panel(title, np.stack([table.columns[name] for name in names], axis=1), ~table.used,
              table.failed, names=_channel_names(names), bars=_bars(table, names))
        for title, names in groups.items()
    ]  # fmt: skip


def _bars(table: FrameTable, titles: list[str]) -> NDArray[np.float64] | None:
    """Return the standard deviations (n, k) of some columns, where they are known."""
    sigmas = [
        title.replace("shift x", "dx_sigma").replace("shift y", "dy_sigma") for title in titles
    ]
    if sigmas == titles or not all(sigma in table.columns for sigma in sigmas):
        return None
    return np.stack([table.columns[sigma] for sigma in sigmas], axis=1)


def _channel_names(titles: list[str]) -> tuple[str, ...]:
    """Return names that distinguish the columns of one panel."""
    if len(titles) == 1:
        return ()
    return tuple("xy"[i] if title.startswith(("shift", "dx_", "dy_")) else title.split()[-1]
                 for i, title in enumerate(titles))  # fmt: skip
