"""What the package offers of its operators: functions, measured values, options of methods.

`napari_stack` and `napari_stack.operators` have these names; an operator of the catalogue is found
there without being named here, where type checkers look.
"""

from napari_stack.core.stroke import Fusion, Slab, Stroke
from napari_stack.core.strokes import Strokes
from napari_stack.operators.combine.combine import Percentile, WeightedMean, combine
from napari_stack.operators.combine.drizzle.drizzle import Drizzled, drizzle
from napari_stack.operators.combine.mean_with_error import (
    MeanWithError,
    mean_with_error,
    noise_summary,
)
from napari_stack.operators.combine.moving_average import moving_average
from napari_stack.operators.combine.rejection.methods import (
    GeneralisedESD,
    LinearFit,
    MinMax,
    PercentileClip,
)
from napari_stack.operators.combine.sigma_clip import Clipped, sigma_clip
from napari_stack.operators.combine.star_trails import star_trails
from napari_stack.operators.corrections.balance import Gains, apply_gains, balance, measure_gains
from napari_stack.operators.corrections.bleaching import (
    Bleaching,
    apply_bleaching,
    correct_bleaching,
    measure_bleaching,
)
from napari_stack.operators.corrections.find_hot_pixels import find_hot_pixels
from napari_stack.operators.corrections.flat_field import (
    FlatField,
    apply_flat_field,
    correct_flat_field,
    measure_flat_field,
)
from napari_stack.operators.corrections.hot_pixels import (
    HotPixels,
    apply_hot_pixels,
    repair_hot_pixels,
    write_hot_pixels,
)
from napari_stack.operators.corrections.vignetting import (
    Polynomial,
    Sigmoid,
    apply_vignetting,
    correct_vignetting,
    measure_vignetting,
)
from napari_stack.operators.corrections.vignetting_value import Vignetting
from napari_stack.operators.filters.denoise_sharpen import denoise, sharpen
from napari_stack.operators.focus.focus_stack import Focused, focus_stack
from napari_stack.operators.focus.methods import Auto, DepthMap, Pyramid
from napari_stack.operators.focus.retouch.apply import retouch
from napari_stack.operators.focus.slabs import focus_slabs
from napari_stack.operators.geometry.deformation import Deformation
from napari_stack.operators.geometry.transform_frames import (
    Box,
    ByFactor,
    ToFit,
    ToSize,
    transform_frames,
)
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import Constant, ReplicateBlurred, apply_transforms
from napari_stack.operators.inspection.quality import (
    FrameQuality,
    measure_quality,
    quality_table,
    select_frames,
)
from napari_stack.operators.registration.methods import (
    Features,
    Fourier,
    Imreg_dft,
    Intensity,
    Phase,
)
from napari_stack.operators.registration.nonrigid.options import Rows, Smooth
from napari_stack.operators.registration.planes.register_planes import (
    measure_wobble,
    register_planes,
)
from napari_stack.operators.registration.register import measure_transforms, register
from napari_stack.operators.registration.volumes.locate_planes import (
    PlanePlaces,
    locate_planes,
)
