"""Formats besides TIFF, PNG and JPEG: right pixels, rows, laziness, and what is refused."""

import builtins
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from napari_stack.core.axis import Axis
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Run
from napari_stack.files import read, read_recipe, write

Noise = Callable[..., NDArray[Any]]


def frames_of(found: Stack | Hyperstack) -> Stack:
    return found.frames if isinstance(found, Hyperstack) else found


def assert_holds(path: Path, pixels: NDArray[Any]) -> Stack:
    """Read all frames, and some rows of one."""
    found = read(path)
    assert found.dtype == pixels.dtype
    np.testing.assert_array_equal(np.asarray(found).reshape(pixels.shape), pixels)
    frames = frames_of(found)
    flat = pixels.reshape(frames.shape)
    part = frames.render(len(frames) - 1, slice(2, 5))
    np.testing.assert_array_equal(part, flat[-1, 2:5])
    return frames


@pytest.mark.parametrize("suffix", ["bmp", "webp"])
@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "1"])
def test_bmp_and_webp(tmp_path: Path, noise: Noise, suffix: str, mode: str) -> None:
    image = Image.fromarray(noise(9, 12, 4, dtype="uint8")).convert(mode)
    path = tmp_path / f"a.{suffix}"
    if suffix == "webp":
        image = image.convert("RGBA" if mode == "RGBA" else "RGB")
        image.save(path, lossless=True, exact=True)
    else:
        image.save(path)
    with Image.open(path) as written:  # a BMP of Pillow has no alpha
        expected = {"P": "RGB", "1": "L"}.get(written.mode, written.mode)
        pixels = np.asarray(written.convert(expected))[np.newaxis]
    stack = assert_holds(path, pixels)
    assert (stack.rgb, stack.alpha) == (expected != "L", expected == "RGBA")


@pytest.mark.parametrize("suffix", ["webp", "png"])
@pytest.mark.parametrize("shape", [(3, 9, 12, 3), (3, 9, 12, 4), (3, 9, 12), (3, 400, 500, 3)])
def test_frames_of_an_animation(
    tmp_path: Path, noise: Noise, suffix: str, shape: tuple[int, ...]
) -> None:
    pixels = noise(*shape, dtype="uint8")
    if shape[-1] == 4:
        pixels[..., 3] |= 1  # no colour is lost where nothing is seen
    images = [Image.fromarray(frame) for frame in pixels]
    more = {"exact": True} if suffix == "webp" else {"blend": 0}
    path = tmp_path / f"a.{suffix}"
    images[0].save(path, save_all=True, append_images=images[1:], lossless=True, **more)
    if suffix == "webp" and len(shape) == 3:
        pixels = np.stack([pixels] * 3, axis=-1)
    stack = assert_holds(path, pixels)
    assert stack.alpha == (shape[-1] == 4)


def test_an_animation_that_pillow_would_spoil_is_refused(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.png"
    write(path, noise(9, 12, dtype="uint16"))
    data = path.read_bytes()
    control = b"acTL" + (2).to_bytes(4, "big") + bytes(4)
    chunk = (8).to_bytes(4, "big") + control + zlib.crc32(control).to_bytes(4, "big")
    path.write_bytes(data[:33] + chunk + data[33:])
    with pytest.raises(ValueError, match=r"a\.png.*animated PNG of 16 bits.*save its frames"):
        read(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8] = 255  # blocks of 8, which a JPEG stores exactly
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", exif=exif, lossless=True)
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    np.testing.assert_allclose(read(tmp_path / f"a.{suffix}")[0], turned, atol=1)  # type: ignore[index]


@pytest.mark.parametrize("dtype", ["uint8", "<u2", ">u2", "int32", "float32", ">f8", "bool"])
@pytest.mark.parametrize("kind", ["npy", "fortran", "packed", "stored"])
def test_arrays_of_numpy(tmp_path: Path, noise: Noise, dtype: str, kind: str) -> None:
    native = np.dtype(dtype).newbyteorder("=")
    pixels = noise(4, 9, 11, dtype=native.name).astype(dtype)
    path = tmp_path / ("a.npz" if kind in ("packed", "stored") else "a.npy")
    if kind in ("npy", "fortran"):
        np.save(path, np.asfortranarray(pixels) if kind == "fortran" else pixels)
    else:
        (np.savez_compressed if kind == "packed" else np.savez)(path, images=pixels, other=1)
    assert assert_holds(path, pixels.astype(native)).source.partial


@pytest.mark.parametrize(
    ("shape", "frame", "leading"),
    [
        ((9, 11), (9, 11), ["frame"]),
        ((9, 11, 3), (9, 11, 3), ["frame"]),
        ((5, 9, 11, 4), (9, 11, 4), ["frame"]),
        ((2, 5, 9, 11), (9, 11), ["axis0", "axis1"]),
        ((2, 3, 4), (3, 4), ["frame"]),
    ],
)
def test_axes_of_an_array(
    tmp_path: Path, noise: Noise, shape: tuple[int, ...], frame: tuple[int, ...], leading: list[str]
) -> None:
    np.save(tmp_path / "a.npy", noise(*shape))
    found = read(tmp_path / "a.npy")
    axes = found.leading if isinstance(found, Hyperstack) else found.axes[:1]
    assert [axis.name for axis in axes] == leading
    assert frames_of(found).shape[1:] == frame
    np.testing.assert_array_equal(np.asarray(found).reshape(shape), np.load(tmp_path / "a.npy"))


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (Path(tmp_path / "sprung").mkdir, ())  # type: ignore[return-value]

    objects = np.array([Trap()], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=objects)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(ValueError, match=rf"{name} is damaged.*Python objects"):
            read(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": np.zeros((3, 4)), "b": np.zeros((3, 4))}, r"\(a, b\) one must be called 'images'"),
        ({"a": np.zeros(4)}, r"shape \(4,\), which is no image"),
        ({"a": np.zeros((3, 4), complex)}, "complex128 pixels"),
    ],
)
def test_archives_without_a_clear_image(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], sentence: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=sentence):
        read(tmp_path / "a.npz")


