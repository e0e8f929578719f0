"""Photographs with EXIF and a colour profile."""

from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from napari_stack.files import read, write

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


EXPOSURE, LENS, TAKEN, FRACTION = 33434, 42036, 36867, 37521


DETAILS = {EXPOSURE: 0.004, LENS: "Macro 60 mm", TAKEN: "2026:05:04 10:11:12", FRACTION: "25"}


def photograph(path: Path, pixels: NDArray[Any], details: dict[int, Any] = DETAILS) -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[306], exif[315] = "Maker", "Model 1", "2026:05:04 10:11:13", "Me"
    exif[0x0112] = 1
    exif.get_ifd(0x8769).update(details)
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    written = path if path.suffix != ".tif" else path.with_suffix(".png")
    Image.fromarray(pixels).save(written, exif=exif, icc_profile=PROFILE, lossless=True)
    if written != path:  # Pillow leaves most of EXIF out of a TIFF
        write(path, read(written))
        written.unlink()


def assert_exif(path: Path) -> None:
    with Image.open(path) as image:
        exif = image.getexif()
        details, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
        assert [exif[tag] for tag in (271, 272, 306, 315)] == [
            "Maker", "Model 1", "2026:05:04 10:11:13", "Me",
        ]  # fmt: skip
        assert (details[LENS], details[TAKEN]) == (DETAILS[LENS], DETAILS[TAKEN])
        assert float(details[EXPOSURE]) == pytest.approx(0.004)
        assert (place[1], float(place[2][0])) == ("N", 52.0)
        assert image.info["icc_profile"] == PROFILE
