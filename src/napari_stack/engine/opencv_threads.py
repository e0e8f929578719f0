"""`opencv_threads`: OpenCV's own threads, set for the time of a run."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_opencv_lock = threading.Lock()
_opencv_users: list[int] = []


@contextmanager
def opencv_threads(count: int) -> Iterator[None]:
    """Set OpenCV's own threads while runs last (0 leaves them), and restore them after the last."""
    cv2 = sys.modules.get("cv2")  # not imported: nothing to set
    if cv2 is None or count == 0:
        yield
        return
    with _opencv_lock:
        if not _opencv_users:
            _opencv_users.append(cv2.getNumThreads())
        _opencv_users.append(count)
        cv2.setNumThreads(count)
    try:
        yield
    finally:
        with _opencv_lock:
            _opencv_users.pop()
            if len(_opencv_users) == 1:
                cv2.setNumThreads(_opencv_users.pop())
