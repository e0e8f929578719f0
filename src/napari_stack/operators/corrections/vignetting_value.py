"""`Vignetting`: the share of light that reaches each place of the sensor, and its correction."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from napari_stack.operators.corrections.pixelwise import PixelwiseValue

#: No pixel is multiplied by more: what is left of its light is noise.
_MOST_GAIN = 20.0

#: Nodes of the smooth gain along the longer side; between them it is linear (to 1e-5).
_NODES = 256


@dataclass(frozen=True, eq=False)
class Vignetting(PixelwiseValue):
    """Part of the light that reaches each place of the sensor, and how it is made up for.

    Parameters
    ----------
    alpha : bool
        The last channel is alpha and left as it is.
    size : tuple of int
        Height and width of a frame.
    model : {"polynomial", "sigmoid"}
    centres : ndarray, shape (m, k, 2)
        (x, y) of the centre, in pixels; m is 1, or the number of frames, and k is 1, or the
        number of channels.
    parameters : ndarray, shape (m, k, 3)
        Of the polynomial: a, b and c of ``log g = a q + b q**2 + c q**3``, q = (r / half)**2; of
        the sigmoid: k and r0 in units of half, and 0. Half is half the diagonal of a frame.
    black_level : float
        Value of a pixel without light; it stays as it is.
    black_threshold : float
        Pixels that are not brighter stay as they are.
    max_correction : float
        Part of the correction that is applied: the light left counts as 1 - m + m g.
    """

    _name: ClassVar[str] = "vignetting"
    of_sensor: ClassVar[bool] = True

    size: tuple[int, int] = (1, 1)
    model: Literal["polynomial", "sigmoid"] = "polynomial"
    centres: NDArray[np.float64] = ()  # type: ignore[assignment]
    parameters: NDArray[np.float64] = ()  # type: ignore[assignment]
    black_level: float = 0.0
    black_threshold: float = 0.0
    max_correction: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
        self._freeze(np.float64, "centres", "parameters", ndim=3)

    @property
    def half(self) -> float:
        """Half the diagonal of a frame, in pixels."""
        return float(np.hypot(*self.size) / 2)

    def share(self, radius: Any, frame: int = 0, channel: int = 0) -> NDArray[np.float64]:
        """Part of the light that is left at distances from the centre, in pixels; 1 is all."""
        from napari_stack.operators.corrections.radial_falloff import sigmoid

        r = np.asarray(radius, np.float64) / self.half
        one = self.parameters[frame, channel]
        if self.model == "sigmoid":
            return sigmoid(r, one[0], one[1]) if one[0] > 0 else np.ones(r.shape)
        q = r * r
        share: NDArray[np.float64] = np.exp(
            np.clip(q * (one[0] + q * (one[1] + q * one[2])), -9, 9)
        )
        return share

    def light(self) -> NDArray[np.float32]:
        """Part of the light that reaches each pixel of a frame, by the first frame and channel."""
        y, x = np.ogrid[: self.size[0], : self.size[1]]
        centre = self.centres[0, 0]
        share = self.share(np.hypot(x - centre[0], y - centre[1]))
        return share.astype(np.float32)

    def mask_size(self, share: float = 0.9) -> float:
        """Diameter in which at least a part of the light is left, as a part of the shorter side.

        It is what `balance` takes as ``mask_size``.
        """
        radii = np.linspace(0, self.half, 1000)
        lit = self.share(radii) >= share
        reach = radii[-1] if lit.all() else radii[max(int(lit.argmin()) - 1, 0)]
        return float(2 * reach / min(self.size))

    @property
    def spacing(self) -> int:
        """Pixels between nodes of the smooth gain."""
        return int(np.clip(max(self.size) // _NODES, 1, 16))

    @cached_property
    def _grids(self) -> NDArray[np.float32]:
        """Gains at the nodes, shape (m, k, y nodes, x nodes)."""
        height, width = self.size
        y, x = (np.arange(-(-n // self.spacing) + 2) * self.spacing for n in (height, width))
        grids = np.empty((*self.centres.shape[:2], len(y), len(x)), np.float32)
        for m, k in np.ndindex(self.centres.shape[:2]):
            away = np.hypot(x - self.centres[m, k, 0], y[:, np.newaxis] - self.centres[m, k, 1])
            left = 1 - self.max_correction * (1 - self.share(away, m, k))
            grids[m, k] = 1 / np.maximum(left, 1 / _MOST_GAIN)
        return grids

    def change(self, block: NDArray[Any], index: int, rows: slice) -> None:
        """Give rows of a frame their light back, in place."""
        from napari_stack.operators.corrections.pixelwise_kernels import scale_smooth

        if not self.parameters.any():
            return
        grids = self._grids[index if len(self._grids) > 1 else 0]
        kind = block.dtype.type
        scale_smooth(
            block, grids.astype(kind, copy=False), self.spacing, rows.start,
            kind(self.black_level), kind(self.black_threshold),
        )  # fmt: skip

    def select(self, frames: NDArray[np.intp]) -> Self:
        """Return that of some frames: the same for all, unless each was measured by itself."""
        if len(self.parameters) == 1:
            return self
        return replace(self, centres=self.centres[frames], parameters=self.parameters[frames])
