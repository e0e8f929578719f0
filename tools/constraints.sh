#!/bin/sh
# Writes constraints.txt: what the newest releases that fit together are, as names and versions.
#
#   tools/constraints.sh [PYTHON ...]      default: python3
#
# The first Python decides; packages that only a later one needs are added. Run it where the
# wheels of the platform that CI uses are found, then run the tests.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- python3

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

for python in "$@"; do
    "$python" -m venv "$work/venv"
    touch "$work/constraints.txt"
    "$work/venv/bin/python" -m pip install --quiet --dry-run --ignore-installed \
        --constraint "$work/constraints.txt" --report "$work/report.json" \
        --editable '.[all,test,dev,docs,distributed]'
    "$work/venv/bin/python" - "$work/report.json" "$work/constraints.txt" <<'PYTHON'
import json
import sys
from pathlib import Path

report, constraints = map(Path, sys.argv[1:])
found = {line.split("==")[0]: line for line in constraints.read_text().splitlines()}
for entry in json.loads(report.read_text())["install"]:
    package = entry["metadata"]
    if package["name"] != "napari-stack":
        found[package["name"].lower()] = f"{package['name'].lower()}=={package['version']}"
constraints.write_text("".join(f"{found[name]}\n" for name in sorted(found)))
PYTHON
    rm -r "$work/venv"
done

{
    echo "# Versions that were tested together; made by tools/constraints.sh."
    cat "$work/constraints.txt"
} >constraints.txt
