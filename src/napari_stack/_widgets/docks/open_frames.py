"""`OpenFramesDock`: a folder, a series of files or a glob as one lazy layer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import Any

from magicgui.widgets import CheckBox
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLineEdit

from napari_stack import layers
from napari_stack._widgets.parts.layout import Rows, beside, button, fill, paragraph, tooltip
from napari_stack._widgets.parts.open_preview import Data, FramesPreview, Opened, extent
from napari_stack._widgets.parts.options.data_set import NamesInput, SeriesChoice
from napari_stack._widgets.parts.options.inputs import ChoiceOrNumber, NumberInput, choice
from napari_stack._widgets.parts.run.adding import add_in_parts
from napari_stack._widgets.parts.run.runner import Done, RunningDock
from napari_stack.core.options import Bounds, options_of
from napari_stack.core.system.home import at_home
from napari_stack.engine.run import Run
from napari_stack.files import SUFFIXES, Choices, choices_in, read

_MOST_FRAMES = 9_999_999

#: Labels of options that are not called as `read` calls them.
_TEXTS = {
    "every": "Every n-th",
    "start": "From frame",
    "stop": "Before frame",
    "odd": "Odd files",
    "series": "Image",
    "from_names": "Axes in names",
    "demosaic": "Colours of mosaics",
}

_PATTERN_HELP = (
    "Take only the files of the folder whose names fit: * stands for anything, ? for one letter, "
    "**/ for folders in it, as in run1_*.tif. Empty: all images."
)


@dataclass(frozen=True)
class Asked:
    """What is to be opened.

    Parameters
    ----------
    paths : str or list of str
    pattern : str
        Of names, where `paths` is a folder.
    options : mapping
        Of `napari_stack.read`.
    """

    paths: Any
    pattern: str
    options: Mapping[str, Any]

    def read(self) -> Data:
        """Open it, lazily."""
        return read(self.places(), **self.options)

    def look(self) -> Opened:
        """Open it, and look for what may be chosen of it."""
        return self.read(), choices_in(self.places())

    def places(self) -> Any:
        """Say it in the words of `napari_stack.read`."""
        if not self.pattern or isinstance(self.paths, list):
            return self.paths
        folder = at_home(self.paths)
        if not folder.is_dir():
            return self.paths
        return str(Path(escape(str(folder))) / self.pattern)


_CHANNELS_HELP = (
    "Show each channel as a layer of its own, in its colours. As one layer, with a slider for the "
    "channels, they are registered and fused together."
)


class OpenFramesDock(RunningDock):
    """Path, and which frames to take.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: "napari.viewer.Viewer") -> None:  # noqa: F821
        super().__init__(napari_viewer, "Open")
        self._files: list[str] = []
        self.path = QLineEdit()
        self.path.setPlaceholderText("folder, file, or glob such as frames/*.tif")
        self.path.setToolTip(
            tooltip("A folder of frames, a file with frames in it, or a pattern of file names.")
        )
        self.path.textEdited.connect(lambda _text: self._files.clear())
        self.path.returnPressed.connect(self.run)
        self.path.textChanged.connect(self._path_changed)
        self.pattern = QLineEdit()
        self.pattern.setPlaceholderText("all images")
        self.pattern.textChanged.connect(self._changed)
        self.pattern.returnPressed.connect(self.run)
        self._fields = _fields()
        for field, _ in self._fields.values():
            field.changed.connect(self._changed)
        self.channels = QCheckBox("a layer each")
        self.channels.setToolTip(tooltip(_CHANNELS_HELP))
        self.preview = FramesPreview()
        self.preview.offered.connect(self._offer)
        self.runner.clicked.connect(self.run)
        self._lay_out()

    def _lay_out(self) -> None:
        buttons = beside(
            button(
                "Folder...", "Choose a folder; all images in it are frames.", self._choose_folder
            ),
            button("Files...", "Choose the files that are the frames.", self._choose_files),
        )
        form = Rows()
        form.add("Pattern", self.pattern, _PATTERN_HELP)
        for name, (field, help_text) in self._fields.items():
            text = _TEXTS.get(name, name.capitalize())
            form.add(text, field.native, help_text)
        form.add("Channels", self.channels, _CHANNELS_HELP)
        text = "Open many files as one layer; a frame is read when it is shown."
        parts = (paragraph(text), self.path, buttons, form, self.preview)
        fill(self, *parts, pinned=(self.runner,))

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

    def set_options(self, **options: Any) -> None:
        """Set options by the names that `options` gives them; a stop of None stands for the end."""
        for name, value in options.items():
            self._fields[name][0].value = "end" if name == "stop" and value is None else value

    def options(self) -> dict[str, Any]:
        """Return every, start, stop, order, odd, series, from_names, demosaic."""
        values = {name: field.value for name, (field, _) in self._fields.items()}
        return {name: None if value == "end" else value for name, value in values.items()}

    def asked(self) -> Asked | None:
        """Return what is to be opened, or None without a path."""
        paths: Any = list(self._files) or self.path.text().strip()
        return Asked(paths, self.pattern.text().strip(), self.options()) if paths else None

    def _path_changed(self, *_: Any) -> None:
        self._fields["series"][0].value = None  # of other files
        self._changed()

    def _changed(self, *_: Any) -> None:
        asked = self.asked()
        self.preview.ask(None if asked is None else asked.look)

    def _offer(self, choices: Choices) -> None:
        self._fields["series"][0].offer(choices.series)
        self._fields["from_names"][0].offer(choices.axes)

    def closing(self) -> None:
        """End the preview too when the dock is closed."""
        super().closing()
        self.preview.latest.drop()

    def run(self) -> None:
        """Open the frames; their layer is added when the first one was read."""
        asked = self.asked()
        if asked is None:
            self.runner.show_message("Choose a folder or files first.")
            return
        if self.runner.running:
            return

        apart = self.channels.isChecked()

        def work(run: Run) -> Any:
            if run.tick:  # cancelled before it began
                run.tick(0, 0, "Opening frames")
            data, name = asked.read(), _name(asked.paths)
            parts = layers.channels_apart(data, name) if apart else [(name, data)]
            return data, [(called, one, layers.show_limits(one)) for called, one in parts]

        self.runner.start(work, self._opened)

    def _opened(self, result: Any) -> Done:
        data, parts = result
        made = [
            layers.to_layer(one, called, limits=limits, visible=False)
            for called, one, limits in parts
        ]
        for layer in made:
            layer.blending = "additive" if len(made) > 1 else layer.blending
        yield from add_in_parts(self.viewer, made, made)
        return f"Added {', '.join(repr(layer.name) for layer in made)}: {extent(data)}"


