"""`replacing`: write a file under another name and move it into place when it is whole."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse a path that exists, unless it may be overwritten.

    Raises
    ------
    FileExistsError
        Naming the path and the remedy.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists: choose another name, or allow it to be overwritten")


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes the name `path` when the block ends well.

    Raises
    ------
    FileExistsError
        When `path` is there and `overwrite` is False.
    FileNotFoundError
        When its folder is not there.
    """
    refuse_existing(path, overwrite)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is no folder: make it first")
    handle, name = tempfile.mkstemp(prefix=".napari-stack-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # temporary files are private; the result is not
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
