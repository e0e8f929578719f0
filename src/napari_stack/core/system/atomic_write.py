"""`replacing`, `write_text`: write under another name and move it into place when it is whole."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from napari_stack.core.errors import UserError
from napari_stack.core.system.locks import lock

#: The last two lie in the hidden folder: what its program locks, and what it is replacing.
_HIDDEN, _LOCK, _OLD = ".napari-stack-", "lock", "old"

#: Seconds for which a folder counts as new.
_NEW = 60


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


def require_parent_folder(path: Path) -> None:
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
    """Give a temporary path near `path`; it takes the name `path` when the block ends well.

    It may become a file or a folder. An old folder is removed when the new one is in its place. A
    link stays one: what it leads to is replaced.

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
    target = path.resolve() if path.is_symlink() else path
    require_parent_folder(target)
    with _failure_named(path), _hidden_folder(target) as folder:
        refuse_existing(path, overwrite)  # it may have come back
        yield folder / target.name
        refuse_existing(path, overwrite)
        _move(folder / target.name, target)


def write_text(
    path: str | Path, text: str, *, overwrite: bool = False, ending: str = "", said: str = ""
) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    path : str or Path
    text : str
    overwrite : bool
        Replace a file that is there.
    ending : str
        Ending that the file's name must have, such as ``".json"``; by default any.
    said : str
        Beginning of the sentence on another ending, such as ``"strokes are"``.

    Raises
    ------
    FileExistsError
        When the file is there and `overwrite` is False.
    ValueError
        For another ending.
    """
    if ending and Path(path).suffix.lower() != ending:
        raise UserError(f"{path}: {said} written as {ending}")
    with replacing(Path(path), overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def adding(folder: Path, names: Sequence[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder; its files of these names go to `folder` when the block ends well.

    All of them or none: nothing is moved where one of them must not be replaced. The folder is made
    where it is not there.

    Raises
    ------
    FileExistsError
        When a file is there and `overwrite` is False, or a folder is there instead.
    OSError
        Naming `folder`, when the disk is full or it must not be written to.
    """
    with _failure_named(folder), _hidden_folder(folder) as part:
        yield part
        for name in names:
            refuse_existing(folder / name, overwrite and not (folder / name).is_dir())
        folder.mkdir(exist_ok=True)
        for name in names:
            _move(part / name, folder / name)


@contextmanager
def _hidden_folder(beside: Path) -> Iterator[Path]:
    """Give a hidden folder beside a path, for what is not whole yet; it is gone afterwards.

    A kill leaves it. It holds a file that is locked for as long as its program lives, so that the
    next writer there sees whether it is abandoned, and removes it.
    """
    _sweep(beside.absolute().parent)
    folder = beside.absolute().with_name(f"{_HIDDEN}{uuid4().hex[:12]}")
    folder.mkdir()
    try:
        with (folder / _LOCK).open("wb") as file:
            _lock(file)
            yield folder
    finally:
        _clear(folder)


def _sweep(parent: Path) -> None:
    """Take away what killed programs left."""
    for folder in parent.glob(f"{_HIDDEN}*"):
        with suppress(OSError):
            if _abandoned(folder / _LOCK):
                _clear(folder)


def _clear(folder: Path) -> None:
    """Remove a hidden folder; an old folder whose place is still empty goes back there first."""
    with suppress(OSError):  # then the user's data stay where they are
        for old in (folder / _OLD).glob("*"):
            home = folder.parent / old.name
            if not os.path.lexists(home):
                old.rename(home)
        shutil.rmtree(folder, ignore_errors=True)


def _abandoned(file: Path) -> bool:
    """Whether nobody holds a lock; not of a new file, which its program may be about to lock."""
    if time.time() - file.stat().st_mtime < _NEW:
        return False
    with file.open("r+b") as opened:
        return _lock(opened)


def _lock(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; return whether it was free, on a system that knows locks."""
    try:
        return lock(file)
    except OSError:
        return False


def _move(part: Path, path: Path) -> None:
    """Move a file or folder out of a hidden folder; an old folder goes last, or comes back."""
    if not (part.is_dir() and path.is_dir()):  # no file takes the place of a folder
        part.replace(path)
        return
    old = part.parent / _OLD / path.name  # comes back after a kill: see `_clear`
    old.parent.mkdir(exist_ok=True)
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _failure_named(path: Path) -> Iterator[None]:
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
