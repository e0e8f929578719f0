"""`processors`: how many processors this process may use."""

import os


def processors() -> int:
    """Return their number; a cluster or a container may give fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
