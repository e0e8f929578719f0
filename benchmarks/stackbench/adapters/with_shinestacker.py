"""shinestacker: PyramidAutoStack with its defaults, from PNG files, without its aligning step."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

REQUIREMENTS = ("shinestacker", "imageio")
PYTHON = (3, 12)


class _Process:
    """Stands in for the job that shinestacker tells of its progress."""

    id, name, output_path, input_path, input_full_path = 0, "", "", "", ""

    def __getattr__(self, _):
        return lambda *_, **__: True


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("shinestacker")


def fusion(frames):
    """Fuse."""
    from _files import folder_of
    from shinestacker.algorithms.pyramid_auto import PyramidAutoStack

    with folder_of(frames) as (folder, files):
        algorithm = PyramidAutoStack()
        algorithm.set_process(_Process())
        algorithm.init(files)
        if hasattr(algorithm, "set_output_filename"):
            algorithm.set_output_filename(str(folder / "out.png"))
        image = algorithm.focus_stack()
    return image[..., 0]
