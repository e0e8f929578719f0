"""Record what every operator, reader and writer gives, and compare two recordings.

A refactoring must change no result. Record before and after, and compare::

    python tools/digests record before.npz
    python tools/digests record after.npz
    python tools/digests compare before.npz after.npz

``--only PATTERN`` runs or compares a part: names that hold the pattern, which may have wildcards
(``register/*uint8``). ``--messages`` compares the words of errors, warnings and the command line
too, which a change may improve.

A recording of everything takes about two minutes once the kernels are compiled. It is the same in
every run, with one processor and with several; of the files that are written, only the identifiers
are left out that OME-TIFF makes anew each time. `napari_stack` is taken from where Python finds it:
set ``PYTHONPATH`` to record another checkout. Only names that every version has are used, so that
one script records both. Not run: docks, pictures of plots, camera RAW (no file of it is there).
"""

import sys
from argparse import ArgumentParser
from pathlib import Path

from compare import compare
from record import record


def main() -> int:
    """Read the words of the command line and do what they ask for."""
    parser = ArgumentParser(prog="digests", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="run everything and write what came out")
    recording.add_argument("file", type=Path)
    recording.add_argument("--times", action="store_true", help="tell the slowest cases")
    comparing = commands.add_parser("compare", help="tell what differs; status 1 if anything does")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    comparing.add_argument("--messages", action="store_true", help="compare words of errors too")
    for command in (recording, comparing):
        command.add_argument("--only", default="", metavar="PATTERN", help="a part, by name")
    given = parser.parse_args()
    if given.command == "record":
        return record(given.file, given.only, times=given.times)
    return compare(given.old, given.new, given.only, messages=given.messages)


if __name__ == "__main__":
    sys.exit(main())