def test_headers_that_promise_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 5)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"(4, 5), }    ", b"(444444, 5), }"[:13].ljust(13)))
    with pytest.raises(ValueError, match=r"a\.npy is damaged"):
        read(path)
    path.write_bytes(data[:-8])
    with pytest.raises(ValueError, match="160 bytes of numbers are due, and 152 are there"):
        read(path)
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", data[:-8])
    with pytest.raises(ValueError, match=r"b\.npz is damaged"):
        read(tmp_path / "b.npz")


def test_real_archives(shared_data: Path) -> None:
    for path in sorted((shared_data / "flat_field").glob("*.npz")):
        stack = read(path)
        assert isinstance(stack, Stack)
        with np.load(path, allow_pickle=False) as file:
            expected = file["images"]
        assert stack.shape == expected.shape
        np.testing.assert_array_equal(stack[len(stack) // 2], expected[len(stack) // 2])


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(9, 11), (4, 9, 11), (2, 3, 9, 11)])
def test_fits(tmp_path: Path, noise: Noise, dtype: str, shape: tuple[int, ...]) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    pixels = noise(*shape, dtype=dtype)
    fits.PrimaryHDU(pixels).writeto(tmp_path / "a.fits")
    assert assert_holds(tmp_path / "a.fits", pixels).source.partial
    extended = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels)])
    extended.writeto(tmp_path / "b.fit")
    assert_holds(tmp_path / "b.fit", pixels)


