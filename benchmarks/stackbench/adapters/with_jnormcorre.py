"""jnormcorre: rigid registration to the middle frame.

With jax 0.4.38, since newer ones break it. Its piecewise mode gives no displacements at points.
"""

import numpy as np

REQUIREMENTS = ("jnormcorre", "jax==0.4.38", "jaxlib==0.4.38")


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("jnormcorre")


def registration(frames, transform):
    """Register shifts by correlation."""
    from jnormcorre.motion_correction import register_frames_to_template_rigid

    if str(transform) != "translation":
        raise NotImplementedError("it measures shifts alone")
    frames = frames.astype(np.float32)
    limit = np.array([40, 40])
    shifts = register_frames_to_template_rigid(frames, frames[len(frames) // 2], limit, 0.0)[1]
    matrices = np.tile(np.eye(3), (len(frames), 1, 1))
    matrices[:, :2, 2] = -np.asarray(shifts).reshape(len(frames), 2)[:, ::-1]
    return matrices
