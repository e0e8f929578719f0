"""focusweave: --keep-size, from PNG files; --no-align; with breathing --min-shift 0 --full-res.

With breathing its aligner does not follow these small frames, whatever of these is set.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

REQUIREMENTS = ("focusweave", "imageio")
PYTHON = (3, 12)


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("focusweave")


def _fused(frames, *options):
    from _files import called, folder_of

    program = Path(sys.executable).parent / "focusweave"
    with folder_of(frames) as (folder, _):
        out = folder.parent / f"{folder.name}_fused.png"
        try:
            return called([program, folder, "--keep-size", "--output", out, *options], out)
        finally:
            out.unlink(missing_ok=True)


def fusion(frames):
    """Fuse without aligning."""
    return _fused(frames, "--no-align")


def breathing(frames):
    """Align and fuse."""
    return _fused(frames, "--min-shift", "0", "--full-res")
