"""TIFF with layers for retouching, as Photoshop, Affinity, Krita and GIMP 3 open it; by psdtags."""

import struct
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.stack import Stack
from napari_stack.files.formats.base import needed_package
from napari_stack.files.formats.tiff import exif as tiff_exif
from napari_stack.files.write_content import Content, WriteOptions, refuse

#: Images by the names of their layers, or frames named after their files; the topmost first.
Layers = Mapping[str, Any] | Stack

#: Of a TIFF with 32-bit offsets, less what headers may take.
_MOST_BYTES = 2**32 - 2**26

#: What image editors open: whole numbers of 8 or 16 bits, and floats of 32.
_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32))


def write(path: Path, part: Path, content: Content, layers: Layers, options: WriteOptions) -> None:
    """Write an image, which other programs show, and its layers.

    Parameters
    ----------
    path : Path
        Where the file will be.
    part : Path
        Where it is written.
    content : Content
        The image.
    layers : mapping of str to array, or Stack
    options : WriteOptions

    Raises
    ------
    UserError
        For layers that do not fit the image, or are more than a TIFF holds.
    """
    import tifffile

    image = content.frames[0]
    made = []
    for number, (name, pixels) in enumerate(_named(layers)):
        made.append(_layer(path, name, pixels, image))
        if options.run.tick is not None:
            options.run.tick(number + 1, len(layers), "Writing layers")
    rgb = content.frames.rgb
    exif = tiff_exif.options(options.origin, rgb=rgb, big=False)
    tag = _tag(path, made, image, options.run.threads)
    tifffile.imwrite(
        part,
        image,
        byteorder="<",
        photometric="rgb" if rgb else "minisblack",
        extrasamples=["unassalpha"] if content.frames.alpha else None,
        compression=None if options.compression == "none" else options.compression,
        description=content.note(options.recipe).to_text(),
        metadata=None,
        **exif | {"extratags": [*exif.get("extratags", ()), tag]},
    )
    tiff_exif.append(part, options.origin, big=False)


def _tag(path: Path, layers: list[Any], image: NDArray[Any], threads: int) -> tuple[Any, ...]:
    """Make the tag that holds the layers; editors read no BigTIFF."""
    try:
        tag: tuple[Any, ...] = _source_data(path, layers, image.dtype).tifftag(maxworkers=threads)
        size = tag[2] + image.nbytes
    except struct.error:  # a length that 32 bits do not hold
        size = _MOST_BYTES
    if size >= _MOST_BYTES:
        raise UserError(
            f"{path}: a TIFF with layers holds {_MOST_BYTES / 2**30:.3g} GiB, and these "
            f"{len(layers)} layers take more: write fewer of them, or smaller ones"
        )
    return tag


def named_layers(results: Mapping[str, Any]) -> dict[str, Any]:
    """Name the layers that results of several kinds make: all frames of a stack, the first image.

    Parameters
    ----------
    results : mapping of str to Stack, Hyperstack, array or NamedTuple of arrays
    """
    layers: dict[str, Any] = {}
    for name, result in results.items():
        found = result.frames if isinstance(result, Hyperstack) else result
        if isinstance(found, Stack):
            for index in range(len(found)):
                label = f"{name} {found.source.label(index)}"
                layers[label if label not in layers else f"{label} {index}"] = found.select([index])
        else:
            layers[name] = found[0] if isinstance(found, tuple) else found
    return layers


def why_no_layers() -> str:
    """Say what is missing for files with layers, and how to install it; "" where nothing is."""
    if find_spec("psdtags") is not None:
        return ""
    return (
        "files with layers need psdtags, which is not installed: install it with pip install "
        "'napari-stack[layers]'"
    )


def check(path: Path, content: Content) -> None:
    """Refuse what image editors do not open."""
    with needed_package(str(path), "layered TIFF", "psdtags", "layers"):
        import psdtags  # noqa: F401
    stack = content.frames
    refuse({
        f"{path}: layers go to a TIFF: name a .tif": path.suffix.lower() not in (".tif", ".tiff"),
        f"{path}: beside layers one image is needed, and these are {len(stack)} frames: fuse them "
        "first": len(stack) != 1,
        f"{path}: image editors open uint8, uint16 and float32, and these are {stack.dtype}: "
        "convert them": stack.dtype not in _TYPES,
        f"{path}: layers hold grey or colours, and these are bands":
            stack.ndim == 4 and not stack.rgb,
    })  # fmt: skip


def _named(layers: Layers) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(layers, Stack):
        yield from ((layers.source.label(i), layers[i]) for i in range(len(layers)))
    else:
        for name, pixels in layers.items():
            yield name, pixels[0] if isinstance(pixels, Stack) else np.asarray(pixels)


def _layer(path: Path, name: str, pixels: NDArray[Any], image: NDArray[Any]) -> Any:
    """Make a layer: its channels, and alpha where it has some."""
    import psdtags

    colours = 1 if image.ndim == 2 else 3
    planes = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    fits = planes.shape[:2] == image.shape[:2] and planes.shape[2] in (colours, colours + 1)
    if not fits or planes.dtype != image.dtype:
        raise UserError(
            f"{path}: the layer {name!r} has the shape {pixels.shape} and {pixels.dtype} pixels, "
            f"the image {image.shape} and {image.dtype}: they must be alike"
        )
    ids = [psdtags.PsdChannelId(number) for number in range(colours)]
    ids += [psdtags.PsdChannelId.TRANSPARENCY_MASK] * (planes.shape[2] - colours)
    # Editors read zipped integers; of floats only what is packed bitwise or not at all.
    packed = psdtags.PsdCompressionType
    how = packed.ZIP if image.dtype.kind == "f" else packed.ZIP_PREDICTED
    data = [np.ascontiguousarray(planes[..., number]) for number in range(len(ids))]
    return psdtags.PsdLayer(
        name=name[:255],
        channels=[psdtags.PsdChannel(id_, how, one) for id_, one in zip(ids, data, strict=True)],
        rectangle=psdtags.PsdRectangle(0, 0, *image.shape[:2]),
        mask=psdtags.PsdLayerMask(),
        info=[psdtags.PsdString(psdtags.PsdKey.UNICODE_LAYER_NAME, name)],
    )


def _source_data(path: Path, layers: list[Any], dtype: np.dtype[Any]) -> Any:
    """Put layers together; Photoshop counts them from the lowest."""
    import psdtags

    keys = {1: psdtags.PsdKey.LAYER, 2: psdtags.PsdKey.LAYER_16, 4: psdtags.PsdKey.LAYER_32}
    return psdtags.TiffImageSourceData(
        name=path.name,
        psdformat=psdtags.PsdFormat.LE32BIT,
        layers=psdtags.PsdLayers(
            key=keys[dtype.itemsize], has_transparency=False, layers=layers[::-1]
        ),
        usermask=psdtags.PsdUserMask(
            colorspace=psdtags.PsdColorSpaceType.RGB, components=(65535, 0, 0, 0), opacity=50
        ),
        info=[],
    )
