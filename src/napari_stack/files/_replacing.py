"""`replacing`: write under another name and move it into place when it is whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse a path that exists, unless it may be overwritten.

    Raises
    ------
    FileExistsError
        Naming the path and the remedy.
    """
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already: choose another name, or allow it to be overwritten"
        )


def refuse_homeless(path: Path) -> None:
    """Refuse a path whose folder is not there.

    Raises
    ------
    FileNotFoundError
        Naming the folder and the remedy.
    """
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist: make it first")


@contextmanager
def replacing(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes the name `path` when the block ends well.

    It may become a file or a folder. An old folder is removed when the new one is in its place.

    Raises
    ------
    FileExistsError
        When `path` is there and `overwrite` is False; asked before the block and after it.
    FileNotFoundError
        When its folder is not there.
    OSError
        Naming `path`, when the disk is full or the folder must not be written to.
    """
    refuse_existing(path, overwrite)
    refuse_homeless(path)
    # Not from tempfile, whose files are private: the result is as open as any other file.
    temporary = path.with_name(f".napari-stack-{uuid4().hex[:12]}{''.join(path.suffixes[-2:])}")
    try:
        with failure_named(path):
            yield temporary
            refuse_existing(path, overwrite)
            move(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def move(part: Path, path: Path) -> None:
    """Move a file or folder to its place; an old folder goes last, or comes back on failure."""
    if not path.is_dir():
        part.replace(path)
        return
    old = path.with_name(f".napari-stack-{uuid4().hex[:12]}{path.suffix}")
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def failure_named(path: Path) -> Iterator[None]:
    """Name the file that cannot be written, and the remedy.

    Raises
    ------
    OSError
        When the disk is full or the folder must not be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # a sentence of our own
            raise
        raise type(error)(
            f"{path} could not be written ({error.strerror}): check the free space and permissions "
            "of its folder"
        ) from error