def test_a_real_telescope_frame(shared_data: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    (path,) = (shared_data / "streak").glob("*.fit*")
    stack = read(path)
    np.testing.assert_array_equal(stack[0], fits.getdata(path))  # type: ignore[index]


def test_fits_that_is_cut_off(tmp_path: Path, noise: Noise) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(noise(90, 110)).writeto(tmp_path / "a.fits")
    data = (tmp_path / "a.fits").read_bytes()
    (tmp_path / "a.fits").write_bytes(data[:9000])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy says the same in its own words
        with pytest.raises(ValueError, match=r"a\.fits is damaged"):
            np.asarray(read(tmp_path / "a.fits"))


AXES = (Axis("t", 2.0, "s"), Axis("c", labels=("DAPI", "GFP")), Axis("z", 0.5, "um"),
        Axis("y", 0.1, "um"), Axis("x", 0.1, "um"))  # fmt: skip


@pytest.mark.parametrize("compression", ["zlib", "none", "zstd"])
def test_zarr_round_trip(tmp_path: Path, noise: Noise, compression: Any) -> None:
    pytest.importorskip("zarr")
    pixels = noise(3, 2, 4, 9, 11)
    recipe = {"steps": []}
    write(tmp_path / "a.zarr", pixels, axes=AXES, recipe=recipe, compression=compression)
    found = read(tmp_path / "a.zarr")
    assert found.axes == AXES
    assert_holds(tmp_path / "a.zarr", pixels)
    assert read_recipe(tmp_path / "a.zarr") == recipe
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
    with pytest.raises(FileExistsError, match=r"a\.zarr exists already"):
        write(tmp_path / "a.zarr", pixels, axes=AXES)
    write(tmp_path / "a.zarr", pixels[:, ::-1], axes=AXES, overwrite=True)
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), pixels[:, ::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("channels", [(), (3,), (4,), (2,)])
def test_images_and_colours_in_zarr(
    tmp_path: Path, noise: Noise, channels: tuple[int, ...]
) -> None:
    pytest.importorskip("zarr")
    pixels = noise(9, 11, *channels, dtype="uint8")
    write(tmp_path / "a.zarr", pixels, rgb=channels in ((3,), (4,)))
    stack = assert_holds(tmp_path / "a.zarr", pixels[np.newaxis])
    assert (stack.rgb, stack.alpha) == (channels in ((3,), (4,)), channels == (4,))


def test_zarr_that_others_wrote(tmp_path: Path, noise: Noise) -> None:
    zarr = pytest.importorskip("zarr")
    pixels = noise(2, 3, 9, 11)
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    inner = group.create_group("0")
    array = inner.create_array("full", shape=pixels.shape, chunks=(1, 1, 3, 11), dtype="u2")
    array[:] = pixels
    axes = [{"name": "c", "type": "channel"}] + [
        {"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"
    ]
    scale = [{"type": "scale", "scale": [1, 2.0, 0.5, 0.25]}]
    datasets = [{"path": "full", "coordinateTransformations": scale}]
    inner.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    inner.attrs["omero"] = {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}
    expected = (Axis("c", labels=("DAPI", "GFP")), Axis("z", 2, "um"), Axis("y", 0.5, "um"),
                Axis("x", 0.25, "um"))  # fmt: skip
    for path in (tmp_path / "a.zarr", tmp_path / "a.zarr" / "0"):
        assert read(path).axes == expected
        assert assert_holds(path, pixels).source.partial
    bare = zarr.create_array(tmp_path / "b.zarr", shape=(2, 9, 11), chunks=(1, 9, 11), dtype=">i2")
    bare[:] = pixels[0, :2].astype("int16")
    assert not assert_holds(tmp_path / "b.zarr", pixels[0, :2].astype("int16")).source.partial
    (tmp_path / "c.zarr").mkdir()
    (tmp_path / "c.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(ValueError, match="the group holds no image"):
        read(tmp_path / "c.zarr")


def test_a_zarr_is_whole_or_absent(tmp_path: Path, noise: Noise) -> None:
    pytest.importorskip("zarr")
    stack = Stack.wrap(noise(5, 9, 11))
    before = noise(5, 9, 11)
    write(tmp_path / "a.zarr", Stack.wrap(before))

    def tick(done: int, total: int, what: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.zarr", stack, overwrite=True, run=Run(tick=tick))
    np.testing.assert_array_equal(np.asarray(read(tmp_path / "a.zarr")), before)
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "diary.txt").touch()
    with pytest.raises(FileExistsError, match="is no zarr"):
        write(tmp_path / "mine.zarr", stack, overwrite=True)
    with pytest.raises(ValueError, match="not lzw"):
        write(tmp_path / "b.zarr", stack, compression="lzw")


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("a.fits", "astropy", "fits"), ("a.nef", "rawpy", "raw"), ("a.zarr", "zarr", "zarr")],
)
def test_a_missing_package_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    path = tmp_path / name
    if name == "a.zarr":
        path.mkdir()
        (path / ".zarray").write_text("{}")
    else:
        path.write_bytes(b"SIMPLE  =" if name == "a.fits" else b"II*\0")
    found = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ValueError, match=rf"pip install 'napari-stack\[{extra}\]'"):
        read(path)


def test_a_damaged_raw_is_named(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    (tmp_path / "a.nef").write_bytes(b"II*\0" + bytes(100))
    with pytest.raises(ValueError, match=r"a\.nef is damaged"):
        read(tmp_path / "a.nef")


def test_a_raw_photograph(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    import tifffile

    mosaic = np.full((64, 96), 2000, np.uint16)
    mosaic[10:20, 30:40] = 9000
    whole, half = (1, 1), (0, 1)
    tags: list[Any] = [
        (271, "s", 0, "Maker", True), (272, "s", 0, "Model", True),
        (33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True),  # red green, green blue
        (50706, "B", 4, (1, 4, 0, 0), True), (50707, "B", 4, (1, 1, 0, 0), True),
        (50708, "s", 0, "Camera", True), (50714, "H", 1, 0, True), (50717, "I", 1, 16383, True),
        (50721, "2i", 9, (*whole, *half, *half, *half, *whole, *half, *half, *half, *whole), True),
        (50728, "2I", 3, whole * 3, True), (50778, "H", 1, 21, True),
    ]  # fmt: skip
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, mosaic, photometric="cfa", extratags=tags, metadata=None)
    stack = read(path)
    assert isinstance(stack, Stack)
    assert (stack.shape, stack.dtype, stack.rgb) == ((1, 64, 96, 3), np.uint16, True)
    assert np.ptp(stack[0][15, 35].astype(int)) < 10  # grey stays grey
    assert stack[0][15, 35, 1] > 2 * stack[0][40, 60, 1]
    np.testing.assert_array_equal(stack.render(0, slice(3, 9)), stack[0][3:9])


def test_of_a_folder_the_first_family_counts(tmp_path: Path, noise: Noise) -> None:
    np.save(tmp_path / "measured.npy", np.zeros(3))
    write(tmp_path / "a.tif", noise(4, 5))
    (tmp_path / "a.nef").write_bytes(b"II*\0")
    assert len(read(tmp_path)) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "hint"), [("U3", "them as numbers"), ("c8", "their magnitude")])
def test_numpy_of_what_cannot_be_stacked(tmp_path: Path, kind: str, hint: str) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 5)).astype(kind))
    with pytest.raises(ValueError, match=rf"a\.npy holds .* pixels.*save {hint}"):
        read(tmp_path / "a.npy")
