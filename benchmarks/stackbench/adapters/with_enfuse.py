"""enfuse: --exposure-weight=0 --saturation-weight=0 --contrast-weight=1 --hard-mask.

From PNG files; with breathing after align_image_stack -m (it may scale).
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

REQUIREMENTS = ("imageio", "numpy")
PROGRAM = "enfuse"
_WORDS = ("--exposure-weight=0", "--saturation-weight=0", "--contrast-weight=1", "--hard-mask")


def version():
    """Tell the version."""
    told = subprocess.run(["enfuse", "--version"], capture_output=True, text=True, check=False)
    return told.stdout.split("\n")[0].removeprefix("enfuse").strip()


def fusion(frames):
    """Fuse."""
    from _files import called, folder_of

    with folder_of(frames) as (folder, files):
        return called(["enfuse", *_WORDS, "-o", folder / "out.png", *files], folder / "out.png")


def breathing(frames):
    """Align, then fuse."""
    from _files import called, folder_of

    if not shutil.which("align_image_stack"):
        raise NotImplementedError("align_image_stack is not installed")
    middle = len(frames) // 2
    order = [middle, *(i for i in range(len(frames)) if i != middle)]  # the first is the reference
    with folder_of(frames[order]) as (folder, files):
        subprocess.run(
            ["align_image_stack", "-m", "-a", str(folder / "aligned_"), *files],
            capture_output=True, check=True,
        )  # fmt: skip
        aligned = sorted(str(path) for path in folder.glob("aligned_*.tif"))
        image = called(["enfuse", *_WORDS, "-o", folder / "out.png", *aligned], folder / "out.png")
    return image if image.shape == frames.shape[1:] else image[: frames.shape[1], : frames.shape[2]]
