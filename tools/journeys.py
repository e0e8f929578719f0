"""Make the before / after pictures of the journeys: docs/images/journey_*.png, by the Stack dock.

Run it where there is a display, or with ``xvfb-run -a python tools/journeys.py``. ``--windows``
keeps pictures of the whole window too, to be looked at, in either theme; at 200 % with the variable
QT_SCALE_FACTOR=2 and a screen of 2560 x 1600 pixels.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_stack import Hyperstack, Stack, layers, samples

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

#: Seconds that a run may take.
LONGEST = 300


def burst() -> Stack:
    """Twelve noisy frames with hot pixels and cosmic rays."""
    frames = np.array(samples.cosmic_rays(12, (256, 320), shift=6.0)[0])
    random = np.random.default_rng(4)
    rows, columns = random.integers(2, 254, 120), random.integers(2, 318, 120)
    frames[:, rows, columns] = frames[:, rows, columns] // 2 + 2048
    return Stack.wrap(frames)


def recording() -> Hyperstack:
    """Three times, two channels, five planes: it drifts."""
    return samples.hyperstack(3, 5, (192, 256))[0]


#: Name of the picture: the frames, what they are, what is made of them.
JOURNEYS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "focus_series": (
        lambda: samples.focus_series(7, (256, 320))[0], "focus series", "one sharp image",
    ),
    "time_lapse": (
        lambda: samples.drifting_cells(8, (256, 320), shift=12.0)[0],
        "time-lapse", "a steady movie",
    ),
    "burst": (burst, "burst", "one clean image"),
    "tiles": (lambda: samples.shaded(8, (256, 320))[0], "tiles", "even illumination"),
    "recording": (recording, "volume over time", "a steady movie"),
}  # fmt: skip


def picture(name: str, folder: Path, windows: Path | None = None, theme: str = "dark") -> Path:
    """Go a journey in the Stack dock, and show before and after beside each other."""
    make, kind, goal = JOURNEYS[name]
    viewer = napari.Viewer(show=False)
    viewer.theme = theme
    viewer.window.resize(1280, 800)
    viewer.window._qt_window.show()
    layer = layers.to_layer(make(), name)
    viewer.add_layer(layer)
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", "Stack")
    wait(lambda: not dock.looking.busy and bool(dock.questions.kind), name)
    dock.questions.kind_box.value = kind
    dock.questions.goal_box.value = goal
    dock.run()
    wait(lambda: not dock.runner.running, name)
    if dock.result is None:
        raise RuntimeError(f"{name}: {dock.runner.message.text()}")
    if windows is not None:
        settle()
        viewer.screenshot(str(windows / f"{name}.png"), canvas_only=False, flash=False)
    moves = name == "time_lapse"  # a single frame does not show that it drifts
    before = shown(viewer, viewer.layers[name], mean=moves)
    after = shown(viewer, dock.result, mean=moves)
    path = folder / f"journey_{name}.png"
    gap = np.full((before.shape[0], 12, 3), 255, np.uint8)
    Image.fromarray(np.concatenate([before, gap, after], axis=1)).save(path, optimize=True)
    viewer.close()
    return path


def shown(viewer: Any, layer: Any, *, mean: bool) -> np.ndarray:
    """Take the canvas with a layer on it, at the last frame; or with the mean of its frames."""
    if mean:
        layer = viewer.add_image(np.asarray(layer.data).mean(axis=0), name="mean", rgb=False)
    for other in viewer.layers:
        other.visible = other is layer
    dims = viewer.dims
    dims.current_step = tuple(
        step if axis in dims.displayed else int(most) - 1
        for axis, (most, step) in enumerate(zip(dims.nsteps, dims.current_step, strict=True))
    )
    viewer.reset_view()
    QApplication.processEvents()
    taken = np.asarray(viewer.screenshot(size=(400, 500), flash=False))[..., :3]
    if mean:
        viewer.layers.remove(layer)
    return taken


def settle(seconds: float = 0.5) -> None:
    """Let the window come to rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()


def wait(done: Callable[[], bool], name: str) -> None:
    """Let the event loop run until something is done."""
    begin = time.monotonic()
    while not done():
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() - begin > LONGEST:
            raise TimeoutError(f"{name} is not done after {LONGEST} s")


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(JOURNEYS), help="by default all")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    parser.add_argument("--windows", type=Path, help="folder for pictures of the whole window")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    arguments = parser.parse_args()
    for folder in filter(None, (arguments.folder, arguments.windows)):
        folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        print(picture(name, arguments.folder, arguments.windows, arguments.theme), flush=True)


if __name__ == "__main__":
    main()
