"""imreg_dft: translation, or similarity with three iterations."""

import numpy as np

REQUIREMENTS = ("imreg_dft", "numpy<1.24", "scipy<1.12", "setuptools")  # it needs np.bool
BUILT_IN = True


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("imreg_dft")


def registration(frames, transform):
    """Register by spectra."""
    import imreg_dft

    fixed = frames[len(frames) // 2].astype(float)
    return np.stack([_pair(imreg_dft, fixed, f.astype(float), str(transform)) for f in frames])


def _pair(imreg_dft, fixed, frame, transform):
    if transform == "translation":
        found = {**imreg_dft.translation(fixed, frame), "angle": 0.0, "scale": 1.0}
    else:
        found = imreg_dft.similarity(fixed, frame, numiter=3)
    height, width = fixed.shape
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    angle = np.deg2rad(-found["angle"])
    turn = found["scale"] * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    back = np.eye(3)
    back[:2, :2] = turn
    back[:2, 2] = centre - turn @ centre + np.array([found["tvec"][1], found["tvec"][0]])
    return np.linalg.inv(back)
