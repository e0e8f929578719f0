"""DICOM, read by pydicom: frames of a file, or the slices of a series, in one file each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
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
from napari_stack.files.formats.microscopes.dicom_values import real, reals, whole

#: Where the mark stands, and the mark.
_PLACE, _MARK = 128, b"DICM"

#: Sizes of pixels (y, x) in mm, the true ones first.
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")

_INVERTED, _PALETTE = "MONOCHROME1", "PALETTE COLOR"

#: How many times its own bytes a file may hold in pixels, where these are packed.
_DENSEST = 1024

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
            count = whole(header, "NumberOfFrames", 1)
            if not 0 < count <= _MOST:
                raise UserError(f"it claims {count} frames")
            leading = [(_frame_axis(header), count)] if count > 1 else []
            frame = _frame(header)
            _check_size(path, header, frame, count)
            return [stored_image(path, leading, frame, _plane(header))]

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
        like = self.contents(files[0])
        with self.damage_named(files[0]):
            return FileSet(files, places, series_of(headers, like))


@contextmanager
def _library(path: str) -> Iterator[None]:
    """Name the extra where pydicom is missing, and turn errors of its own kind into ours."""
    with needed_package(path, "DICOM", "pydicom", "microscopes"):
        from pydicom import errors
    try:
        yield
    except (errors.BytesLengthException, errors.InvalidDicomError) as error:
        raise UserError(str(error)) from error


class _Clipped(BufferedReader):
    """A file of which no more is read than is there: damaged lengths ask for gigabytes."""

    def __init__(self, path: str) -> None:
        super().__init__(FileIO(path))
        self._end = os.stat(path).st_size  # noqa: PTH116

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(self._end - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def _header(path: str) -> Any:
    from pydicom import dcmread

    # Where the preamble is missing, as in old files, the tags begin at once. Opened here: of what
    # is damaged, pydicom would leave the file open.
    with _Clipped(path) as file:
        header = dcmread(file, stop_before_pixels=True, force=True)
    if "Rows" not in header or "Columns" not in header:
        raise UserError("it holds no image")
    return header


def _check_size(path: str, header: Any, frame: Frame, count: int) -> None:
    """Refuse more pixels than the file can hold."""
    syntax = getattr(header.file_meta, "TransferSyntaxUID", None)
    packed = syntax is not None and (syntax.is_compressed or syntax.is_deflated)
    bits = whole(header, "BitsAllocated", 8) * whole(header, "SamplesPerPixel", 1)
    shared = 2 if "422" in str(header.get("PhotometricInterpretation")) else 1
    due = frame.shape[0] * frame.shape[1] * bits // 8 // shared * (1 if packed else count)
    stored = os.stat(path).st_size * (_DENSEST if packed else 1)  # noqa: PTH116
    if due > stored:
        raise UserError(f"{due} bytes of pixels are due, and {stored} can be there at most")


def _scaled(header: Any) -> bool:
    """Whether stored values are to be changed to what they measure."""
    slope, intercept = real(header, "RescaleSlope", 1), real(header, "RescaleIntercept")
    return "ModalityLUTSequence" in header or (slope, intercept) != (1.0, 0.0)


def _frame(header: Any) -> Frame:
    samples, colours = (
        whole(header, "SamplesPerPixel", 1),
        header.get("PhotometricInterpretation"),
    )
    height, width = whole(header, "Rows"), whole(header, "Columns")
    bits = whole(header, "BitsAllocated", 8)
    kind = "i" if header.get("PixelRepresentation", 0) else "u"
    if bits not in (1, 8, 16, 32, 64):
        raise UserError(f"it claims {bits} bits a pixel")
    if colours == _PALETTE:
        most = (reals(header, "RedPaletteColorLookupTableDescriptor", 3) or [0.0])[-1]
        return Frame((height, width, 3), np.dtype(np.uint16 if most > 8 else np.uint8), rgb=True)
    dtype = np.dtype(np.float32 if _scaled(header) else f"{kind}{max(bits // 8, 1)}")
    shape = (height, width) if samples == 1 else (height, width, samples)
    return Frame(shape, dtype, rgb=samples == 3)


def _plane(header: Any) -> tuple[Axis, Axis]:
    measures = _measures(header)
    found = [reals(part, name, 2) for name in _SPACINGS for part in (header, measures)]
    y, x = next((sizes for sizes in found if sizes), (0.0, 0.0))
    return spaced("y", y, "mm"), spaced("x", x, "mm")


def _measures(header: Any) -> Any:
    """Return the sizes that all frames of an enhanced image share."""
    shared = header.get("SharedFunctionalGroupsSequence") or [{}]
    return (shared[0].get("PixelMeasuresSequence") or [{}])[0]


def _frame_axis(header: Any) -> Axis:
    """Return the axis of the frames of a file: times, slices, or neither."""
    if vector := reals(header, "FrameTimeVector"):
        return time_axis((np.cumsum(vector) / 1000).tolist())
    if period := real(header, "FrameTime"):
        return spaced("t", period / 1000, "s")
    if offsets := reals(header, "GridFrameOffsetVector"):  # of a dose
        return z_axis(np.array(offsets))
    name = "SpacingBetweenSlices"
    between = real(header, name) or real(_measures(header), name)
    return spaced("z", abs(between), "mm") if between else Axis("frame")


def _pixels(path: str, number: int) -> NDArray[Any]:
    from pydicom import Dataset
    from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array

    header, found = _header(path), Dataset()
    syntax = getattr(header.file_meta, "TransferSyntaxUID", None)
    try:
        with _Clipped(path) as file:
            pixels = pixel_array(file if syntax else _declared(file), index=number, ds_out=found)
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


def _declared(file: BufferedReader) -> Any:
    """Read a file that does not say how its pixels are stored: as they are."""
    from pydicom import dcmread
    from pydicom.uid import ImplicitVRLittleEndian

    found = dcmread(file, force=True)
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return found


def _inverted(pixels: NDArray[Any], header: Any) -> NDArray[Any]:
    """Make 0 black: as other programs show it, values are mirrored about the middle of theirs."""
    bits, signed = whole(header, "BitsStored", 8), bool(header.get("PixelRepresentation", 0))
    total = -1 if signed else 2**bits - 1
    if pixels.dtype.kind == "f":
        slope, intercept = real(header, "RescaleSlope", 1), real(header, "RescaleIntercept")
        return np.float32(total * slope + 2 * intercept) - pixels
    return (total - pixels.astype(np.int64)).astype(pixels.dtype)
