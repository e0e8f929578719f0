"""Rejection of outliers as it is published, in plain NumPy: one pixel's values in, those kept out.

Each takes values and returns what is kept of them, in order. Siril's are worded in the manual of
Siril ("Stacking: rejection"), those of IRAF in the help page of `imcombine`, the generalised ESD
test in section 1.3.5.17.3 of the NIST/SEMATECH e-Handbook.
"""

import numpy as np
from scipy import stats

MAD_TO_SIGMA = 1.482602218505602


def rounds_of(values, centre, width, low=2.5, high=2.5, most=100):
    """Reject what lies beyond so many widths of the centre, again until nothing more is."""
    kept = np.sort(np.asarray(values, float))
    for _ in range(most):
        if len(kept) < 3:
            break
        middle, reach = centre(kept), width(kept)
        if reach <= 1e-6 * kept.std() and np.ptp(kept) > 0:
            return None  # most are the same: all others would go, which no rule says
        good = (kept >= middle - low * reach) & (kept <= middle + high * reach)
        if good.all() or not good.any():
            break
        kept = kept[good]
    return kept


def median_distance(kept):
    """The median distance from the median, scaled to a deviation (IKSS and MAD of Siril)."""
    return MAD_TO_SIGMA * np.median(np.abs(kept - np.median(kept)))


def winsorised(kept):
    """1.134 times the deviation of values drawn in to 1.5 of it, until it changes by 0.05 %."""
    median, spread = np.median(kept), kept.std()
    for _ in range(100):
        before = spread
        drawn = np.clip(kept, median - 1.5 * spread, median + 1.5 * spread)
        spread = 1.134 * drawn.std()
        if abs(spread - before) <= 5e-4 * before:
            break
    return spread


def linear_fit(values, low=2.5, high=2.5, most=100):
    """Reject what lies far from the straight line through values in order (Siril)."""
    kept = np.sort(np.asarray(values, float))
    for _ in range(most):
        if len(kept) < 4:
            break
        rank = np.arange(len(kept))
        far = kept - np.polyval(np.polyfit(rank, kept, 1), rank)
        reach = np.abs(far).mean() * (1 + 1e-6)
        good = (far >= -low * reach) & (far <= high * reach)
        if good.all() or not good.any():
            break
        kept = kept[good]
    return kept


def esd(values, outliers=0.3, significance=0.05):
    """Reject what the generalised test of extreme studentised deviates finds (Rosner 1983)."""
    left = np.sort(np.asarray(values, float))
    count, found = len(left), left
    for i in range(1, min(int(outliers * count + 1e-9), count - 3) + 1):
        mean, deviation = left.mean(), left.std(ddof=1)
        if deviation == 0:
            break
        below, above = mean - left[0], left[-1] - mean
        far = max(below, above)
        left = left[1:] if below > above else left[:-1]
        t = stats.t.ppf(1 - significance / (2 * (count - i + 1)), count - i - 1)
        limit = (count - i) * t / np.sqrt((count - i - 1 + t**2) * (count - i + 1))
        if far / deviation > limit:
            found = left
    return found


def percentile_clip(values, below=0.2, above=0.1):
    """Reject what differs from the median by more than a share of it, once (Siril)."""
    kept = np.sort(np.asarray(values, float))
    median = np.median(kept)
    good = (kept >= median - below * abs(median)) & (kept <= median + above * abs(median))
    return kept[good] if good.any() else kept


def iraf_minmax(values, images, low=1, high=1):
    """Reject the same fraction of the values there are as of all images, truncated."""
    kept = np.sort(np.asarray(values, float))
    least = int(len(kept) * low / images + 0.001)
    return kept[least : len(kept) - int(len(kept) * high / images + 0.001)]


def iraf_sigclip(values, low=2.5, high=2.5, median=True, most=100):
    """Reject by the sample deviation about the median, or about the mean.

    In the first round that mean is without the least and the greatest value.
    """
    kept = np.sort(np.asarray(values, float))
    for done in range(most):
        if len(kept) < 3:
            break
        inner = kept if done else kept[1:-1]
        centre = np.median(kept) if median else inner.mean()
        sigma = np.sqrt(((kept - centre) ** 2).sum() / (len(kept) - 1))
        good = (kept >= centre - low * sigma) & (kept <= centre + high * sigma)
        if good.all() or not good.any():
            break
        kept = kept[good]
    return kept


def iraf_pclip(values, pclip=-0.5, low=3.0, high=3.0):
    """Reject, once, by the distance of the median from a value a share of the ranks below it."""
    kept = np.sort(np.asarray(values, float))
    median, half = np.median(kept), (len(kept) - 1) // 2
    below = half - max(1, round(abs(pclip) * half))
    width = median - kept[below]
    return kept[(kept > median - low * width) & (kept < median + high * width)]
