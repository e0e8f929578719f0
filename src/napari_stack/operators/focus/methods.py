"""The methods of focus stacking: their options, and what each of them returns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds

if TYPE_CHECKING:
    from napari_stack.operators.focus.depth import DepthMaps


class WorkingResult(NamedTuple):
    """A fused image before rounding, its depth where asked for, and the pixels of any frame.

    Attributes
    ----------
    image : (y, x) or (y, x, channel) ndarray of the working type
        Within the range of the frames' valid values at every pixel and channel; 0 where
        no frame is valid. Alpha is the largest of the frames'.
    depth : (y, x) ndarray of float32 or None
        The frame index, with fractions, at which the pixel is sharpest; 0 where no frame
        is valid.
    confidence : (y, x) ndarray of float32 or None
        0 (no texture) to 1 (sharp at one place of the series only); see `DepthState.maps`.
    covered : (y, x) ndarray of bool
        Where at least one frame is valid.
    beyond : (float, float)
        Shares of the image that would be in focus before the first frame, and behind the last.
    deviation : (y, x) ndarray of float32 or None
        Of the depth's error, in frames; NaN at a confidence of 0. None where not asked for.
    """

    image: NDArray[Any]
    depth: NDArray[np.float32] | None
    confidence: NDArray[np.float32] | None
    covered: NDArray[np.bool_]
    beyond: tuple[float, float] = (0.0, 0.0)
    deviation: NDArray[np.float32] | None = None

    def with_depth(self, maps: "DepthMaps") -> Self:
        """Return it with a depth that was measured."""
        return self._replace(
            depth=maps.depth,
            confidence=maps.confidence,
            beyond=maps.beyond,
            deviation=maps.deviation,
        )

    def with_set_depths(self, measured: NDArray[np.float32] | None) -> Self:
        """Return it with the deviation of a whole frame where the depth was set to one since."""
        if measured is None or self.deviation is None:
            return self
        from napari_stack.operators.focus.uncertainty import WHOLE_FRAME  # OpenCV: not on import

        known = np.where(np.isnan(self.deviation), np.float32(0), self.deviation)
        whole = np.maximum(known, np.float32(WHOLE_FRAME))
        deviation = np.where(self.depth == measured, self.deviation, whole)
        deviation[self.confidence == 0] = np.nan
        return self._replace(deviation=deviation)


@dataclass(frozen=True)
class Auto(MethodOptions):
    """Depth first, then the details of the frames that are sharp around each pixel.

    Parameters
    ----------
    reach : int
        Details of a frame are used up to this far from where it is the sharpest. Smaller values
        keep blurred edges of other frames out, larger ones follow finer shapes.
    even_brightness : bool
        Bring the frames to one brightness first, against flicker.
    average_noise : bool
        Where there is noise, average the frames that agree within it.
    pairs_as_recorded : bool
        Of two frames of one brightness and little noise, give every pixel as it is in one of them.
    """

    reach: Annotated[int, Bounds(0, 64, unit="px")] = 4
    even_brightness: bool = True
    average_noise: bool = True
    pairs_as_recorded: bool = True


@dataclass(frozen=True)
class Pyramid(MethodOptions):
    """Fusion by a Laplacian pyramid (Burt and Adelson 1983; Wang and Chang 2011).

    Parameters
    ----------
    min_size : int
        The coarsest level's shorter side has about this many pixels.
    kernel_size : int
        Side of the window in which the energy of details is measured.
    kernel_parameter : float
        Weight of the pyramid's smoothing kernel at its centre.
    even_brightness : bool
        Bring the frames to one brightness where they flicker by more than 2 %; it then takes one
        more pass.
    """

    min_size: Annotated[int, Bounds(4, 1024, unit="px")] = 32
    kernel_size: Annotated[int, Bounds(1, 31, step=2, unit="px")] = 5
    kernel_parameter: Annotated[float, Bounds(0.3, 0.6, step=0.05)] = 0.4
    even_brightness: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_odd("Pyramid", kernel_size=self.kernel_size)


@dataclass(frozen=True)
class DepthMap(MethodOptions):
    """Fusion by the energy of whole frames, blended over a pyramid so that no seam shows.

    Parameters
    ----------
    choice : {"maximum", "weighted average"}
        Take each pixel from the frame of the largest energy, or average by energy.
    energy : {"modified laplacian", "laplacian", "sobel", "variance"}
        How the sharpness of a frame around a pixel is measured.
    kernel_size : int
        Side of the filter, odd.
    blur_size : int
        Side of the Gaussian window in which its response is averaged, odd.
    smooth_size : int
        Side of the window in which choices are smoothed along the edges of the image; 0 leaves
        them.
    """

    choice: Literal["maximum", "weighted average"] = "maximum"
    energy: Literal["modified laplacian", "laplacian", "sobel", "variance"] = "modified laplacian"
    kernel_size: Annotated[int, Bounds(1, 31, step=2, unit="px")] = 5
    blur_size: Annotated[int, Bounds(1, 99, step=2, unit="px")] = 11
    smooth_size: Annotated[int, Bounds(0, 256, unit="px")] = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_odd("DepthMap", kernel_size=self.kernel_size, blur_size=self.blur_size)


def _require_odd(method: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size % 2 == 0:
            raise UserError(f"{method}: {name} must be odd, got {size}")
