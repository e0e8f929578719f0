"""`ResultCard`: what a run came to, in plain words, with a button for what can be done about it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QPushButton

from napari_stack._widgets.parts.layout import below, beside, button, holding, paragraph
from napari_stack.core.said import Said

#: A frame that is seen on dark and on light.
_LOOK = "#card { border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }"


class ResultCard(QFrame):
    """Sentences, one below the other, with buttons beside some.

    Parameters
    ----------
    opens : callable
        Opens the dock of a title.
    """

    #: Another size is needed.
    resized = Signal()

    def __init__(self, opens: Callable[[str], Any]) -> None:
        super().__init__()
        self._opens = opens
        self.lines: list[Said] = []
        self.buttons: list[QPushButton] = []
        self.setObjectName("card")
        self.setStyleSheet(_LOOK)
        self._column = below()
        self._column.setContentsMargins(6, 4, 6, 4)
        self._column.setSpacing(2)
        self.setLayout(self._column)
        self.hide()

    @property
    def text(self) -> str:
        """All sentences."""
        return "\n".join(said.text for said in self.lines)

    def show_lines(self, lines: Sequence[Said], mend: Callable[[Said], Any] | None = None) -> None:
        """Show sentences instead of those before; without any the card is hidden.

        Parameters
        ----------
        lines : sequence of Said
        mend : callable, optional
            Does what a sentence offers.
        """
        while (item := self._column.takeAt(0)) is not None:
            if (part := item.widget()) is not None:
                part.setParent(None)
                part.deleteLater()
        self.lines, self.buttons = list(lines), []
        for said in self.lines:
            self._column.addWidget(self._line(said, mend))
        self.setVisible(bool(self.lines))
        self.resized.emit()

    def _line(self, said: Said, mend: Callable[[Said], Any] | None) -> Any:
        label = paragraph(f"{said.text}.")
        does: Callable[[], Any] | None = None
        if said.opens:
            does = partial(self._opens, said.opens)
        elif (said.options or said.shows) and mend is not None:
            does = partial(mend, said)
        if not said.offer or does is None:
            return label
        run = does
        made = button(said.offer, _help(said), lambda _checked=False: run())
        made.setMaximumWidth(70)
        self.buttons.append(made)
        row = beside(label, made)
        row.setStretch(0, 1)
        return holding(row)


def _help(said: Said) -> str:
    if said.opens:
        return f"Open {said.opens}."
    if said.shows:
        return "Add it as a layer over the frames."
    options = ", ".join(f"{n.replace('_', ' ')}: {v}" for n, v in said.options.items())
    return f"Set {options}, and run again."
