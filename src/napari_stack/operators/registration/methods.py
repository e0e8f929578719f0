"""The methods of registration: small options objects, one for each way to compare frames."""

from dataclasses import dataclass
from typing import Annotated, Literal

from napari_stack.core.method_options import MethodOptions
from napari_stack.core.options import Bounds, CountsWith
from napari_stack.operators.registration.refinement.motion_models import Transform

#: What FLANN makes use of.
_FLANN = CountsWith("matcher", ("flann",))

Finder = Literal["SIFT", "ORB", "AKAZE", "BRISK", "SURF"]


@dataclass(frozen=True)
class Intensity(MethodOptions):
    """Registration by all pixels, coarse to fine, free in gain and offset.

    Parameters
    ----------
    iterations : int
        Most steps on each small level; the largest levels take a quarter of them.
    """

    iterations: Annotated[int, Bounds(1, 100)] = 12


@dataclass(frozen=True)
class Phase(MethodOptions):
    """Translation by correlation, to a part of a pixel (Guizar-Sicairos et al. 2008).

    Parameters
    ----------
    upsampling : int
        Shifts are found in steps of one pixel divided by this.
    """

    upsampling: Annotated[int, Bounds(1, 1000)] = 100


@dataclass(frozen=True)
class Fourier(MethodOptions):
    """Shift, rotation and scale from log-polar spectra (Reddy and Chatterji 1996).

    Parameters
    ----------
    iterations : int
        How often rotation and scale are measured again on the frame as turned so far.
    upsampling : int
        Shifts are found in steps of one pixel divided by this.
    """

    iterations: Annotated[int, Bounds(1, 20)] = 3
    upsampling: Annotated[int, Bounds(1, 1000)] = 100


@dataclass(frozen=True)
class Imreg_dft(MethodOptions):
    """Shift, rotation and scale by the library imreg_dft.

    Parameters
    ----------
    numiter : int
        How often rotation and scale are measured.
    order : int
        Order of the splines that the library turns frames with.
    filter_pcorr : int
        Width of the minimum filter of the correlation; 0 is none.
    angle : float
        Rotation that is expected.
    angle_spread : float
        Standard deviation of the rotation; 360 leaves it free, 0 fixes it.
    scale : float
        Scale that is expected.
    scale_spread : float
        Standard deviation of the scale; 10 leaves it free, 0 fixes it.
    shift_x, shift_y : float
        Shift that is expected.
    shift_spread : float
        Standard deviation of the shift; 100000 leaves it free, 0 fixes it.
    """

    numiter: Annotated[int, Bounds(1, 20)] = 3
    order: Annotated[int, Bounds(1, 5)] = 3
    filter_pcorr: Annotated[int, Bounds(0, 100, unit="px")] = 0
    angle: Annotated[float, Bounds(-180, 180, unit="degrees")] = 0.0
    angle_spread: Annotated[float, Bounds(0, 360, unit="degrees")] = 360.0
    scale: Annotated[float, Bounds(0.1, 10, step=0.01)] = 1.0
    scale_spread: Annotated[float, Bounds(0, 10, step=0.01)] = 10.0
    shift_x: Annotated[float, Bounds(-100_000, 100_000, unit="px")] = 0.0
    shift_y: Annotated[float, Bounds(-100_000, 100_000, unit="px")] = 0.0
    shift_spread: Annotated[float, Bounds(0, 100_000, unit="px")] = 100_000.0


@dataclass(frozen=True)
class Features(MethodOptions):
    """Registration by matching distinct points (Lowe 2004; RANSAC, Fischler and Bolles 1981).

    Parameters
    ----------
    detector : {"SIFT", "ORB", "AKAZE", "BRISK", "SURF"}
        Finds the points. ORB is quicker, SIFT surer; some builds of OpenCV lack the others.
    ratio : float
        Keep a match when the best one is closer than this times the second best.
    threshold : float
        Distance from the common transform within which a match agrees with it.
    descriptor : {"same", "SIFT", "ORB", "AKAZE", "BRISK", "SURF"}
        Describes the points; "same" takes the detector's own.
    matcher : {"brute force", "flann"}
        Compares all points with all (exact), or searches approximately (quicker for many).
    index : {"kd-tree", "k-means"}
        How FLANN orders descriptors; binary ones are always hashed.
    trees : int
        Number of FLANN's KD-trees.
    checks : int
        Leaves that FLANN visits for a point; more is surer and slower.
    estimator : {"RANSAC", "MAGSAC"}
        Finds the transform that most matches agree with; MAGSAC (Barath et al. 2020) depends
        less on the threshold.
    """

    detector: Finder = "SIFT"
    ratio: Annotated[float, Bounds(0.1, 1.0, step=0.05)] = 0.75
    threshold: Annotated[float, Bounds(0.1, 100.0, step=0.5, unit="px")] = 5.0
    descriptor: Literal["same"] | Finder = "same"
    matcher: Literal["brute force", "flann"] = "brute force"
    index: Annotated[Literal["kd-tree", "k-means"], _FLANN] = "kd-tree"
    trees: Annotated[int, Bounds(1, 64), CountsWith("index", ("kd-tree",))] = 5
    checks: Annotated[int, Bounds(1, 10_000), _FLANN] = 50
    estimator: Literal["RANSAC", "MAGSAC"] = "RANSAC"


Method = Intensity | Phase | Fourier | Imreg_dft | Features

#: Transforms that a method can measure, the freest one last; methods that are not here take all.
MEASURABLE: dict[type[MethodOptions], tuple[Transform, ...]] = {
    Phase: ("translation",),
    Fourier: ("translation", "rigid", "similarity"),
    Imreg_dft: ("translation", "rigid", "similarity"),
}
