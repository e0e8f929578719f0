"""Make the pictures of the inspectors at work: docs/images/*.png, on the sample data.

Run it where there is a display, or with ``xvfb-run -a python tools/inspector_pictures.py``.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication
from screenshots import IMAGES, settle

from napari_stack import Stack, Transforms, apply_transforms, layers


def add(viewer: Any, made: Any) -> Any:
    """Add layers, the first one active."""
    made = made if isinstance(made, list) else [made]
    for layer in made:
        viewer.add_layer(layer)
    viewer.layers.selection.active = made[0]
    return made[0]


def dock(viewer: Any, name: str) -> Any:
    """Open a dock by its name in the menu."""
    return viewer.window.add_plugin_dock_widget("napari-stack", name)[1]


def recipe(viewer: Any) -> None:
    """Show the steps that made a clipped image."""
    viewer.open_sample("napari-stack", "cosmic_rays")
    moved = add(viewer, layers.register(viewer.layers[0], transform="translation"))
    add(viewer, layers.sigma_clip(moved, sigma=3.0))
    opened = dock(viewer, "Recipe")
    opened.batch.add(["night 1", "night 2", "night 3"])
    opened.more.expand(animate=False)


def frame_inspector(viewer: Any) -> None:
    """Show where the frames lay, beside those before."""
    viewer.open_sample("napari-stack", "drifting_cells")
    moved = add(viewer, layers.register(viewer.layers[0]))
    for layer in layers.sigma_clip(moved, sigma=2.0):
        viewer.add_layer(layer).visible = False
    viewer.layers.selection.active = moved
    opened = dock(viewer, "Frame Inspector")
    opened.list.tick(3, False)
    opened.go_to(9)
    opened.compare.side.setChecked(True)


def place_by_hand(viewer: Any) -> None:
    """Show points that are picked on a frame that was turned too far to be registered."""
    viewer.open_sample("napari-stack", "drifting_cells")
    source = viewer.layers[0]
    frames = np.asarray(source.data).copy()
    linear = np.array([[0.48, -0.57], [1.32, 0.63]])
    middle = np.array([frames.shape[2], frames.shape[1]]) / 2
    turned = np.eye(3)
    turned[:2, :2], turned[:2, 2] = linear, middle - linear @ middle
    place = Transforms(turned[None]).inverse()
    frames[2] = apply_transforms(Stack.wrap(frames[[2]]), place, border="reflect")[0]
    source.data = frames
    add(viewer, layers.register(source, transform="affine"))
    source.visible = False
    opened = dock(viewer, "Frame Inspector")
    opened.go_to(2)
    opened.by_hand.begin()
    number = opened.by_hand.placing.reference
    picks = np.array([_brightest(frames[number], x, y) for x, y in ((190, 200), (330, 190),
                                                                     (300, 330))])  # fmt: skip
    there = picks @ linear.T + middle - linear @ middle
    opened.by_hand.points.reference.add(np.column_stack([[number] * 3, picks[:, ::-1]]))
    opened.by_hand.pick_frame()
    opened.by_hand.points.frames.add(np.column_stack([[2] * 3, there[:, ::-1]]))


def _brightest(frame: Any, x: int, y: int, reach: int = 25) -> tuple[int, int]:
    """Return the (x, y) of the brightest pixel near a place."""
    near = frame[y - reach : y + reach, x - reach : x + reach]
    row, column = np.unravel_index(np.argmax(near), near.shape)
    return int(x - reach + column), int(y - reach + row)


def pixel_inspector(viewer: Any) -> None:
    """Show a pixel that a ray went through."""
    viewer.open_sample("napari-stack", "cosmic_rays")
    source = viewer.layers[0]
    add(viewer, layers.sigma_clip(source, sigma=2.5))
    peaks = np.asarray(source.data).max(axis=0)
    y, x = np.unravel_index(np.argmax(peaks), peaks.shape)
    opened = dock(viewer, "Pixel Inspector")
    opened.look_at(tuple(source.data_to_world((0, y, x))))
    while opened.latest.busy:
        QApplication.processEvents()


def apply_to_others(viewer: Any) -> None:
    """Show labels moved as the frames were."""
    viewer.open_sample("napari-stack", "drifting_cells")
    source = viewer.layers[0]
    moved = add(viewer, layers.register(source))
    nuclei = viewer.add_labels(
        (np.asarray(source.data) > 1500).astype(np.uint8), name="nuclei", scale=source.scale,
        units=source.units, axis_labels=source.axis_labels,
    )  # fmt: skip
    viewer.layers.selection.active = moved
    opened = dock(viewer, "Apply To Other Layers")
    opened.tick(nuclei)
    opened.run()
    source.visible = nuclei.visible = False


def retouch(viewer: Any) -> None:
    """Show strokes from two frames on a fused image, and one that is being painted."""
    viewer.open_sample("napari-stack", "focus_series")
    made = layers.focus_stack(viewer.layers[0])
    for layer in made:
        viewer.add_layer(layer)
    viewer.layers.selection.active = made[0]
    opened = dock(viewer, "Retouch")
    opened.source.radius.value = 14
    opened.paint_or_stop()
    painter = opened.painter

    def stroke(frame: int, *points: tuple[float, float], end: bool = True) -> None:
        viewer.dims.set_current_step(0, frame)
        while opened.runner.running or painter.loading.busy:
            QApplication.processEvents()
        places = [painter.image.data_to_world(point) for point in points]
        painter.pressed(places[0])
        for place in places[1:]:
            painter.dragged(place)
        if end:
            painter.lifted()

    while opened.runner.running:
        QApplication.processEvents()
    height, width = painter.image.data.shape[:2]
    stroke(1, (0.3 * height, 0.25 * width), (0.35 * height, 0.4 * width))
    stroke(6, (0.7 * height, 0.6 * width), (0.6 * height, 0.7 * width))
    opened.show_box.setChecked(True)
    viewer.reset_view()
    stroke(4, (0.7 * height, 0.2 * width), (0.75 * height, 0.3 * width), end=False)


PICTURES: dict[str, Callable[[Any], None]] = {
    "recipe": recipe,
    "frame_inspector": frame_inspector,
    "place_by_hand": place_by_hand,
    "pixel_inspector": pixel_inspector,
    "apply_to_others": apply_to_others,
    "retouch": retouch,
}


def picture(name: str, folder: Path) -> Path:
    """Take one picture of a whole window."""
    viewer = napari.Viewer(show=False)
    viewer.window.resize(1120, 820)
    viewer.window._qt_window.show()
    PICTURES[name](viewer)
    settle(1.0)
    path = folder / f"{name}.png"
    viewer.screenshot(str(path), canvas_only=False, flash=False)
    viewer.close()
    settle()
    return path


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
