"""Layers of a time-lapse, and jobs on them."""

from napari.layers import Image


def image(data, name="cells", **more):
    """Make a layer with scale, units and axis labels."""
    look = {"scale": (0.5, 0.1, 0.1), "axis_labels": ("t", "y", "x"), "rgb": False}
    look |= {"units": ("second", "micrometer", "micrometer"), "contrast_limits": (0, 4095)}
    return Image(data, name=name, **{**look, **more})


def run(job):
    """Run a job to the end."""
    return job.finish(job.compute())
