"""Which kernels each operator calls, and with which types: kept for the helper that compiles them.

``python tools/kernels.py`` runs every operator on a few tiny frames of some types, and tells
whether what it sees is what `operators/kernels.json` holds; with ``--write`` it writes that. With
an empty cache this compiles every kernel, which takes minutes; names of operators run these alone.
"""

import json
import sys
import warnings
from argparse import ArgumentParser
from copy import deepcopy
from typing import Any

from napari_stack.operators import CATALOGUE
from napari_stack.operators.compile_ahead import RECORD, key, record
from napari_stack.operators.precompile import recorded

#: The pixels that cameras and microscopes give.
_DTYPES = ("uint8", "uint16", "float32")


def seen(operators: list[str]) -> dict[str, Any]:
    """Run operators and return what is to be recorded; of the others, what is on record."""
    known = deepcopy(record()) if operators else {"kernels": [], "runs": {}}
    texts: list[list[Any]] = known["kernels"]
    kernels = {json.dumps(kernel): number for number, kernel in enumerate(texts)}
    runs: dict[str, list[list[int]]] = known["runs"]
    for operator in operators or CATALOGUE.own:
        for dtype in _DTYPES if CATALOGUE[operator].precompile else ():
            for colours in (False, True):
                numbers = []
                for run in recorded(operator, dtype=dtype, colours=colours):
                    for call in run:
                        if kernels.setdefault(json.dumps(call), len(kernels)) == len(texts):
                            texts.append(list(call))
                    numbers.append([kernels[json.dumps(call)] for call in run])
                runs.pop(key(operator, dtype, colours), None)
                if any(numbers):
                    runs[key(operator, dtype, colours)] = numbers
    return {"kernels": texts, "runs": runs}


def text_of(found: dict[str, Any]) -> str:
    """Return a record as JSON, a kernel or a kind of pixels on each line."""
    kernels = ",\n".join(json.dumps(kernel) for kernel in found["kernels"])
    runs = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(run)}" for name, run in found["runs"].items()
    )
    return f'{{"kernels": [\n{kernels}\n],\n"runs": {{\n{runs}\n}}}}\n'


def calls_of(found: dict[str, Any]) -> dict[str, list[list[str]]]:
    """Return the calls of each run, in no order: threads may take turns."""
    kernels = [json.dumps(kernel) for kernel in found["kernels"]]
    return {
        name: [sorted(kernels[number] for number in run) for run in runs]
        for name, runs in found["runs"].items()
    }


def main() -> None:
    """Check the record, or write it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the record")
    parser.add_argument("operators", nargs="*", help="those to run, all by default")
    asked = parser.parse_args()
    if unknown := set(asked.operators) - set(CATALOGUE.own):
        parser.error(f"no operators: {', '.join(sorted(unknown))}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = seen(asked.operators)
    if asked.write:
        RECORD.write_text(text_of(found), encoding="utf-8")
    elif calls_of(found) != calls_of(record()):
        sys.exit(f"{RECORD.name} is not what operators call: run python tools/kernels.py --write")


if __name__ == "__main__":
    main()
