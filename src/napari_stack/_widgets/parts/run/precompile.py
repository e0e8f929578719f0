"""`warm_up`: kernels of a dock's operator are compiled while the user still chooses."""

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_stack._widgets.parts.run.worker import Worker
from napari_stack.core.system.ahead import Work, begin
from napari_stack.engine.run import Run
from napari_stack.operators.precompile import warm

#: Milliseconds that a dock is given to appear before a thread competes with it.
_PAUSE = 500

_begun: set[tuple[str, str, bool]] = set()


def warm_up(operator: str, layer: Any = None) -> None:
    """Compile what an operator needs for the pixels of a layer: once a process, and soon.

    Parameters
    ----------
    operator : str
        Name in the catalogue.
    layer : napari.layers.Image, optional
    """
    dtype, colours = (np.uint16, False) if layer is None else (layer.dtype, bool(layer.rgb))
    kind = (operator, np.dtype(dtype).str, colours)
    if kind not in _begun:
        _begun.add(kind)
        QTimer.singleShot(_PAUSE, partial(_begin, *kind))


def _begin(operator: str, dtype: str, colours: bool) -> None:
    """Have them compiled by another process, which does not stall the window, or by a thread."""
    if begin(Work(operator, np.dtype(dtype).name, colours, everything=True)):
        return
    # Nobody listens: what goes wrong here is told when the user runs it.
    worker = Worker(partial(_warm, operator, dtype, colours), Run(workers=1))
    QApplication.instance().aboutToQuit.connect(worker.cancel)  # napari need not wait long
    worker.start()


def _warm(operator: str, dtype: str, colours: bool, run: Run) -> None:
    warm(operator, dtype=dtype, colours=colours, run=run)
