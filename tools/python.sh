#!/bin/sh
# Prints the Python to make the environment with, or says what is missing.
#
#   tools/python.sh [PYTHON]      this one, or else the first that is fit
set -eu

# Tells what is wrong with a Python: nothing, or a line.
fault() {
    "$1" -c '
import sys
if sys.version_info < (3, 11):
    sys.exit("is Python {}.{}; 3.11 or newer is needed".format(*sys.version_info))
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv; on Debian and Ubuntu: sudo apt-get install python{}.{}-venv".format(
        *sys.version_info))
' 2>&1 || true
}

faults=
for python in ${1:-python3 python3.13 python3.12 python3.11}; do
    command -v "$python" >/dev/null || continue
    found=$(fault "$python")
    if [ -z "$found" ]; then
        command -v "$python"
        exit 0
    fi
    case $found in
        is\ * | has\ *) ;;
        *) found="does not start" ;;
    esac
    faults="$faults
    $python $found"
done

{
    echo "No Python to make the environment with (3.11 to 3.13 are tested): ${1:-python3}${faults:- not found}"
    echo "Name another one so: make PYTHON=/path/to/python3.12 ..."
} >&2
exit 1
