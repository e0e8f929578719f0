"""Make the pictures of the docks at work: docs/images/*.png, on the sample data.

Run it where there is a display, or with ``xvfb-run -a python tools/screenshots.py``.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Pictures show docks as they are at first, not as whoever makes the pictures last used them.
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
from napari.layers import Labels
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_stack import layers

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

#: Seconds that a run may take.
LONGEST = 120

#: Name of the picture: sample, dock, options, whether "More options" is open, layers made visible.
PICTURES = {
    "register": ("drifting_cells", "Register", {"framing": "common"}, True, ()),
    "register_planes": ("wobbling", "Register Planes (Wobble)", {}, True, ()),
    "register_volumes": ("sinking_volume", "Register Volumes (3-D Drift)", {}, True, ()),
    "balance": ("flickering", "Balance", {}, False, ()),
    "correct_vignetting": ("vignetted", "Correct Vignetting", {}, False, ()),
    "correct_flat_field": ("shaded", "Correct Flat Field", {}, False, ()),
    "correct_bleaching": ("bleaching", "Correct Bleaching", {}, False, ()),
    "find_hot_pixels": ("hot_pixels", "Find Hot Pixels", {}, False, ()),
    "repair_hot_pixels": ("hot_pixels", "Repair Hot Pixels", {}, False, ()),
    "measure_quality": ("cosmic_rays", "Measure Quality", {}, False, ()),
    "combine": ("cosmic_rays", "Average (Combine)", {"method": "maximum"}, False, ()),
    "sigma_clip": ("cosmic_rays", "Sigma Clip", {}, False, ()),
    "moving_average": ("cosmic_rays", "Moving Average", {}, False, ()),
    "focus_stack": ("focus_series", "Focus Stack", {}, False, ("depth",)),
    "focus_slabs": ("focus_series", "Focus Slabs", {}, False, ()),
    "denoise": ("cosmic_rays", "Denoise (Non-Local Means)", {"strength": 5.0}, False, ()),
    "sharpen": ("vignetted", "Sharpen (Unsharp Mask)", {}, False, ()),
    "transform_frames": ("drifting_cells", "Transform Frames", {"rotate": 15.0}, False, ()),
}

#: Docks that are shown with their live preview instead of a result.
PREVIEWED = {"correct_vignetting", "repair_hot_pixels", "denoise"}

#: Docks without a run: name of the picture, and what the viewer shows first.
OTHERS = {
    "stack": "Stack",
    "compute_now": "Compute Now",
    "open_frames": "Open Frames",
    "surface": "3-D Surface",
}


def picture(name: str, folder: Path) -> Path:
    """Run a dock on its sample and take a picture of the window."""
    sample, title, options, open_more, shown = PICTURES[name]
    viewer = opened(sample)
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", title)
    dock.set_options(options)
    if open_more:
        dock.more.expand(animate=False)
    if name in PREVIEWED:
        dock.preview.box.setChecked(True)
        wait(lambda: dock.preview.layer is not None, name)
        return taken(viewer, folder / f"{name}.png")
    dock.run()
    wait(lambda: not dock.runner.running, name)
    if len(viewer.layers) < 2 and not dock.card.text:
        raise RuntimeError(f"{name}: {dock.runner.message.text()}")
    made = viewer.layers[-1]
    dock.layer.visible = made is dock.layer or isinstance(made, Labels)  # a mask lies on frames
    for layer in viewer.layers:
        layer.visible |= layer.name.endswith(shown) if shown else layer.visible
    return taken(viewer, folder / f"{name}.png")


def other(name: str, folder: Path) -> Path:
    """Take a picture of a dock that runs no operator."""
    viewer = opened("focus_series" if name in ("surface", "stack") else "drifting_cells")
    if name == "surface":
        for layer in layers.focus_stack(viewer.layers[0]):
            viewer.add_layer(layer)
        viewer.layers[0].visible = False
    if name == "compute_now":
        viewer.add_layer(layers.register(viewer.layers[0], transform="translation"))
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", OTHERS[name])
    if name == "stack":
        wait(lambda: not dock.looking.busy, name)
    if name in ("surface", "stack"):
        dock.run()
    if name == "stack":
        wait(lambda: not dock.runner.running, name)
    return taken(viewer, folder / f"{name}.png")


def opened(sample: str) -> napari.Viewer:
    """Open a window with a sample in it."""
    viewer = napari.Viewer(show=False)
    viewer.window.resize(1120, 760)
    viewer.window._qt_window.show()
    viewer.open_sample("napari-stack", sample)
    return viewer


def taken(viewer: napari.Viewer, path: Path) -> Path:
    """Take the picture, close the window, and make the file small."""
    settle()
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    viewer.close()
    settle()
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def wait(done: Callable[[], bool], name: str) -> None:
    """Let the window live until something is done."""
    end = time.monotonic() + LONGEST
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"{name}: it took longer than {LONGEST} seconds")
        QApplication.processEvents()


def settle(seconds: float = 0.5) -> None:
    """Let the window come to rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()


def main() -> None:
    """Make the pictures named on the command line, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*PICTURES, *OTHERS], metavar="NAME")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        path = (other if name in OTHERS else picture)(name, arguments.folder)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
