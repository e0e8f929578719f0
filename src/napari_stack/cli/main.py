"""`main`: the command line, what it refuses, and its exit status."""

import sys
import traceback
from collections.abc import Callable, Sequence

from cyclopts import CycloptsError, MissingArgumentError

from napari_stack.cli.commands import app
from napari_stack.cli.report import print_error, warnings_as_lines
from napari_stack.core.errors import format_error, is_mendable
from napari_stack.engine.run import Cancelled

#: What a shell takes for "ended by Ctrl-C".
_INTERRUPTED = 130
#: A fault of the program.
_FAULT = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after the name of the program; by default those it was started with.

    Returns
    -------
    int
        Exit status: 0; 1 for input that cannot be processed; 2 for a command that makes no
        sense; 3 for a fault of the program, whose traceback is printed; 130 when interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    status = 2
    try:
        with warnings_as_lines():
            job = _job(words)
            status = 1
            job()
    except (Cancelled, KeyboardInterrupt):
        print_error("cancelled; no file is left half-written")
        return _INTERRUPTED
    except CycloptsError as error:
        print_error(_parse_error(error, words))
        return status
    # A fault of the program keeps its traceback, and has an exit status of its own.
    except Exception as error:  # noqa: BLE001
        return _failed(error, status, debug="--debug" in words)
    return 0


def _failed(error: Exception, status: int, *, debug: bool) -> int:
    """Print what went wrong and return the exit status."""
    mendable = is_mendable(error)
    if debug or not mendable:
        traceback.print_exception(error)
    if not mendable:
        print_error("this is a fault of the program: please report the lines above")
        return _FAULT
    hints = {FileExistsError: " (--overwrite)", MemoryError: ": try --workers 1 or less --memory"}
    hint = next((text for kind, text in hints.items() if isinstance(error, kind)), "")
    print_error(format_error(error) + hint)
    return status


def _job(words: list[str]) -> Callable[[], object]:
    """Parse the words; calling the result runs the command."""
    command, bound, *_ = app().parse_args(words, exit_on_error=False, print_error=False)
    job = command(*bound.args, **bound.kwargs)
    return job if callable(job) else int  # a help page has been printed already


def _parse_error(error: CycloptsError, words: list[str]) -> str:
    missing = isinstance(error, MissingArgumentError) and error.argument
    if missing and missing.name == "--output" and not {"-o", "--output"} & set(words):
        return "say where the result goes: add -o and a name, such as -o result.tif"
    return str(error)
