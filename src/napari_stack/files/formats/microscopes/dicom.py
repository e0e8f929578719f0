"""DICOM, read by pydicom: frames of a file, or the slices of a series, in one file each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError
from napari_stack.files.damage import UnsupportedError
from napari_stack.files.formats.array_axes import ArrayFormat, StoredImage
from napari_stack.files.formats.base import FileSet, Frame, needed_package
from napari_stack.files.formats.described import spaced, stored_image, time_axis
from napari_stack.files.formats.microscopes.dicom_series import series_of, z_axis

#: Where the mark stands, and the mark.
_PLACE, _MARK = 128, b"DICM"

#: Sizes of pixels (y, x) in mm, the true ones first.
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")

_INVERTED, _PALETTE = "MONOCHROME1", "PALETTE COLOR"

#: Most frames that a file may declare.
_MOST = 2**24


class Dicom(ArrayFormat):
    """DICOM; stored values are scaled to what they measure where the file says how."""

    name = "DICOM"
    suffixes = (".dcm", ".dicom", ".ima")
    libraries = ("pydicom", "PIL", "imagecodecs")

    @classmethod
    def recognises(cls, path: str, start: bytes) -> bool:  # noqa: ARG003
        """Many have no suffix at all."""
        if path.lower().endswith(cls.suffixes):
            return True
        if Path(path).suffix or os.path.isdir(path):  # noqa: PTH112
            return False
        with Path(path).open("rb") as file:
            return file.read(_PLACE + len(_MARK))[_PLACE:] == _MARK

    def find_images(self, path: str) -> list[StoredImage]:
        """Return the image."""
        with _library(path):
            header = _header(path)
            count = int(header.get("NumberOfFrames") or 1)
            if not 0 < count <= _MOST:
                raise UserError(f"it claims {count} frames")
            leading = [(_frame_axis(header), count)] if count > 1 else []
            return [stored_image(path, leading, _frame(header), _plane(header))]

    def read_rows(self, array: Any, place: tuple[int, ...], rows: slice) -> NDArray[Any]:  # noqa: D102
        with _library(array):
            return _pixels(array, place[-1])[rows]

    def set_of(self, files: list[str]) -> FileSet | None:
        """Return the series of slices that lie in one file each, in the order of their places."""
        if len(files) < 2 or any(len(self.contents(path).order) > 1 for path in files):
            return None
        headers = []
        for path in files:
            with self.damage_named(path), _library(path):
                headers.append(_header(path))
        places = np.stack([np.arange(len(files)), np.zeros(len(files), np.intp)], axis=1)
        return FileSet(files, places, series_of(headers, self.contents(files[0])))


@contextmanager
def _library(path: str) -> Iterator[None]:
    """Name the extra where pydicom is missing."""
    with needed_package(path, "DICOM", "pydicom", "microscopes"):
        import pydicom  # noqa: F401
    yield


def _header(path: str) -> Any:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        # Where the preamble is missing, as in old files, the tags begin at once.
        header = dcmread(path, stop_before_pixels=True, force=True)
    except InvalidDicomError as error:
        raise UserError(str(error)) from error
    if "Rows" not in header or "Columns" not in header:
        raise UserError("it holds no image")
    return header


def _scaled(header: Any) -> bool:
    """Whether stored values are to be changed to what they measure."""
    slope, intercept = header.get("RescaleSlope", 1), header.get("RescaleIntercept", 0)
    return "ModalityLUTSequence" in header or (float(slope), float(intercept)) != (1.0, 0.0)


def _frame(header: Any) -> Frame:
    samples, colours = (
        int(header.get("SamplesPerPixel", 1)),
        header.get("PhotometricInterpretation"),
    )
    height, width, bits = int(header.Rows), int(header.Columns), int(header.get("BitsAllocated", 8))
    kind = "i" if header.get("PixelRepresentation", 0) else "u"
    if bits not in (1, 8, 16, 32, 64):
        raise UserError(f"it claims {bits} bits a pixel")
    if colours == _PALETTE:
        most = header.RedPaletteColorLookupTableDescriptor[2]
        return Frame((height, width, 3), np.dtype(np.uint16 if most > 8 else np.uint8), rgb=True)
    dtype = np.dtype(np.float32 if _scaled(header) else f"{kind}{max(bits // 8, 1)}")
    shape = (height, width) if samples == 1 else (height, width, samples)
    return Frame(shape, dtype, rgb=samples == 3)


def _plane(header: Any) -> tuple[Axis, Axis]:
    measures = _measures(header)
    found = [part.get(name) for name in _SPACINGS for part in (header, measures) if name in part]
    y, x = (float(value) for value in found[0]) if found and found[0] else (0.0, 0.0)
    return spaced("y", y, "mm"), spaced("x", x, "mm")


def _measures(header: Any) -> Any:
    """Return the sizes that all frames of an enhanced image share."""
    shared = header.get("SharedFunctionalGroupsSequence") or [{}]
    return (shared[0].get("PixelMeasuresSequence") or [{}])[0]


def _frame_axis(header: Any) -> Axis:
    """Return the axis of the frames of a file: times, slices, or neither."""
    if vector := header.get("FrameTimeVector"):
        return time_axis((np.cumsum([float(value) for value in vector]) / 1000).tolist())
    if period := float(header.get("FrameTime") or 0):
        return spaced("t", period / 1000, "s")
    if offsets := header.get("GridFrameOffsetVector"):  # of a dose
        return z_axis(np.array([float(value) for value in offsets]))
    between = header.get("SpacingBetweenSlices", _measures(header).get("SpacingBetweenSlices"))
    return spaced("z", abs(float(between)), "mm") if between else Axis("frame")


def _pixels(path: str, number: int) -> NDArray[Any]:
    from pydicom import Dataset
    from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array

    header, found = _header(path), Dataset()
    syntax = getattr(header.file_meta, "TransferSyntaxUID", None)
    try:
        pixels = pixel_array(path if syntax else _declared(path), index=number, ds_out=found)
    except (NotImplementedError, RuntimeError) as error:
        name = getattr(syntax, "name", syntax)
        raise UnsupportedError(f"its pixels ({name}) cannot be decoded ({error})") from error
    colours = header.get("PhotometricInterpretation")
    if colours == _PALETTE:
        pixels = apply_color_lut(pixels, header)
        return pixels if _frame(header).dtype == np.uint16 else pixels.astype(np.uint8)
    if _scaled(header):
        pixels = apply_modality_lut(pixels, header).astype(np.float32)
    if colours == _INVERTED:  # 0 is white
        return _inverted(pixels, header)
    return pixels


def _declared(path: str) -> Any:
    """Read a file that does not say how its pixels are stored: as they are."""
    from pydicom import dcmread
    from pydicom.uid import ImplicitVRLittleEndian

    found = dcmread(path, force=True)
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return found


def _inverted(pixels: NDArray[Any], header: Any) -> NDArray[Any]:
    """Make 0 black: as other programs show it, values are mirrored about the middle of theirs."""
    bits, signed = int(header.get("BitsStored", 8)), bool(header.get("PixelRepresentation", 0))
    total = -1 if signed else 2**bits - 1
    if pixels.dtype.kind == "f":
        slope = float(header.get("RescaleSlope", 1))
        return np.float32(total * slope + 2 * float(header.get("RescaleIntercept", 0))) - pixels
    return (total - pixels.astype(np.int64)).astype(pixels.dtype)
