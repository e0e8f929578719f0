"""IMS, written in the layout that Imaris publishes."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

#: Of data sets of Imaris, which are padded to whole chunks.
CHUNKS = (3, 8, 12)


def _letters(text: str) -> Any:
    return np.frombuffer(text.encode(), "S1")


def write_ims(path: Path, pixels: Any, **more: str) -> None:
    """Write (t, c, z, y, x): https://imaris.oxinst.com/support/imaris-file-format."""
    import h5py

    with h5py.File(path, "w") as file:
        image = file.create_group("DataSetInfo/Image").attrs
        for number, (name, size) in enumerate(zip("XYZ", pixels.shape[::-1], strict=False)):
            image[name] = _letters(str(size))
            image[f"ExtMin{number}"] = _letters("10")
            image[f"ExtMax{number}"] = _letters(str(10 + size * (number + 1) * 0.25))
        image["Unit"] = _letters("um")
        for c, (name, colour) in enumerate([("DAPI", "0.000 0.000 1.000"), ("GFP", "0 1 0")]):
            channel = file.create_group(f"DataSetInfo/Channel {c}").attrs
            known = {"Name": name, "Color": colour, "ColorRange": "5.000 200.000", **more}
            for key, text in known.items():
                channel[key] = _letters(text)
        times = file.create_group("DataSetInfo/TimeInfo").attrs
        for t, second in enumerate(("00.000", "02.500", "10.000")):
            times[f"TimePoint{t + 1}"] = _letters(f"2020-01-01 12:00:{second}")
        levels = [pixels, pixels[..., ::2, ::2]]
        for (level, held), (t, c) in product(enumerate(levels), np.ndindex(pixels.shape[:2])):
            name = f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}"
            padding = [
                (0, -side % chunk) for side, chunk in zip(held.shape[2:], CHUNKS, strict=True)
            ]
            data = np.pad(held[t, c], padding)
            file.create_dataset(f"{name}/Data", data=data, chunks=CHUNKS, compression="gzip")
            file[f"{name}/Histogram"] = np.zeros(256, np.uint64)
            for axis, size in zip("ZYX", held.shape[2:], strict=True):
                file[name].attrs[f"ImageSize{axis}"] = _letters(str(size))
