"""Siril: `stack NAME rej 2.5 2.5 -nonorm` of 16-bit FITS files.

Its rejection is the winsorised one, which is its default.
"""

import subprocess
import tempfile
from pathlib import Path

REQUIREMENTS = ("astropy", "numpy")
PROGRAM = "siril-cli"


def version():
    """Tell the version."""
    told = subprocess.run(["siril-cli", "--version"], capture_output=True, text=True, check=False)
    return told.stdout.split()[-1]


def clipping(frames):
    """Clip and average."""
    import numpy as np
    from astropy.io import fits

    script = "requires 1.0.0\nset32bits\nstack frames_ rej 2.5 2.5 -nonorm -out=stacked\n"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, frame in enumerate(frames, 1):
            fits.writeto(folder / f"frames_{index:05d}.fit", frame.astype(np.uint16))
        (folder / "clip.ssf").write_text(script)
        done = subprocess.run(
            ["siril-cli", "-d", name, "-s", str(folder / "clip.ssf")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        made = next(iter(folder.glob("stacked.fit*")), None)
        if made is None:
            raise RuntimeError((done.stdout + done.stderr)[-500:])
        image = np.asarray(fits.getdata(made), float)
    return image * (65535 if image.max() <= 1 else 1)  # 32 bits are 0 to 1 there
