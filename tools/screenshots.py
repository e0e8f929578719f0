"""Make the pictures of the docks at work: docs/images/*.png, on the sample data.

Run it where there is a display, or with ``xvfb-run -a python tools/screenshots.py``.
"""

import argparse
import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

#: Seconds that a run may take.
LONGEST = 120

#: Name of the picture: sample, dock, options, whether "More options" is open, layers made visible.
PICTURES = {
    "register": ("drifting_cells", "Register", {"framing": "common"}, True, ()),
    "combine": ("cosmic_rays", "Combine", {"method": "maximum"}, False, ()),
    "sigma_clip": ("cosmic_rays", "Sigma Clip", {}, False, ()),
    "focus_stack": ("focus_series", "Focus Stack", {}, False, ("depth",)),
}


def picture(name: str, folder: Path) -> Path:
    """Run a dock on its sample and take a picture of the window."""
    sample, title, options, open_more, shown = PICTURES[name]
    viewer = napari.Viewer(show=False)
    viewer.window.resize(1120, 760)
    viewer.window._qt_window.show()
    viewer.open_sample("napari-stack", sample)
    _, dock = viewer.window.add_plugin_dock_widget("napari-stack", title)
    dock.set_options(options)
    if open_more:
        dock.more.expand(animate=False)
    dock.run()
    end = time.monotonic() + LONGEST
    while dock.runner.running:
        if time.monotonic() > end:
            raise TimeoutError(f"{name}: the run took longer than {LONGEST} seconds")
        QApplication.processEvents()
    if len(viewer.layers) < 2:
        raise RuntimeError(f"{name}: {dock.runner.message.text()}")
    viewer.layers[0].visible = False
    for layer in viewer.layers:
        layer.visible |= layer.name.endswith(shown) if shown else layer.visible
    settle()
    path = folder / f"{name}.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    viewer.close()
    settle()
    return path


def settle(seconds: float = 0.5) -> None:
    """Let the window come to rest."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()


def main() -> None:
    """Make the pictures named on the command line, by default all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(PICTURES), metavar="NAME")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        path = picture(name, arguments.folder)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
