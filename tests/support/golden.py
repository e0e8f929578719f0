"""What the golden files hold; run with napari-stack 0.1, it writes them anew.

They stay as version 0.1.0 wrote them: what it wrote must open with the same pixels, axes and values
in every later version.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_stack as ns

FOLDER = Path(__file__).parents[1] / "files" / "golden"

PLANE = (ns.Axis("y", 0.325, "um"), ns.Axis("x", 0.25, "um"))
RECIPE = {"format": "napari-stack recipe", "steps": [{"operator": "register", "name": "müde"}]}
USED = np.array([True, False, True, True])


def pixels(*shape: int, dtype: str = "uint16") -> NDArray[Any]:
    """Pixels that are different everywhere along each axis, and the same in every version."""
    values = np.arange(np.prod(shape)).reshape(shape) * 31 % 251
    return (values / 4).astype(dtype) if dtype.startswith("float") else values.astype(dtype)


#: Pixels, axes but y and x, and options of writing, by the name of the file.
ARRAYS: dict[str, tuple[NDArray[Any], tuple[ns.Axis, ...], dict[str, Any]]] = {
    "imagej.tif": (
        pixels(2, 3, 2, 9, 11),
        (
            ns.Axis("t", 2.5, "s"),
            ns.Axis("z", 0.5, "um"),
            ns.Axis("c", labels=("DAPI", "GFP & co")),
        ),
        {"compression": "lzw"},
    ),
    "described.tif": (
        pixels(2, 3, 9, 11, dtype="float64"),
        (ns.Axis("q", 3.0, "V"), ns.Axis("b")),
        {},
    ),
    "big.ome.tif": (
        pixels(2, 3, 9, 11),
        (ns.Axis("c", labels=("DAPI", "GFP & co")), ns.Axis("z", 0.5, "um")),
        {"compression": "none"},
    ),
    "image.png": (pixels(9, 11, 3, dtype="uint8"), (), {}),
    "grey.jpg": (np.full((16, 24), 77, np.uint8), (), {}),
    "volume.zarr": (
        pixels(2, 3, 9, 11, dtype="float32"),
        (ns.Axis("t", 2.5, "s"), ns.Axis("z", 0.5, "um")),
        {},
    ),
}

#: Frames of which one is not used: the file, and the type of the pixels.
PARTLY_USED = {"used_imagej.tif": "uint8", "used_described.tif": "int16", "used.zarr": "uint16"}

SHIFTS = np.array(
    [[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0.8, -0.6, 3.25], [0.6, 0.8, -1.5], [0, 0, 1]]], float
)
TRANSFORMS = {
    "matrices": SHIFTS,
    "quality": [1.0, 0.75],
    "failed": [False, False],
    "size": (90, 110),
    "pixel": (0.325, 0.25, "um"),
    "reference": 0,
}
ENDINGS = ("json", "csv", "txt", "npy")

#: Classes of measured values, and what they are made of.
MEASURED: dict[str, dict[str, Any]] = {
    "Gains": {
        "gains": [[1.0, 1.0, 1.0], [1.25, 0.5, 2.0]],
        "channels": "rgb",
        "top": 255.0,
        "clipped": [0, 7],
    },
    "Bleaching": {
        "method": "exponential",
        "gains": [[1.0], [1.5]],
        "means": [[9.0], [6.0]],
        "fitted": [[9.0], [6.0]],
        "decay": [[6.0, 2.0, 3.0]],
    },
    "Vignetting": {
        "size": (9, 11),
        "centres": [[[5.0, 4.0]]],
        "parameters": [[[-0.25, 0.125, 0.5]]],
        "max_correction": 0.75,
    },
    "FlatField": {"gain": np.linspace(0.5, 1.5, 20, dtype=np.float32).reshape(4, 5), "alpha": True},
    "HotPixels": {"mask": np.eye(4, 5) > 0, "method": "median", "kernel_size": 5},
}


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name, (data, leading, options) in ARRAYS.items():
        axes = (*leading, *PLANE)
        ns.write(FOLDER / name, data, axes=axes, recipe=RECIPE, overwrite=True, **options)
    for name, dtype in PARTLY_USED.items():
        stack = replace(
            ns.Stack.wrap(pixels(4, 9, 11, dtype=dtype), axes=(ns.Axis("z", 2.0, "um"), *PLANE)),
            used=USED,
        )
        ns.write(FOLDER / name, stack, recipe=RECIPE, overwrite=True)
    for ending in ENDINGS:
        ns.Transforms(**TRANSFORMS).save(FOLDER / f"transforms.{ending}", overwrite=True)
    for kind, values in MEASURED.items():
        for ending in ("json", "npz"):
            getattr(ns, kind)(**values).save(FOLDER / f"{kind.lower()}.{ending}", overwrite=True)


if __name__ == "__main__":
    main()
