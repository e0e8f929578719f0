"""``python -m napari_stack.cli``."""

import sys

from napari_stack.cli import main

if __name__ == "__main__":
    sys.exit(main())
