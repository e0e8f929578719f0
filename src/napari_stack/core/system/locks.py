"""`lock`: a file that one process at a time holds, for as long as it lives at most."""

import errno
import sys
from typing import IO


def lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed, however that comes about; return whether it was free.

    Raises
    ------
    OSError
        Where this file system knows no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):  # another one has it
            return False
        raise
    return True
