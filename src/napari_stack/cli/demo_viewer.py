"""The demo's layers in napari: ``python -m napari_stack.cli.demo_viewer FOLDER [PICTURE]``."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_stack import layers
from napari_stack.cli.demo import CELLS, CLIP, FOCUS
from napari_stack.core.stack import Stack
from napari_stack.files import read
from napari_stack.layers.compat import grid_of

#: Short enough to stand above the pictures.
_NAMES = (
    "cells", "cells registered", "cells clipped", "cells rejected",
    "focus", "focus registered", "focus fused", "focus depth",
)  # fmt: skip


def gallery(folder: Path) -> list[Any]:
    """Make the layers of a demo's folder: the frames, and what becomes of them."""
    frames = read(folder / CELLS)
    assert isinstance(frames, Stack)
    # The brightest pixels are rays, against which the cells would be dark.
    limits = np.percentile(frames[0], (1, 99.8))
    cells = layers.to_layer(frames, CELLS, limits=tuple(map(float, limits)))
    still = layers.register(cells)
    clipped = layers.sigma_clip(still, **CLIP.options)
    focus = layers.to_layer(read(folder / FOCUS), FOCUS)
    aligned = layers.register(focus)
    fused = layers.focus_stack(aligned)
    made = dict(zip(_NAMES, [cells, still, *clipped, focus, aligned, *fused], strict=False))
    for name, layer in made.items():
        layer.name, layer.visible = name, True
    return list(made.values())


def show(folder: Path, picture: Path | None = None) -> None:
    """Show the layers side by side; with `picture`, save the window to it and end."""
    import napari

    viewer = napari.Viewer(title="napari-stack demo")
    viewer.window.resize(1500, 900)
    for layer in gallery(folder):
        if hasattr(layer, "name_overlay"):  # since napari 0.7
            layer.name_overlay.visible = True
        viewer.add_layer(layer)
    grid = grid_of(viewer)
    grid.enabled, grid.shape, grid.stride = True, (2, 4), 1
    viewer.dims.set_current_step(0, 4)
    viewer.reset_view()
    if picture is None:
        napari.run()
        return
    _settle()
    viewer.screenshot(str(picture), canvas_only=False, flash=False)
    viewer.close()


def _settle() -> None:
    """Let the window draw itself."""
    from qtpy.QtTest import QTest

    QTest.qWait(500)


if __name__ == "__main__":
    show(Path(sys.argv[1]), *map(Path, sys.argv[2:]))
