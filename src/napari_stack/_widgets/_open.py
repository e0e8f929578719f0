"""`OpenFramesDock`: a folder, a series of files or a glob as one lazy layer."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_stack import layers
from napari_stack._widgets._fields import ChoiceOrNumber, Number
from napari_stack._widgets._layout import (
    ColumnArea,
    frames_text,
    labelled,
    paragraph,
    rows,
    tooltip,
)
from napari_stack._widgets._runner import RunningDock
from napari_stack.files import SUFFIXES, read
from napari_stack.options import Bounds, options_of
from napari_stack.run import Run
from napari_stack.stack import Stack

_MOST_FRAMES = 9_999_999


class OpenFramesDock(RunningDock):
    """Path, and which frames to take.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__("Open")
        self.viewer = napari_viewer
        self._files: list[str] = []
        self.path = QLineEdit()
        self.path.setPlaceholderText("folder, file, or glob such as frames/*.tif")
        self.path.setToolTip(
            tooltip("A folder of frames, a file with frames in it, or a pattern of file names.")
        )
        self.path.textEdited.connect(lambda _text: self._files.clear())
        self.path.returnPressed.connect(self.run)
        self._numbers = _slice_fields()
        self.runner.clicked.connect(self.run)
        self._lay_out()

    def _lay_out(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        buttons = QHBoxLayout()
        for name, choose, help_text in (
            ("Folder...", self._choose_folder, "Choose a folder; all images in it are frames."),
            ("Files...", self._choose_files, "Choose the files that are the frames."),
        ):
            button = QPushButton(name)
            button.setToolTip(tooltip(help_text))
            button.clicked.connect(choose)
            buttons.addWidget(button)
        form, layout = QWidget(), rows()
        form.setLayout(layout)
        for name, (field, help_text) in self._numbers.items():
            labelled(layout, name.capitalize(), field.native, help_text)
        column.addWidget(
            paragraph("Open many files as one layer; a frame is read when it is shown.")
        )
        column.addWidget(self.path)
        column.addLayout(buttons)
        column.addWidget(form)
        column.addWidget(self.runner)
        column.addStretch(1)
        self.setMinimumWidth(280)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(ColumnArea(content))

    def _choose_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of frames"):
            self.set_paths(folder)

    def _choose_files(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        files, _ = QFileDialog.getOpenFileNames(self, "Frames", filter=f"Images ({patterns})")
        if files:
            self.set_paths(files)

    def set_paths(self, paths: str | Path | list[str]) -> None:
        """Choose a folder, a file, a glob, or a list of files."""
        given = [str(path) for path in paths] if isinstance(paths, list) else [str(paths)]
        self._files = given if len(given) > 1 else []
        several = f"{len(given)} files, {Path(given[0]).name} ..." if self._files else ""
        self.path.setText(several or "".join(given))

    def set_options(self, **options: int | None) -> None:
        """Set every, start or stop; None stands for the end."""
        for name, value in options.items():
            self._numbers[name][0].value = "end" if value is None else value

    def options(self) -> dict[str, int | None]:
        """Return every, start and stop."""
        values = {name: field.value for name, (field, _) in self._numbers.items()}
        return {name: None if value == "end" else value for name, value in values.items()}

    def run(self) -> None:
        """Open the frames; their layer is added when the first one was read."""
        paths: Any = list(self._files) or self.path.text().strip()
        if not paths:
            self.runner.say("Choose a folder or files first.")
            return
        if self.runner.running:
            return
        options = self.options()

        def work(run: Run) -> Any:
            if run.tick:  # cancelled before it began
                run.tick(0, 0, "Opening frames")
            data = read(paths, **options)
            return data, layers.show_limits(data)

        def done(result: Any) -> str:
            data, limits = result
            layer = self.viewer.add_layer(layers.to_layer(data, _name(paths), limits=limits))
            return f"Added {layer.name!r}: {_extent(data)}"

        self.runner.start(work, done)


def _slice_fields() -> dict[str, tuple[Any, str]]:
    known = options_of(read)
    every = replace(known["every"], bounds=Bounds(1, _MOST_FRAMES))
    start = replace(known["start"], bounds=Bounds(0, _MOST_FRAMES))
    stop = replace(
        known["stop"], kind=int, default="end", choices=("end",), bounds=Bounds(1, _MOST_FRAMES)
    )
    fields = {"every": Number(every), "start": Number(start), "stop": ChoiceOrNumber(stop)}
    return {name: (field, known[name].text) for name, field in fields.items()}


def _name(paths: Any) -> str:
    """Name a layer after the folder of a series, or after its file."""
    first = Path(paths[0] if isinstance(paths, list) else paths)
    if first.is_dir():
        return first.absolute().name or "frames"
    if not isinstance(paths, list) and first.exists():
        return first.stem
    folders = [part for part in first.absolute().parts[:-1] if not set("*?[") & set(part)]
    return Path(*folders).name or "frames"


def _extent(data: Any) -> str:
    """Say how many frames, along each axis where there are several."""
    if isinstance(data, Stack):
        return frames_text(len(data))
    sizes = zip(data.leading, data.sizes, strict=True)
    axes = ", ".join(f"{axis.name} = {size}" for axis, size in sizes)
    return f"{frames_text(len(data.frames))} ({axes})"
