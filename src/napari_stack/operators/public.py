"""What the package offers of its operators: functions, measured values, options of methods.

`napari_stack` and `napari_stack.operators` have these names; an operator of the catalogue is found
there without being named here, where type checkers look.
"""

from napari_stack.operators.combine.combine import (
    Percentile as Percentile,
)
from napari_stack.operators.combine.combine import (
    WeightedMean as WeightedMean,
)
from napari_stack.operators.combine.combine import (
    combine as combine,
)
from napari_stack.operators.combine.moving_average import (
    moving_average as moving_average,
)
from napari_stack.operators.combine.sigma_clip import (
    Clipped as Clipped,
)
from napari_stack.operators.combine.sigma_clip import (
    sigma_clip as sigma_clip,
)
from napari_stack.operators.corrections.balance import (
    Gains as Gains,
)
from napari_stack.operators.corrections.balance import (
    apply_gains as apply_gains,
)
from napari_stack.operators.corrections.balance import (
    balance as balance,
)
from napari_stack.operators.corrections.balance import (
    measure_gains as measure_gains,
)
from napari_stack.operators.corrections.bleaching import (
    Bleaching as Bleaching,
)
from napari_stack.operators.corrections.bleaching import (
    apply_bleaching as apply_bleaching,
)
from napari_stack.operators.corrections.bleaching import (
    correct_bleaching as correct_bleaching,
)
from napari_stack.operators.corrections.bleaching import (
    measure_bleaching as measure_bleaching,
)
from napari_stack.operators.corrections.flat_field import (
    FlatField as FlatField,
)
from napari_stack.operators.corrections.flat_field import (
    apply_flat_field as apply_flat_field,
)
from napari_stack.operators.corrections.flat_field import (
    correct_flat_field as correct_flat_field,
)
from napari_stack.operators.corrections.flat_field import (
    measure_flat_field as measure_flat_field,
)
from napari_stack.operators.corrections.hot_pixels import (
    HotPixels as HotPixels,
)
from napari_stack.operators.corrections.hot_pixels import (
    apply_hot_pixels as apply_hot_pixels,
)
from napari_stack.operators.corrections.hot_pixels import (
    find_hot_pixels as find_hot_pixels,
)
from napari_stack.operators.corrections.hot_pixels import (
    repair_hot_pixels as repair_hot_pixels,
)
from napari_stack.operators.corrections.hot_pixels import (
    write_hot_pixels as write_hot_pixels,
)
from napari_stack.operators.corrections.vignetting import (
    Polynomial as Polynomial,
)
from napari_stack.operators.corrections.vignetting import (
    Sigmoid as Sigmoid,
)
from napari_stack.operators.corrections.vignetting import (
    apply_vignetting as apply_vignetting,
)
from napari_stack.operators.corrections.vignetting import (
    correct_vignetting as correct_vignetting,
)
from napari_stack.operators.corrections.vignetting import (
    measure_vignetting as measure_vignetting,
)
from napari_stack.operators.corrections.vignetting_value import Vignetting as Vignetting
from napari_stack.operators.filters.denoise_sharpen import (
    denoise as denoise,
)
from napari_stack.operators.filters.denoise_sharpen import (
    sharpen as sharpen,
)
from napari_stack.operators.focus.focus_stack import (
    Focused as Focused,
)
from napari_stack.operators.focus.focus_stack import (
    focus_stack as focus_stack,
)
from napari_stack.operators.focus.methods import (
    Auto as Auto,
)
from napari_stack.operators.focus.methods import (
    DepthMap as DepthMap,
)
from napari_stack.operators.focus.methods import (
    Pyramid as Pyramid,
)
from napari_stack.operators.focus.slabs import (
    focus_slabs as focus_slabs,
)
from napari_stack.operators.geometry.transform_frames import (
    Box as Box,
)
from napari_stack.operators.geometry.transform_frames import (
    ByFactor as ByFactor,
)
from napari_stack.operators.geometry.transform_frames import (
    ToFit as ToFit,
)
from napari_stack.operators.geometry.transform_frames import (
    ToSize as ToSize,
)
from napari_stack.operators.geometry.transform_frames import (
    transform_frames as transform_frames,
)
from napari_stack.operators.geometry.transforms import (
    Transforms as Transforms,
)
from napari_stack.operators.geometry.warp import (
    Constant as Constant,
)
from napari_stack.operators.geometry.warp import (
    ReplicateBlurred as ReplicateBlurred,
)
from napari_stack.operators.geometry.warp import (
    apply_transforms as apply_transforms,
)
from napari_stack.operators.registration.methods import (
    Features as Features,
)
from napari_stack.operators.registration.methods import (
    Fourier as Fourier,
)
from napari_stack.operators.registration.methods import (
    Imreg_dft as Imreg_dft,
)
from napari_stack.operators.registration.methods import (
    Intensity as Intensity,
)
from napari_stack.operators.registration.methods import (
    Phase as Phase,
)
from napari_stack.operators.registration.register import (
    measure_transforms as measure_transforms,
)
from napari_stack.operators.registration.register import (
    register as register,
)
