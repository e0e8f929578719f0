"""`Smooth` and `Rows`: what frames move beyond their matrices, and how freely."""

from dataclasses import dataclass
from typing import Annotated, Literal

from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds


@dataclass(frozen=True)
class Smooth(MethodOptions):
    """Smooth deformation, as of tissue: cubic B-splines over a coarse grid (Rueckert et al. 1999).

    Parameters
    ----------
    spacing : {"auto"} or float
        Distance of the grid's points; "auto" takes 32 px, or a sixteenth of the longer side.
    stiffness : {"auto"} or float
        How much a bend costs; "auto" takes what makes the whole series most probable.
    """

    spacing: Annotated[float, Bounds(8, 10_000, unit="px")] | Literal["auto"] = "auto"
    stiffness: Annotated[float, Bounds(1e-6, 1e9)] | Literal["auto"] = "auto"


@dataclass(frozen=True)
class Rows(MethodOptions):
    """A shift for every row of a raster scan, by a random walk from row to row.

    Parameters
    ----------
    smoothness : {"auto"} or float
        How much rows that move unlike their neighbours cost; "auto" takes what makes the whole
        series most probable.
    bidirectional : bool
        Every other row is scanned backwards: its offset along x is measured first, one for all.
    """

    smoothness: Annotated[float, Bounds(1e-6, 1e12)] | Literal["auto"] = "auto"
    bidirectional: bool = False
