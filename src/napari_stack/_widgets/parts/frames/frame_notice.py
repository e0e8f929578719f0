"""`FrameNotice`: a text on the canvas when the frame in view failed or is left out."""

from typing import Any

from napari_stack.layers.compat import text_overlay_of


class FrameNotice:
    """Writes on the canvas, unless somebody else has.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._text = ""

    def show(self, text: str) -> None:
        """Show a text; "" takes it away."""
        overlay = text_overlay_of(self._viewer)
        ours = bool(self._text) and overlay.text == self._text
        if overlay.visible and overlay.text and not ours:
            return  # it is the user's
        if text or ours:
            overlay.text = text
            overlay.visible = bool(text)
        self._text = text
