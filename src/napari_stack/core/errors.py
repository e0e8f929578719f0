"""Which errors the user can mend, and which are faults of the program."""

import errno
from typing import Any

#: Error numbers of a file that the program uses wrongly; with a file name they blame the name.
_MISUSE = {errno.EBADF, errno.EFAULT, errno.EINVAL, errno.ENOTTY, errno.ESPIPE}


class UserError(ValueError):
    """What the user can mend: its text says what was found, what is needed and what to do.

    Every other `ValueError` is an error of the program, and is shown with its traceback.
    """


class MissingPackageError(UserError, ImportError):
    """An optional package is needed and not installed; the text says how to install it."""


def is_mendable(error: BaseException) -> bool:
    """Tell whether an error is shown as a sentence; every other one keeps its traceback.

    The user can mend what `UserError` says, a file, a folder, a disk or a connection that fails,
    and memory that does not suffice.

    Examples
    --------
    >>> is_mendable(FileExistsError("out.tif exists")), is_mendable(ValueError("shapes differ"))
    (True, False)
    """
    if isinstance(error, OSError):
        return error.errno not in _MISUSE or error.filename is not None
    return isinstance(error, UserError | MemoryError)


def format_error(error: BaseException) -> str:
    """Say in one line what went wrong; of a fault of the program, its type too.

    Examples
    --------
    >>> format_error(FileNotFoundError(2, "No such file or directory", "a.tif"))
    'a.tif: no such file or directory'
    """
    text = " ".join(str(error).split())
    if not is_mendable(error):
        return f"this is an error of the program: {type(error).__name__}: {text}"
    if isinstance(error, MemoryError):
        return "the memory does not suffice" + (f" ({text})" if text else "")
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror[0].lower() + error.strerror[1:]
        return f"{error.filename}: {reason}" if error.filename is not None else reason
    return text or type(error).__name__


def shortened(value: Any) -> str:
    """Write a value as errors show it."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
