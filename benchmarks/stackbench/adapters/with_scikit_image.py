"""scikit-image: phase_cross_correlation, upsampled 50 times, after a Gaussian of 1 px.

Deformation by optical_flow_ilk (radius 12) against the mean of the frames, moved rigidly first.
"""

import numpy as np

REQUIREMENTS = ("scikit-image",)
BUILT_IN = True


def version():
    """Tell the version."""
    import skimage

    return skimage.__version__


def registration(frames, transform):
    """Register by phase correlation; it measures shifts alone."""
    from scipy.ndimage import gaussian_filter
    from skimage.registration import phase_cross_correlation

    if str(transform) != "translation":
        raise NotImplementedError("it measures shifts alone")
    smooth = [gaussian_filter(frame.astype(np.float32), 1.0) for frame in frames]
    matrices = np.tile(np.eye(3), (len(frames), 1, 1))
    for matrix, frame in zip(matrices, smooth, strict=True):
        shift, *_ = phase_cross_correlation(
            smooth[len(smooth) // 2], frame, upsample_factor=50, normalization=None
        )
        matrix[:2, 2] = -shift[::-1]
    return matrices


def deformation(frames, points):
    """Register rigidly, then follow the optical flow from the mean of the frames."""
    from scipy.ndimage import gaussian_filter, map_coordinates, shift
    from skimage.registration import optical_flow_ilk

    smooth = np.stack([gaussian_filter(np.sqrt(f.astype(np.float32)), 1.0) for f in frames])
    rigid = registration(smooth, "translation")[:, :2, 2]
    moved = np.stack(
        [shift(f, (-y, -x), mode="nearest") for f, (x, y) in zip(smooth, rigid, strict=True)]
    )
    mean, found = moved.mean(axis=0), []
    for frame, (x, y) in zip(moved, rigid, strict=True):
        v, u = optical_flow_ilk(mean, frame, radius=12, gaussian=True)
        at = [map_coordinates(d, points[:, ::-1].T, order=1, mode="nearest") for d in (u, v)]
        found.append(np.column_stack([at[0] + x, at[1] + y]))
    return np.stack(found)


def volumes(volumes):
    """Register volumes by phase correlation in three dimensions."""
    from scipy.ndimage import gaussian_filter
    from skimage.registration import phase_cross_correlation

    smooth = [gaussian_filter(volume.astype(np.float32), 1.0) for volume in volumes]
    fixed = smooth[len(smooth) // 2]
    found = [
        phase_cross_correlation(fixed, v, upsample_factor=20, normalization=None)[0] for v in smooth
    ]
    return -np.stack(found)[:, ::-1]
