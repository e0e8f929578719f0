"""Whether docks leak: open, run, close, remove the layers - many times; what stays, and memory.

Each cycle opens one of the docks of operators on a small series, runs it, closes the dock and
removes all layers; every layer, its data and the dock must be gone then. Run it where there is a
display, or by ``tools/with-screen.sh``.

napari keeps some functions of every layer that was ever added (ten in 0.9.2, of
`connect_setattr_value`), docks or not: ``--plain`` adds and removes layers alone, to compare with.
The functions that stayed are counted by their names.

Memory is measured twice: as the system sees it, and after the allocator has given back what is
free (``malloc_trim``, of glibc alone). What the second does not show was free memory in pieces.
"""

import argparse
import contextlib
import ctypes
import gc
import itertools
import os
import tempfile
import time
import weakref
from collections import Counter
from pathlib import Path
from types import FunctionType
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


def plain(viewer: Any, frames: np.ndarray) -> list[weakref.ref[Any]]:
    """Add and remove two layers without any dock; return references to them."""
    for _ in range(2):
        viewer.add_image(frames.copy(), rgb=False, multiscale=False)
    QApplication.processEvents()
    held = [weakref.ref(layer) for layer in viewer.layers]
    viewer.layers.clear()
    return held


def trim() -> None:
    """Let the allocator give back what is free, where it can be told to."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def growth(memory: list[float], warm: int) -> str:
    """Tell how memory (MiB) grew after a cycle, by the end and over the second half."""
    half = (warm + len(memory) - 1) // 2
    kib = [1024 * (memory[-1] - memory[at]) / max(len(memory) - 1 - at, 1) for at in (warm, half)]
    return (f"{memory[warm]:.0f} MiB after warming, {memory[-1]:.0f} MiB at the end "
            f"({kib[0]:+.0f} KiB a cycle, {kib[1]:+.0f} in the second half)")  # fmt: skip


def functions() -> Counter[str]:
    """Count the functions that are alive, by their names."""
    alive = (o for o in gc.get_objects() if isinstance(o, FunctionType))
    return Counter(f"{o.__module__}.{o.__qualname__}" for o in alive)


def main() -> None:
    """Do the cycles and print what stayed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--plain", action="store_true", help="layers alone, no docks")
    parser.add_argument("--docks", nargs="*", default=[*DOCKS], choices=[*DOCKS], metavar="TITLE")
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=False)
    frames = np.asarray(samples.drifting_cells(6, (192, 224), shift=4.0)[0])
    process, memory, trimmed, stayed = psutil.Process(), [], [], dict.fromkeys(DOCKS, 0)
    warm = len(arguments.docks) * 2  # by then every kernel is compiled and every module imported
    last: list[tuple[str, list[weakref.ref[Any]]]] = []
    for number, title in zip(
        range(arguments.cycles), itertools.cycle(arguments.docks), strict=False
    ):
        go = plain(viewer, frames) if arguments.plain else cycle(viewer, frames, title)
        last.append((title, go))
        del go
        settle()
        if number == warm:
            known = functions()
        if len(last) > 1:  # napari itself may hold what was there last
            before, held = last.pop(0)
            stayed[before] += sum(ref() is not None for ref in held)
        memory.append(process.memory_info().rss / 2**20)
        trim()
        trimmed.append(process.memory_info().rss / 2**20)
        if number % 20 == 19:
            print(
                f"cycle {number + 1}: {trimmed[-1]:.0f} MiB, {len(gc.get_objects())} objects",
                flush=True,
            )
    if len(memory) > warm:
        print("memory as the system sees it:", growth(memory, warm))
        print("without what is free:", growth(trimmed, warm))
        more = Counter({k: v for k, v in (functions() - known).items() if v > 2})
        print("functions that stayed since:", dict(more.most_common(5)) or "none")
    print("what stayed alive, of all cycles:", {k: v for k, v in stayed.items() if v} or "nothing")


if __name__ == "__main__":
    main()
