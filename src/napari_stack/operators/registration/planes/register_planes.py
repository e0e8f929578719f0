"""`measure_wobble` and `register_planes`: planes of a z-stack that jitter against each other."""

from typing import Annotated, Literal

from napari_stack.core.options import Bounds, ImageSource, check
from napari_stack.core.pixels.channels import check_channel
from napari_stack.core.signatures import composed
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.operators.geometry.transforms import Transforms
from napari_stack.operators.geometry.warp import apply_transforms
from napari_stack.operators.registration.register import region_mask


def measure_wobble(
    stack: Stack,
    *,
    period: Annotated[float, Bounds(2, 10_000, unit="planes")] | Literal["auto"] = "auto",
    channel: Annotated[int, Bounds(0, 9_999)] | Literal["all"] = "all",
    region: ImageSource = None,
    run: Run = Run(),
) -> Transforms:
    """Find how planes of a z-stack jitter against each other, as by a stage that shakes.

    Each plane is compared with the three after it, and all these shifts are explained by a slow
    trend and by jitter about it, each as strong as makes what was measured most probable. Only the
    jitter is taken out: a slow shift from plane to plane is what slanted structures look like, and
    is left. So is the mean slope of the jitter. Where it is not more than noise makes it seem, no
    plane is moved, and a warning says so.

    Parameters
    ----------
    stack : Stack
        Planes of one z-stack, in order, closer than the object changes.
    period : {"auto"} or float
        Motion that comes and goes within fewer planes is taken out, slower motion is left. "auto"
        takes what makes the shifts most probable.
    channel : {"all"} or int
        The channel to measure on; "all" takes the brightness of colours, or the mean of bands.
    region : array, path or layer
        Measure only where this mask is not zero; its size is that of a frame.
    run : Run

    Returns
    -------
    Transforms
        Planes that are like none near them are marked as failed, and told in a warning.

    Raises
    ------
    ValueError
        When there are fewer than 5 planes, or they are unlike each other.

    Warns
    -----
    UserWarning
        Where no plane is moved, of planes that failed, and of the slow shift that is left where it
        reaches 5 px.
    """
    check(measure_wobble, locals())
    check_channel(stack, channel)
    # Not at the top: it brings compiled kernels, which menus and --help do without.
    from napari_stack.operators.registration.planes.measure import measured_planes
    from napari_stack.operators.registration.sequence.measure import MeasureOptions

    view = MeasureOptions(channel, region_mask(stack, region))
    return measured_planes(stack, view, None if period == "auto" else float(period), run)


register_planes = composed(
    "register_planes",
    "Take out how planes of a z-stack jitter; slanted structures stay slanted.",
    measure_wobble,
    apply_transforms,
)
