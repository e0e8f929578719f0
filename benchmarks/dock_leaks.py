"""Whether docks leak: open, run, close, remove the layers - many times; what stays, and memory.

Each cycle opens one of the docks of operators on a small series, runs it, closes the dock and
removes all layers; every layer, its data and the dock must be gone then. Run it where there is a
display, or by ``tools/with-screen.sh``.
"""

import argparse
import gc
import itertools
import os
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
import numpy as np
import psutil
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from napari_stack import samples

#: Docks that run on any frames, and quickly; their options.
DOCKS: dict[str, dict[str, Any]] = {
    "Register": {"transform": "translation"},
    "Balance": {},
    "Correct Vignetting": {},
    "Repair Hot Pixels": {},
    "Average (Combine)": {},
    "Sigma Clip": {},
    "Moving Average": {},
    "Focus Stack": {},
    "Denoise (Non-Local Means)": {},
    "Sharpen (Unsharp Mask)": {},
    "Transform Frames": {"rotate": 5.0},
}


def settle() -> None:
    """Let Qt delete what waits for it, and Python what nobody holds."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    gc.collect()


def cycle(viewer: Any, frames: np.ndarray, title: str) -> list[weakref.ref[Any]]:
    """Open, run, close, and remove; return references to what must be gone."""
    viewer.add_image(
        frames.copy(), name="cells", axis_labels=("t", "y", "x"), rgb=False, multiscale=False
    )
    frame, dock = viewer.window.add_plugin_dock_widget("napari-stack", title)
    dock.set_options(DOCKS[title])
    dock.run()
    while dock.runner.running:
        QApplication.processEvents()
        time.sleep(0.002)
    if len(viewer.layers) < 2:
        raise RuntimeError(f"{title}: {dock.runner.message.text()}")
    held = [weakref.ref(dock), *(weakref.ref(layer) for layer in viewer.layers)]
    held += [weakref.ref(layer.data) for layer in viewer.layers]
    viewer.window.remove_dock_widget(frame)
    viewer.layers.clear()
    return held


def main() -> None:
    """Do the cycles and print what stayed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=200)
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=False)
    frames = np.asarray(samples.drifting_cells(6, (192, 224), shift=4.0)[0])
    process, memory, stayed = psutil.Process(), [], dict.fromkeys(DOCKS, 0)
    last: list[tuple[str, list[weakref.ref[Any]]]] = []
    for number, title in zip(range(arguments.cycles), itertools.cycle(DOCKS), strict=False):
        last.append((title, cycle(viewer, frames, title)))
        settle()
        if len(last) > 1:  # napari itself may hold what was there last
            before, held = last.pop(0)
            stayed[before] += sum(ref() is not None for ref in held)
        memory.append(process.memory_info().rss / 2**20)
        if number % 20 == 19:
            print(f"cycle {number + 1}: {memory[-1]:.0f} MiB, {len(gc.get_objects())} objects")
    warm = len(DOCKS) * 2  # by then every kernel is compiled and every module imported
    if len(memory) > warm:
        grown = memory[-1] - memory[warm]
        print(f"memory after warming: {memory[warm]:.0f} MiB, at the end {memory[-1]:.0f} MiB "
              f"({1024 * grown / (len(memory) - warm):+.0f} KiB a cycle)")  # fmt: skip
    print("what stayed alive, of all cycles:", {k: v for k, v in stayed.items() if v} or "nothing")


if __name__ == "__main__":
    main()
