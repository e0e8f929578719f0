"""`Pace`: how long a run may still take, from how far it came since what it does began."""

#: Seconds, and a share of the whole, before which a pace is no pace.
_SOON, _LITTLE = 2.0, 0.03


class Pace:
    """Told of progress, it tells the time left, in words."""

    def __init__(self) -> None:
        self._what = ""
        self._begun = self._from = 0.0

    def left(self, now: float, done: int, total: int, what: str) -> str:
        """Return the time left, or "" where it cannot be told yet.

        Parameters
        ----------
        now : float
            Seconds of any clock.
        done, total : int
            Of the whole run.
        what : str
            What is being done; each begins a pace of its own.
        """
        share = done / total if total else 0.0
        if what != self._what or share < self._from:
            self._what, self._begun, self._from = what, now, share
        gone, came = now - self._begun, share - self._from
        if gone < _SOON or came < _LITTLE or share >= 1:
            return ""
        return f"about {duration(gone / came * (1 - share))} left"


def duration(seconds: float) -> str:
    """Say how long something takes, as precisely as such a guess is.

    Examples
    --------
    >>> duration(3.2), duration(48), duration(100), duration(4000)
    ('3 s', '50 s', '2 min', '1.1 h')
    """
    if seconds < 20:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{round(seconds / 10) * 10} s"
    return f"{round(seconds / 60)} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
