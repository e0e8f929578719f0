#!/bin/sh
# Installs the package for its tests, in the Python at hand: with the versions that are asked for.
#
#   tools/install-versions.sh newest | pinned | lowest | pre-release
set -eu
cd "$(dirname "$0")/.."

case ${1:-newest} in
newest) python -m pip install -e '.[all,test]' ;;
pinned) python -m pip install -c constraints.txt -e '.[all,test]' ;;
pre-release) python -m pip install --pre --upgrade -e '.[all,test]' ;;
lowest)
    # The lowest that pyproject.toml declares; what those need in turn, as new as it may be. A Qt
    # is declared by napari[all] alone, so it is named here; it has to know the screen of the tests.
    python -m pip install uv
    python -m uv pip install --system --resolution lowest-direct -e '.[napari,test]' \
        'pyqt6>=6.8,<6.11' 'pyqt6-qt6>=6.8,<6.11' 'sphinx>=7' 'numpydoc>=1.6'
    ;;
*)
    echo "versions are newest, pinned, lowest or pre-release, not $1" >&2
    exit 2
    ;;
esac
