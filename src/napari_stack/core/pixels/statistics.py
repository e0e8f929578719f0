"""Robust statistics: the spread of values of which some are outliers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Standard deviation of normal deviates over their median absolute deviation: 1 / Phi^-1(3/4).
MAD_TO_SIGMA = 1.482602218505602


def robust_sigma(values: NDArray[Any], centre: float | None = None, axis: int | None = None) -> Any:
    """Estimate the standard deviation from the median absolute deviation.

    Parameters
    ----------
    values : ndarray
    centre : float, optional
        What deviations are taken from; by default the median of the values.
    axis : int, optional
        Axis along which the spread is measured; by default over all values.

    Returns
    -------
    float or ndarray
        `MAD_TO_SIGMA` times the median of ``|values - centre|``.

    Examples
    --------
    >>> import numpy as np
    >>> float(round(robust_sigma(np.array([1.0, 2.0, 3.0, 4.0, 1000.0])), 3))
    1.483
    """
    if centre is None:
        middle = np.median(values, axis=axis, keepdims=axis is not None)
    else:
        middle = np.asarray(centre, np.asarray(values).dtype)
    return MAD_TO_SIGMA * np.median(np.abs(values - middle), axis=axis)


def noise_sigma(second_differences: NDArray[Any], axis: int | None = None) -> Any:
    """Estimate the noise of an image from its second differences along both axes.

    Parameters
    ----------
    second_differences : ndarray
        The image filtered by [1, -2, 1] along x and along y; the squares of the weights of that
        filter sum up to 36 (Immerkaer 1996).
    axis : int, optional
        As for `robust_sigma`.

    Returns
    -------
    float or ndarray
        Standard deviation of the noise of a pixel.
    """
    return robust_sigma(second_differences, 0.0, axis) / 6
