"""`at_home`: a path as it was typed, "~" expanded where it means a home folder."""

import errno
import os
from pathlib import Path

from napari_stack.core.errors import UserError

#: Letters of a name that is too long, in a message.
_SHOWN = 40


def at_home(path: str | os.PathLike[str]) -> Path:
    """Expand "~" and "~user", unless a file or folder of that very name is there.

    Backups and lock files have names that begin with "~"; so does nothing else of a user that is
    not known.

    Raises
    ------
    UserError
        For a name that is longer than the system takes.
    """
    found = Path(path)
    if str(found).startswith("~") and not _is_there(found):
        try:
            found = found.expanduser()
        except RuntimeError:  # there is no such user
            return found
    _is_there(found)
    return found


def _is_there(path: Path) -> bool:
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            longest = max(path.parts, key=len)
            shown = longest[:_SHOWN] + ("..." if len(longest) > _SHOWN else "")
            raise UserError(
                f"the path with {shown!r} is too long, {len(longest)} letters in one name and "
                f"{len(str(path))} in all: give the file a shorter name, or name a folder or a glob"
            ) from error
        return False
    except ValueError:  # a name with a null in it
        return False
    return True
