"""pyflowreg: compensate_arr, quality_setting "balanced", against the mean of three frames."""

import numpy as np

REQUIREMENTS = ("pyflowreg",)
PYTHON = (3, 12)


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("pyflowreg")


def deformation(frames, points):
    """Follow the flow, and read it at the points."""
    from pyflowreg.motion_correction.compensate_arr import compensate_arr
    from pyflowreg.motion_correction.OF_options import OFOptions
    from scipy.ndimage import map_coordinates

    frames = frames.astype(np.float32)[..., None]
    options = OFOptions(quality_setting="balanced", verbose=False)
    flow = np.asarray(compensate_arr(frames, frames[:3].mean(axis=0), options)[1])
    at = points[:, ::-1].T
    return np.stack(
        [
            np.column_stack(
                [map_coordinates(f[..., i], at, order=1, mode="nearest") for i in (0, 1)]
            )
            for f in flow
        ]
    )