#: What options of `read` do, in the words of a dock.
_HELP = {
    "every": "Take one frame of so many: 2 takes every second one.",
    "start": "The first frame that is taken; frames are counted from 0.",
    "stop": "The frame before which it ends; end takes all that follow.",
    "series": "Which image of files that hold several, such as positions. All of them, along an "
    "axis of positions, where they are alike in size, type and axes; else the first, with a note.",
    "from_names": "Lay frames out along the axes that the names of files and folders tell of, as "
    "in e_t000_z000_ch00.tif or img_channel000_z000.tif; or by a pattern of the names, in which * "
    "stands for anything. Places without a file are missing frames, which are not used. Else files "
    "are frames one after the other.",
}


def _fields() -> dict[str, tuple[Any, str]]:
    known = options_of(read)
    every = replace(known["every"], bounds=Bounds(1, _MOST_FRAMES))
    start = replace(known["start"], bounds=Bounds(0, _MOST_FRAMES))
    stop = replace(
        known["stop"], kind=int, default="end", choices=("end",), bounds=Bounds(1, _MOST_FRAMES)
    )
    fields = {
        "every": NumberInput(every),
        "start": NumberInput(start),
        "stop": ChoiceOrNumber(stop),
    }
    fields |= {name: choice(known[name].choices, known[name].default) for name in ("order", "odd")}
    fields |= {"series": SeriesChoice(), "from_names": NamesInput()}
    fields["demosaic"] = CheckBox(value=known["demosaic"].default)
    return {name: (field, _HELP.get(name, known[name].text)) for name, field in fields.items()}


def _name(paths: Any) -> str:
    """Name a layer after the folder of a series, or after its file."""
    first = Path(paths[0] if isinstance(paths, list) else paths)
    if first.is_dir():
        return first.absolute().name or "frames"
    if not isinstance(paths, list) and first.exists():
        return first.stem
    folders = [part for part in first.absolute().parts[:-1] if not set("*?[") & set(part)]
    return Path(*folders).name or "frames"
