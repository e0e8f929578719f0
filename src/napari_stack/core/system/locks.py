"""`lock` and `release`: a file that one process at a time holds, as long as it lives at most."""

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


def release(file: IO[bytes]) -> None:
    """Unlock a file and close it, also where a fork of this process has it open still."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_UN)
    except (OSError, ValueError):  # it was not locked, or is closed
        pass
    file.close()
