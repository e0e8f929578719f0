"""pystackreg: TRANSLATION or SCALED_ROTATION, every frame against the middle one."""

import numpy as np

REQUIREMENTS = ("pystackreg",)


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("pystackreg")


def registration(frames, transform):
    """Register by intensities (Thevenaz 1998)."""
    from pystackreg import StackReg

    kind = {"translation": StackReg.TRANSLATION, "similarity": StackReg.SCALED_ROTATION}
    finder = StackReg(kind[str(transform)])
    fixed = frames[len(frames) // 2].astype(float)
    return np.stack([finder.register(fixed, frame.astype(float)) for frame in frames])
