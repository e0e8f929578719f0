"""`Questions`: what the frames are, shown as a guess with its reason, and what is wanted."""

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_stack._widgets.parts.layout import Rows, align_labels, below, paragraph
from napari_stack._widgets.parts.options.inputs import Chosen, choice
from napari_stack.recipe.planning import GOALS, Guess

_UNKNOWN = "choose ..."


class Questions(QWidget):
    """Two choices, and why the first stands as it does."""

    #: Another kind or goal was chosen, or guessed.
    changed = Signal()

    #: Kind of data; "" where it is not known.
    kind = Chosen(lambda rows: rows.kind_box)
    #: What is wanted; None without a kind.
    goal = Chosen(lambda rows: rows.goal_box)

    def __init__(self) -> None:
        super().__init__()
        self._told = False
        self.kind_box = choice([(_UNKNOWN, ""), *((kind.capitalize(), kind) for kind in GOALS)], "")
        self.goal_box = choice(lambda _widget: self._goals())
        self.reason = paragraph()
        first, second = Rows(), Rows()
        self._labels = [
            first.add(
                "What is it?",
                self.kind_box.native,
                "The kind of frames: what is done to them depends on it.",
            ),
            second.add("Make of it", self.goal_box.native, "What the frames are to become."),
        ]
        self.setLayout(below(first, self.reason, second))
        self.kind_box.changed.connect(self._kind_changed)
        self.goal_box.changed.connect(self._goal_changed)
        self.say("")

    def showEvent(self, event: Any) -> None:
        """Give both labels one column, once napari's style determines their width."""
        super().showEvent(event)
        align_labels(self._labels, [])

    def _goals(self) -> list[tuple[str, Any]]:
        goals = GOALS[self.kind] if self.kind else ()
        return [(goal.capitalize(), goal) for goal in goals]

    def say(self, text: str) -> None:
        """Say something below the kind."""
        self.reason.setText(text)
        self.reason.setVisible(bool(text))

    def show_guess(self, guess: Guess) -> None:
        """Show a guess, and why."""
        self._set(guess.kind or "")
        self.say(f"A guess: {guess.reason}." if guess.kind else guess.reason)
        self.changed.emit()

    def forget(self, text: str = "") -> None:
        """Show that nothing is known."""
        self._set("")
        self.say(text)
        self.changed.emit()

    def _set(self, kind: str) -> None:
        self._told = True
        try:
            self.kind = kind
            self.goal_box.reset_choices()
            if kind:
                self.goal = GOALS[kind][0]  # type: ignore[index]
        finally:
            self._told = False

    def _kind_changed(self) -> None:
        if not self._told:
            self._set(self.kind)
            self.say("")
            self.changed.emit()

    def _goal_changed(self) -> None:
        if not self._told:
            self.changed.emit()
