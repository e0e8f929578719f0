"""Install the wheel without extras in an environment of its own, and run its command line there.

Run ``python tools/check_wheel.py [WHEEL]``; without a wheel it builds one.
Neither napari nor Qt is to be there, and a recipe is to run.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]

CHECK = """
import importlib.util, pathlib, sys
for name in ("napari", "PyQt5", "PyQt6", "PySide2", "PySide6"):
    assert importlib.util.find_spec(name) is None, f"{name} was installed"
import napari_stack as ns
assert pathlib.Path(ns.__file__).is_relative_to(sys.prefix), ns.__file__
assert (pathlib.Path(ns.__file__).parent / "py.typed").exists()
ns.write("frames.tif", ns.samples.cosmic_rays(frames=10, size=(96, 112), rays=5)[0])
ns.Recipe([ns.Step("sigma_clip", save="clean_{image}.tif")]).save("clip.json")
"""


def run(*words: str | Path, folder: Path) -> None:
    """Run a command, and stop where it fails."""
    print("$", *words[:1], *(w for w in words[1:] if len(str(w)) < 80), flush=True)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([str(word) for word in words], cwd=folder, env=alone, check=True)


def main() -> None:
    """Build, install, run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 1:
            wheel = Path(sys.argv[1]).resolve()
        else:
            run(
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "-q",
                "--no-deps",
                "-w",
                folder,
                ROOT,
                folder=folder,
            )
            (wheel,) = folder.glob("*.whl")
        venv.create(folder / "env", with_pip=True)
        scripts = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        python, command = scripts / "python", scripts / "napari-stack"
        run(python, "-m", "pip", "install", "--quiet", wheel, folder=folder)
        run(python, "-c", CHECK, folder=folder)
        run(command, "--help", folder=folder)
        run(command, "combine", "frames.tif", "-o", "mean.tif", folder=folder)
        run(command, "run", "clip.json", "frames.tif", "-o", "out", folder=folder)
        assert (folder / "mean.tif").exists()
        assert list((folder / "out").glob("clean_image.tif"))
    print("The command line runs from the wheel, without napari and Qt")


if __name__ == "__main__":
    main()
