"""Whether napari stays at hand: delays of its event loop during a registration, slider, docks.

A timer in the event loop tells how late it comes, and how much of the processor the main thread
took meanwhile, which other programs do not disturb; without Python's collections of garbage, which
halt all threads of any program with so many objects, and whose longest is told apart:

- while frames of ``--size`` are registered in the dock (adding the result is not counted), and how
  long Cancel takes, against a frame;
- from seven photographs to a saved one in the Stack dock, each action against the same on plain
  layers: the same arrays added to the viewer, by napari alone.

It tells as well what a step of the slider costs on the registered layer, against the bare warp and
napari's display of an array; and how long each dock takes to open (the first one imports modules,
quickly where Python may write its bytecode). Run it where there is a display, or by
``tools/with-screen.sh``.
"""

import argparse
import gc
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import cv2
import dask.array as da
import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_stack import layers, samples
from napari_stack.core.stack import Stack
from napari_stack.layers.stacks.read_layer import read_layer

#: Milliseconds between two ticks of the timer.
TICK = 5


def drifting(frames: int, size: tuple[int, int]) -> Any:
    """Make a lazy array of frames that are windows into one large image: they cost no memory."""
    reach = 2 * frames
    small = samples.drifting_cells(1, (1024, 1536), noise=0)[0][0]
    large = cv2.resize(small, (size[1] + reach, size[0] + reach), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 30, (1024, 1024)).astype(np.int16)
    tiled = np.tile(grain, np.array(large.shape) // 1024 + 1)[: large.shape[0], : large.shape[1]]
    large = np.clip(large.astype(np.int16) + tiled, 0, 4095).astype(np.uint16)

    def window(block_info: Any = None) -> np.ndarray:
        i = block_info[None]["chunk-location"][0]
        return large[None, i : i + size[0], 2 * i : 2 * i + size[1]]

    chunks = ((1,) * frames, (size[0],), (size[1],))
    return da.map_blocks(window, chunks=chunks, dtype=np.uint16, meta=np.empty((0, 0, 0), "u2"))


class Lateness:
    """Notes, in milliseconds, how late a timer in the event loop comes, and what was worked."""

    def __init__(self) -> None:
        self.late: list[float] = []
        #: Of the processor, by the main thread, between two ticks.
        self.worked: list[float] = []
        #: What collections of garbage took, each.
        self.collections: list[float] = []
        self._last, self._used, self._spent = time.perf_counter(), time.thread_time(), 0.0
        self._timer = QTimer()
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        now, used = time.perf_counter(), time.thread_time()
        self.late.append((now - self._last) * 1000 - TICK)
        self.worked.append((used - self._used - self._spent) * 1000)
        self._last, self._used, self._spent = now, used, 0.0

    def _collects(self, phase: str, _about: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
            return
        spent = time.thread_time() - self._began
        self.collections.append(spent * 1000)
        if threading.current_thread() is threading.main_thread():
            self._spent += spent

    def start(self) -> None:  # noqa: D102
        gc.callbacks.append(self._collects)
        self._last, self._used = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> None:
        """End, with what happened since the last tick."""
        if self._timer.isActive():
            self._tick()
            self._timer.stop()
            gc.callbacks.remove(self._collects)

    def __str__(self) -> str:
        late, worked = np.array(self.late), np.array(self.worked)
        garbage = max(self.collections, default=0)
        return (
            f"late by {np.percentile(late, 99):.0f} ms (p99, wanted <= 50), {late.max():.0f} ms "
            f"(most); the main thread worked {np.percentile(worked, 99):.0f} ms (p99), "
            f"{worked.max():.0f} ms (most); garbage {garbage:.0f} ms (most)"
        )


def until(done: Callable[[], bool]) -> float:
    """Let the event loop run until something is done; return the seconds."""
    begin = time.perf_counter()
    while not done():
        QApplication.processEvents()
        time.sleep(0.001)
    return time.perf_counter() - begin


def pause(seconds: float) -> None:
    """Let the event loop run for a while."""
    end = time.perf_counter() + seconds
    until(lambda: time.perf_counter() > end)


def ours_alive() -> bool:
    """Tell whether a thread of the plugin still lives."""
    return any(thread.name.startswith("napari-stack") for thread in threading.enumerate())


def median_ms(work: Callable[[], None], times: int = 5) -> float:
    """Return the median of the processor's time that some work takes, of all threads."""
    spent = []
    for _ in range(times):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return float(np.median(spent)) * 1000


def delays(viewer: Any, dock: Any, frames: int) -> None:
    """Measure the event loop during a registration, and how long Cancel takes."""
    lateness, add = Lateness(), dock._add

    def added(*what: Any) -> str:
        lateness.stop()
        return add(*what)

    dock._add = added
    dock.run()
    lateness.start()
    seconds = until(lambda: not dock.runner.running)
    lateness.stop()
    print(
        f"registration of {frames} frames: {seconds:.1f} s, {len(lateness.late)} ticks; {lateness}"
    )
    print(f"{dock.runner.message.text()}; layers: {[layer.name for layer in viewer.layers]}")
    dock.run()
    until(lambda: dock.runner.bar.maximum() > 1 and dock.runner.bar.value() >= 2)
    dock.cancel()
    print(
        f"cancel: {1000 * until(lambda: not dock.runner.running):.0f} ms; a frame takes "
        f"{1000 * seconds / frames:.0f} ms at {os.cpu_count()} processors"
    )


def slider(viewer: Any, lazy: Any) -> None:
    """Measure a step of the slider on the registered layer."""
    stack: Stack = read_layer(lazy).data
    numbers = iter(range(1, len(stack) - 1))
    plain = np.stack([stack[0], stack[1]])

    def step(layer: Any, values: Any) -> Callable[[], None]:
        for other in viewer.layers:
            other.visible = other is layer

        def go() -> None:
            viewer.dims.set_current_step(0, next(values))
            QApplication.processEvents()
            viewer.window._qt_viewer.canvas._scene_canvas.render()

        go()
        return go

    warp = median_ms(lambda: stack[len(stack) // 3])
    raw, matrix = stack.render(3), stack.transforms.matrices[3][:2]
    rival = median_ms(
        lambda: cv2.warpAffine(
            raw, matrix, raw.shape[::-1], flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        )
    )
    slide = median_ms(step(lazy, numbers))
    shown = viewer.add_image(plain, contrast_limits=(0, 4095), name="plain")
    toggle = iter([0, 1] * 20)
    display = median_ms(step(shown, toggle))
    viewer.layers.remove(shown)
    print(
        f"slider step: {slide:.0f} ms; bare warp {warp:.0f} ms (cv2, quantised: {rival:.0f} ms) + "
        f"display {display:.0f} ms: {slide / (warp + display):.2f} x (wanted <= 1.5)"
    )


def opening(viewer: Any) -> None:
    """Measure how long each dock takes to open, when what the last one compiles is compiled."""
    from npe2 import PluginManager

    names = [w.display_name for w in PluginManager.instance().iter_widgets()
             if w.command.startswith("napari-stack.")]  # fmt: skip
    spent = {}
    for name in names:
        gc.collect()  # else some dock or other pays for the garbage of those before it
        begin, used = time.perf_counter(), time.thread_time()
        dock, _ = viewer.window.add_plugin_dock_widget("napari-stack", name)
        QApplication.processEvents()
        spent[name] = time.perf_counter() - begin, time.thread_time() - used
        viewer.window.remove_dock_widget(dock)
        pause(0.7)
        until(lambda: not ours_alive())
    told = ", ".join(f"{name} {1000 * a:.0f} ({1000 * b:.0f})" for name, (a, b) in spent.items())
    print(f"docks open in ms, and ms of this thread's processor (wanted <= 200): {told}")


def journey(viewer: Any) -> None:
    """Measure the event loop from seven photographs to a saved one, in the Stack dock."""
    from napari_stack._widgets.parts.assistant.opening import opening as opening_files

    viewer.layers.clear()
    folder = Path(tempfile.mkdtemp())
    for number, small in enumerate(np.asarray(samples.focus_series(7, (384, 512))[0])):
        frame = cv2.resize(small, (2048, 1536), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number}.jpg"), np.stack([frame] * 3, axis=-1))
    frame, dock = viewer.window.add_plugin_dock_widget("napari-stack", "Stack")
    until(lambda: not ours_alive())
    paths = [str(path) for path in sorted(folder.glob("*.jpg"))]
    plain = {}
    for name, go in {
        "open": lambda: dock.open(opening_files(paths)),
        "run": dock.run,
        "save": lambda: dock.save_to(str(folder / "sharp.jpg")),
    }.items():
        before = list(viewer.layers)
        watched(name, go, lambda: not dock.runner.running and not dock.looking.busy)
        plain[name] = [alike(layer) for layer in viewer.layers if layer not in before]
    viewer.window.remove_dock_widget(frame)
    viewer.layers.clear()
    for name, made in plain.items():
        if made:
            watched(f"{name}, plain layers alone", lambda made=made: add_plain(viewer, made))


def alike(layer: Any) -> Any:
    """Return a layer of napari's own with the same pixels."""
    return layer.__class__(
        np.array(layer.data), name=layer.name, rgb=layer.rgb, visible=layer.visible,
        contrast_limits=layer.contrast_limits, multiscale=False,
    )  # fmt: skip


def add_plain(viewer: Any, made: list[Any]) -> None:
    """Add layers one after the other, and hide what was there before, as docks do."""
    before = list(viewer.layers)
    for layer in made:
        pause(0.01)
        viewer.add_layer(layer)
    for layer in before:
        layer.visible = False
    viewer.layers.selection.active = next(layer for layer in made if layer.visible)


def watched(what: str, go: Callable[[], Any], done: Callable[[], bool] = lambda: True) -> None:
    """Do something, and print how late the event loop comes meanwhile, drawing included."""
    gc.collect()
    lateness = Lateness()
    lateness.start()
    go()
    seconds = until(done)
    pause(0.3)
    lateness.stop()
    print(f"seven photographs, {what}: {seconds:.1f} s; {lateness}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=(4000, 6000), metavar=("Y", "X"))
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=False)
    viewer.window.resize(1120, 760)
    viewer.window._qt_window.show()
    data = drifting(arguments.frames, tuple(arguments.size))
    viewer.add_image(data, name="frames", contrast_limits=(0, 4095), rgb=False, multiscale=False)
    opening(viewer)
    warmed = layers.register(viewer.layers[0].__class__(data[:2, :256, :256]))  # compiled
    del warmed
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", "Register", tabify=True)
    dock.layer = viewer.layers[0]
    dock.set_options({"transform": "translation"})
    delays(viewer, dock, arguments.frames)
    slider(viewer, viewer.layers[-1])
    journey(viewer)
    viewer.close()


if __name__ == "__main__":
    main()
