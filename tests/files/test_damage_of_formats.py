"""Damaged files of the formats that libraries read: told of by name, in bounded memory."""

import gzip
import random
import warnings
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from support.damage import assert_refused, bounded_refusal, files_closed
from support.ims import write_ims
from support.pixels import Noise

Make = Callable[[Path, NDArray[Any]], None]


def _coded(encode: Callable[..., bytes], **options: Any) -> Make:
    return lambda path, pixels: _save(path, encode(pixels[0], **options))


def _save(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _czi(path: Path, pixels: NDArray[Any], **options: Any) -> None:
    czi = pytest.importorskip("pylibCZIrw.czi")
    with czi.create_czi(str(path)) as file:
        for z, plane in enumerate(pixels):
            file.write(plane[..., np.newaxis], plane={"Z": z}, **options)
        file.write_metadata("made", scale_x=1e-7)


def _mrc(path: Path, pixels: NDArray[Any]) -> None:
    with pytest.importorskip("mrcfile").new(path) as file:
        file.set_data(pixels.astype(np.int16))


def _h5(path: Path, pixels: NDArray[Any]) -> None:
    with pytest.importorskip("h5py").File(path, "w") as file:
        file.create_dataset("a", data=pixels, chunks=(1, 20, 30), compression="gzip")


def _ims(path: Path, pixels: NDArray[Any]) -> None:
    pytest.importorskip("h5py")
    write_ims(path, pixels[np.newaxis, np.newaxis])


def _dicom(name: str) -> Make:
    def make(path: Path, _: NDArray[Any]) -> None:
        pydicom = pytest.importorskip("pydicom")
        folder = Path(pydicom.__file__).parent / "data" / "test_files"
        path.write_bytes((folder / f"{name}.dcm").read_bytes())

    return make


def _movie(path: Path, pixels: NDArray[Any], codec: str, stored: str) -> None:
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 40, 64, stored
        for number, image in enumerate(pixels):
            wide = np.pad(image, [(0, 0), (0, 34)])
            frame = av.VideoFrame.from_ndarray(wide, "gray")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _ser(path: Path, pixels: NDArray[Any]) -> None:
    count, height, width = pixels.shape
    numbers = np.array([0, 0, 0, width, height, 8, count], "<i4")
    path.write_bytes(b"LUCAM-RECORDER" + numbers.tobytes() + bytes(136) + pixels.tobytes())


def _film(path: Path, pixels: NDArray[Any]) -> None:
    first, *others = [Image.fromarray(image) for image in pixels]
    first.save(path, save_all=True, append_images=others)


def _heic(path: Path, pixels: NDArray[Any]) -> None:
    heif = pytest.importorskip("pillow_heif")
    target = BytesIO()
    heif.from_bytes("L", (30, 40), pixels[0].tobytes()).save(target)
    path.write_bytes(target.getvalue())


def _fits(path: Path, pixels: NDArray[Any]) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    target = BytesIO()
    if path.suffix == ".gz":
        fits.PrimaryHDU(pixels).writeto(target)
        path.write_bytes(gzip.compress(target.getvalue()))
    else:
        fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(pixels)]).writeto(path)


def _sample(path: Path, _: NDArray[Any]) -> None:
    name = {"a.nd2": "zstack.nd2", "a.lif": "xz.lif"}[path.name]
    found = Path(__file__).parents[2] / "../shared/data/microscopes" / name
    if not found.exists():
        pytest.skip("no shared data here")
    pytest.importorskip({".nd2": "nd2", ".lif": "liffile"}[path.suffix])
    path.write_bytes(found.read_bytes())


FORMATS: dict[str, Make] = {
    "a.czi": _czi,
    "packed.czi": partial(_czi, compression_options="zstd1:ExplicitLevel=1"),
    "a.nd2": _sample,
    "a.lif": _sample,
    "a.mrc": _mrc,
    "a.h5": _h5,
    "a.ims": _ims,
    "plain.dcm": _dicom("MR_small"),
    "rle.dcm": _dicom("SC_rgb_rle_2frame"),
    "jpeg.dcm": _dicom("SC_rgb_jpeg_dcmtk"),
    "a.mp4": partial(_movie, codec="libx264", stored="yuv420p"),
    "a.mkv": partial(_movie, codec="ffv1", stored="gray"),
    "a.avi": partial(_movie, codec="mjpeg", stored="yuvj420p"),
    "a.ser": _ser,
    "a.gif": _film,
    "a.avif": lambda path, pixels: Image.fromarray(pixels[0]).save(path),
    "film.avif": _film,
    "deep.avif": _coded(imagecodecs.avif_encode, level=90),
    "a.heic": _heic,
    "a.jp2": _coded(imagecodecs.jpeg2k_encode, level=0),
    "a.jxl": _coded(imagecodecs.jpegxl_encode),
    "a.pgm": lambda path, pixels: _save(path, b"P5 30 40 255\n" + pixels[0].tobytes()),
    "a.fits.gz": _fits,
    "a.fits.fz": _fits,
}

#: These have no sums over their pixels, of which most of their bytes are.
RAW = ("a.ser", "a.pgm", "a.mrc", "plain.dcm", "a.lif", "a.nd2", "a.czi", "jpeg.dcm", "rle.dcm")


@pytest.mark.parametrize("name", FORMATS)
def test_damage_is_told_of_by_name(tmp_path: Path, noise: Noise, name: str) -> None:
    path = tmp_path / name
    pixels = noise(3, 40, 30, dtype=np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries that write
        FORMATS[name](path, pixels)
    least = 1 if name in RAW else 3
    assert_refused(path, path.read_bytes(), random.Random(name), count=14, least=least)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_cut_off_is_told_of(tmp_path: Path, noise: Noise, name: str) -> None:
    path = tmp_path / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        FORMATS[name](path, noise(3, 40, 30, dtype=np.uint8))
    whole = path.read_bytes()
    generator = random.Random(name)
    lengths = [generator.randrange(20, len(whole) // 2) for _ in range(6)]
    path.unlink()
    with files_closed():
        for number, length in enumerate(lengths):
            part = path.with_name(f"{number}{name}")
            part.write_bytes(whole[:length])
            error = bounded_refusal(part)
            assert part.name in str(error), f"{length} bytes of {len(whole)}"
