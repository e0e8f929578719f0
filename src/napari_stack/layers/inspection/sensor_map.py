"""`sensor_map`: what was measured for each pixel of the sensor, as a layer over the frames."""

from typing import Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_stack.layers.jobs.job import Job
from napari_stack.layers.places.appearance import Appearance


def sensor_look(job: Job) -> Appearance:
    """Return how a map of what a job measures is to look; it keeps no frames."""
    return job.chain.origin[1] if job.chain.origin else job.appearance


def sensor_map(look: Appearance, name: str, values: NDArray[Any]) -> Image | Labels:
    """Show a map of the sensor where the frames lie that it was measured on.

    Parameters
    ----------
    look : Appearance
        Of `sensor_look`.
    name : str
        What it shows.
    values : ndarray, shape (y, x)
        A mask, or the part of the light that arrives.
    """
    called = f"{look.name} - {name}"
    if values.dtype == bool:
        return look.plane_of_labels(values.astype(np.uint8), name=called)
    low, high = float(values.min()), float(values.max())
    limits = (low, high if high > low else low + 1.0)
    made: Image = look.plane(
        values.astype(np.float32), name=called, rgb=False, colormap="viridis",
        contrast_limits=limits, blending="translucent_no_depth", gamma=1.0,
    )  # fmt: skip
    return made
