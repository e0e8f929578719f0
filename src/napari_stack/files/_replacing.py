"""`replacing`: write a file under another name and move it into place when it is whole."""

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
    temporary = path.with_name(f".napari-stack-{uuid4().hex[:12]}{path.suffix}")
    try:
        with failure_named(path):
            yield temporary
            refuse_existing(path, overwrite)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def failure_named(path: Path) -> Iterator[None]:
    """Name `path`, and nothing temporary, when the system refuses to write.

    Raises
    ------
    OSError
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
