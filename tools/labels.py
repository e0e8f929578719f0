"""Print every label, tooltip and choice of all docks, to be read once aloud by fresh eyes.

Run it where there is a display, or with ``tools/with-screen.sh python tools/labels.py``.
"""

import argparse
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import napari
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QWidget,
)
from superqt import QCollapsible

from napari_stack import _widgets, layers, samples


def texts(dock: QWidget) -> Iterator[tuple[str, str]]:
    """Give what each part of a dock shows, and its tooltip, without mark-up."""
    for part in dock.findChildren(QWidget):
        shown = ""
        if isinstance(part, QLabel | QAbstractButton):
            shown = part.text().replace("\n", " ")
        elif isinstance(part, QComboBox):
            shown = " | ".join(part.itemText(row) for row in range(part.count()))
        elif isinstance(part, QLineEdit):
            shown = part.placeholderText()
        told = re.sub("<[^>]+>", "", part.toolTip()).replace("\n", " ")
        if shown.strip() or told:
            yield shown, told


def main() -> None:
    """Open the docks one after the other and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=_widgets.__all__)
    arguments = parser.parse_args()
    viewer = napari.Viewer(show=False)
    viewer.add_layer(layers.to_layer(samples.hyperstack(3, 4, (64, 80))[0], "a recording"))
    for name in arguments.names:
        if name == "OperatorDock":
            continue
        dock = getattr(_widgets, name)(viewer)
        for part in dock.findChildren(QCollapsible):
            part.expand(animate=False)
        QApplication.processEvents()
        print(f"\n== {name}")
        for text in dict.fromkeys(texts(dock)):
            print("   " + "  --  ".join(filter(None, text)))
        dock.close()
    viewer.close()


if __name__ == "__main__":
    main()
