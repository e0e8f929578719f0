"""Docks of the journeys at 200 %, measured in a process of its own: Qt reads the scale once.

``python -m support.scaled`` prints, as JSON, the scale and what is cut off, by dock and theme.
"""

import json
import os
import tempfile
from pathlib import Path

# The settings of whoever runs this are not read.
os.environ["NAPARI_CONFIG"] = str(Path(tempfile.mkdtemp()) / "settings.yaml")

import numpy as np
from napari.components import ViewerModel
from napari.qt import get_stylesheet
from qtpy.QtWidgets import QApplication
from superqt import QCollapsible

from napari_stack import _widgets
from napari_stack.recipe.planning import GOALS, Facts, plan_for
from support.clipped import clipped

#: Docks of their steps that have most options.
STEPS = ("Register", "FocusStack", "SigmaClip")

NAME = "a recording with quite a long name"


def styled(dock, theme="dark"):
    """Show a dock in napari's style, all of it, as narrow as it may be."""
    dock.setStyleSheet(get_stylesheet(theme))
    for part in dock.findChildren(QCollapsible):
        part.expand(animate=False)
    dock.setFixedSize(300, 700)
    dock.show()
    return dock


def cut(dock):
    """Return what is cut off."""
    for _ in range(4):
        QApplication.processEvents()
    return clipped(dock, [NAME])


def main():
    """Measure, and print."""
    application = QApplication([])
    viewer, found = ViewerModel(), {}
    frames, axes = np.zeros((2, 2, 3, 32, 40), np.uint16), ("t", "c", "z", "y", "x")
    viewer.add_image(frames, name=NAME, axis_labels=axes, rgb=False, multiscale=False)
    stack = styled(_widgets.StackDock(viewer))
    stack.looking.drop()  # every journey is shown, whatever the frames are
    for kind, goals in GOALS.items():
        plan = plan_for(kind, goals[0], Facts())
        stack._show(plan.draft, [step.why for step in plan.steps], plan.remark)
        assert stack.checklist.rows
        found[kind] = cut(stack)
    found["light"] = cut(styled(stack, "light"))
    for name in STEPS:
        found[name] = cut(styled(getattr(_widgets, f"{name}Dock")(viewer)))
    print(json.dumps({"scale": application.devicePixelRatio(), "cut": found}), flush=True)
    os._exit(0)  # nothing is kept, and nobody waits for threads that compile


if __name__ == "__main__":
    main()
