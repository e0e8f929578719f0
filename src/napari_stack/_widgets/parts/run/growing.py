"""`GrowingPicture`: a small picture of the result of a run, as far as it has come."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_stack._widgets.parts.layout import tooltip

#: Pixels of its height, in which docks have room for it.
HEIGHT = 96

#: Shares of the pixels that are shown as black and as white.
_DARK, _BRIGHT = 0.5, 99.5


class GrowingPicture(QLabel):
    """Shows pictures, each instead of the one before; hidden until there is one."""

    def __init__(self) -> None:
        super().__init__()
        # However wide a picture is: else it would be the least width of the dock.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(tooltip("The result so far, coarse; it grows while the run goes on."))
        self.setAccessibleName("Result so far")
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self.clear()
        self.hide()

    def show_picture(self, picture: NDArray[Any]) -> None:
        """Show a picture, (y, x) or (y, x, channel) of any range; NaN is not drawn."""
        image = image_of(picture)
        ratio = self.devicePixelRatioF()
        wide = max(self.parentWidget().width() if self.parentWidget() else 0, HEIGHT)
        scaled = QPixmap.fromImage(image).scaled(
            round(wide * ratio), round(HEIGHT * ratio),
            Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation,
        )  # fmt: skip
        scaled.setDevicePixelRatio(ratio)
        self.setPixmap(scaled)
        self.show()


def image_of(picture: NDArray[Any], limits: tuple[float, float] | None = None) -> QImage:
    """Make an image for the screen, clear where it is NaN.

    Parameters
    ----------
    picture : (y, x) or (y, x, channel) ndarray
    limits : (float, float), optional
        What is shown as black and as white; by default nearly the darkest and the brightest.
    """
    values = np.asarray(picture, np.float32)
    if values.ndim == 2:
        values = values[..., np.newaxis]
    known = np.isfinite(values).all(axis=-1)
    colours = values[..., :3] if values.shape[-1] >= 3 else values[..., [0, 0, 0]]
    if limits is None:
        limits = tuple(np.percentile(colours[known], (_DARK, _BRIGHT))) if known.any() else (0, 1)
    low, high = limits
    scaled = np.clip((np.nan_to_num(colours) - low) * (255 / max(high - low, 1e-30)), 0, 255)
    pixels = np.dstack([scaled, np.where(known, 255, 0)]).astype(np.uint8)
    height, width = known.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
