"""The operators, plain functions of a stack; their catalogue, one entry each."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_stack.core.catalogue import CATALOGUE as CATALOGUE
from napari_stack.core.operator import Operator as Operator

if TYPE_CHECKING:
    from napari_stack.operators.public import *  # noqa: F403

_HERE = "napari_stack.operators"
_PLOTS = f"{_HERE}.inspection.plots"
_SAYS = f"{_HERE}.inspection.summaries"

# All that is special about an operator stands in its entry; see `Operator`. Docks, commands, steps
# of recipes, layer functions and the names of the package follow; `make manifest` writes the lines
# of napari.yaml.
CATALOGUE.update(
    register=Operator(
        f"{_HERE}.registration.register:register",
        menu="register",
        became="aligned",
        main=("transform", "method", "reference"),
        measures_transforms=True,
        plots={"drift": f"{_PLOTS}:drift", "matches": f"{_PLOTS}:matches"},
        says=f"{_SAYS}:registration",
        settles=f"{_HERE}.registration.transform_choice:settled",
        followed_by=("sigma_clip",),
    ),
    register_volumes=Operator(
        f"{_HERE}.registration.volumes.register_volumes:register_volumes",
        title="Register Volumes (3-D Drift)",
        menu="register",
        became="aligned",
        main=("transform", "reference"),
        output="volumes",
        preferred_axis="t",
        measures_transforms=True,
    ),
    register_planes=Operator(
        f"{_HERE}.registration.planes.register_planes:register_planes",
        title="Register Planes (Wobble)",
        menu="register",
        became="steadied",
        main=("period",),
        preferred_axis="z",
        measures_transforms=True,
        measures_apart=True,
        says=f"{_SAYS}:wobble",
        precompile=(),  # planes of cells over time are no z-stack
    ),
    balance=Operator(
        f"{_HERE}.corrections.balance:balance",
        menu="filter",
        became="balanced",
        main=("channels", "mapping", "reference"),
        preview=True,
        plots={"gains": f"{_PLOTS}:gains", "histograms": f"{_PLOTS}:histograms"},
        note=f"{_HERE}.corrections.balance:clipping",
        says=f"{_SAYS}:gains",
    ),
    correct_vignetting=Operator(
        f"{_HERE}.corrections.vignetting:correct_vignetting",
        menu="filter",
        became="evened",
        main=("model", "scene"),
        preview=True,
        plots={"fall-off": f"{_PLOTS}:fall_off"},
        says=f"{_SAYS}:vignetting",
    ),
    correct_flat_field=Operator(
        f"{_HERE}.corrections.flat_field:correct_flat_field",
        menu="filter",
        became="flattened",
        main=("flat", "dark"),
        preview=True,
        plots={"flat": f"{_PLOTS}:flat"},
        says=f"{_SAYS}:flat_field",
    ),
    correct_bleaching=Operator(
        f"{_HERE}.corrections.bleaching:correct_bleaching",
        menu="filter",
        became="bleaching corrected",
        main=("method",),
        plots={"decay": f"{_PLOTS}:decay"},
        says=f"{_SAYS}:bleaching",
    ),
    find_hot_pixels=Operator(
        f"{_HERE}.corrections.find_hot_pixels:find_hot_pixels",
        menu="project",
        became="hot pixels",
        main=("thresholds", "kind"),
        preview=True,
        plots={"mask": f"{_PLOTS}:found_mask"},
        says=f"{_SAYS}:found_pixels",
    ),
    repair_hot_pixels=Operator(
        f"{_HERE}.corrections.hot_pixels:repair_hot_pixels",
        menu="filter",
        became="repaired",
        main=("mask", "method"),
        preview=True,
        plots={"mask": f"{_PLOTS}:repaired_mask"},
        says=f"{_SAYS}:hot_pixels",
    ),
    measure_quality=Operator(
        f"{_HERE}.inspection.quality:measure_quality",
        menu="measure",
        output="table",
        says=f"{_HERE}.inspection.quality_summaries:quality",
        precompile=(),  # it has no kernels
    ),
    select_frames=Operator(
        f"{_HERE}.inspection.quality:select_frames",
        menu="filter",
        became="selected",
        main=("select", "by"),
        says=f"{_HERE}.inspection.quality_summaries:selection",
        precompile=(),  # it has no kernels, and would tell of the frames that it leaves out
    ),
    combine=Operator(
        f"{_HERE}.combine.combine:combine",
        title="Average (Combine)",
        menu="project",
        main=("method",),
        named_by="method",
        result_dtype=f"{_HERE}.combine.combine:result_dtype",
        in_bands=f"{_HERE}.combine.combine:in_bands",
        says=f"{_SAYS}:combined",
        precompile=({}, {"method": "median"}, {"method": "standard deviation"}),
    ),
    mean_with_error=Operator(
        f"{_HERE}.combine.mean_with_error:mean_with_error",
        menu="project",
        became="mean",
        main=("weights",),
        result_dtype=f"{_HERE}.combine.sigma_clip:result_dtype",
        says=f"{_SAYS}:averaging",
    ),
    sigma_clip=Operator(
        f"{_HERE}.combine.sigma_clip:sigma_clip",
        menu="project",
        became="clipped",
        main=("method", "sigma", "iterations"),
        result_dtype=f"{_HERE}.combine.sigma_clip:result_dtype",
        in_bands=True,
        caution=f"{_HERE}.combine.rejection.too_few:why_not_clipped",
        clipped_values=f"{_HERE}.inspection.pixel:clipped_values",
        precompile=({}, {"centre": "median", "spread": "MAD"}),
        says=f"{_SAYS}:clipping",
    ),
    star_trails=Operator(
        f"{_HERE}.combine.star_trails:star_trails",
        menu="project",
        became="trails",
        main=("fill",),
    ),
    drizzle=Operator(
        f"{_HERE}.combine.drizzle.drizzle:drizzle",
        menu="project",
        became="drizzled",
        main=("scale", "pixfrac", "bayer"),
        finer="scale",
        precompile=(),  # it takes registered frames, which warming has not
    ),
    moving_average=Operator(
        f"{_HERE}.combine.moving_average:moving_average",
        became="averaged",
        menu="filter",
        main=("frames",),
    ),
    focus_stack=Operator(
        f"{_HERE}.focus.focus_stack:focus_stack",
        menu="project",
        became="fused",
        main=("method",),
        preferred_axis="z",
        says=f"{_SAYS}:focus",
        settles=f"{_HERE}.focus.translucent.scene_choice:settled",
        precompile=({}, {"method": "pyramid"}),
    ),
    denoise=Operator(
        f"{_HERE}.filters.denoise_sharpen:denoise",
        title="Denoise (Non-Local Means)",
        menu="filter",
        became="denoised",
        main=("strength",),
        preview=True,
    ),
    sharpen=Operator(
        f"{_HERE}.filters.denoise_sharpen:sharpen",
        title="Sharpen (Unsharp Mask)",
        menu="filter",
        became="sharpened",
        main=("amount", "radius"),
        preview=True,
    ),
    focus_slabs=Operator(
        f"{_HERE}.focus.slabs:focus_slabs",
        menu="project",
        became="slabs",
        main=("frames", "overlap", "method"),
        preferred_axis="z",
        settles=f"{_HERE}.focus.translucent.scene_choice:settled",
        measures=False,
    ),
    transform_frames=Operator(
        f"{_HERE}.geometry.transform_frames:transform_frames",
        menu="transform",
        became="transformed",
        main=("rotate", "crop", "resize"),
        measures=False,
    ),
)

_RESERVED = """
apply_to_others cancelled channels_apart cli compute_now core default_axis demo depth_surface engine
files forecast frame_inspector is_lazy is_made_here is_preview keeping layers leading_axes
open_frames operator operators pixel_inspector prepare prepare_compute preview preview_layer read
recipe run samples show_limits stack surface to_layer to_layers write
"""


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted({*_public(), *CATALOGUE})
    if name in CATALOGUE.own:
        return CATALOGUE[name].function
    if not name.startswith("_"):
        if name in _public():
            return _public()[name]
        if name in CATALOGUE:
            return CATALOGUE[name].function
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__getattr__("__all__")]


def reserved_names() -> set[str]:
    """Names that the package, its commands, docks and layer functions have for something else."""
    return {*_public(), *_RESERVED.split()}


def _public() -> dict[str, Any]:
    module = import_module(f"{__name__}.public")
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


# The folder of the family bears the name of its operator: the function takes its place.
from napari_stack.operators.combine.combine import combine as combine  # noqa: E402
