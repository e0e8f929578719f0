"""ccdproc: Combiner.sigma_clipping(2.5, 2.5, func="mean", dev_func="std") and average_combine.

Defects by cosmicray_median (thresh 5, mbox 5) of the mean frame.
"""

REQUIREMENTS = ("ccdproc", "bottleneck")


def version():
    """Tell the version."""
    import ccdproc

    return ccdproc.__version__


def clipping(frames):
    """Clip and average."""
    import numpy as np
    from astropy.nddata import CCDData
    from ccdproc import Combiner

    combiner = Combiner([CCDData(frame.astype(np.float32), unit="adu") for frame in frames])
    combiner.sigma_clipping(low_thresh=2.5, high_thresh=2.5, func="mean", dev_func="std")
    return np.asarray(combiner.average_combine().data)


def hot_pixels(frames):
    """Find what stands out of the mean frame."""
    import numpy as np
    from ccdproc import cosmicray_median

    mean = frames.mean(axis=0, dtype=float)
    noise = 1.4826 * np.median(np.abs(mean - np.median(mean)))
    return cosmicray_median(mean, error_image=noise, thresh=5, mbox=5)[1]
