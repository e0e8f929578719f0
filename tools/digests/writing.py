"""Cases: files written in every form, read back, and looked into by other libraries."""

import json
import re
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psdtags
import scenes
import tifffile
import zarr
from PIL import Image
from reading import glance
from scenes import as_json, frames

import napari_stack as ns
from napari_stack import files

AXES = (ns.Axis("t", 2.5, "second"), ns.Axis("y", 0.25, "micrometer"),
        ns.Axis("x", 0.25, "micrometer"))  # fmt: skip

#: Forms of a file, with the options of writing.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "tiff": ("a.tif", {}),
    **{f"tiff {c}": ("a.tif", {"compression": c}) for c in ("none", "lzw", "zstd")},
    "tiff level 9": ("a.tif", {"level": 9}),
    "ome-tiff": ("a.ome.tif", {}),
    "ome-tiff zstd": ("a.ome.tif", {"compression": "zstd"}),
    "zarr": ("a.zarr", {}),
    "zarr zstd": ("a.zarr", {"compression": "zstd", "level": 3}),
    "zarr none": ("a.zarr", {"compression": "none"}),
    "png": ("a.png", {}),
    "jpeg": ("a.jpg", {}),
}

#: Types that are written besides those of the samples.
OTHERS = ("bool", "int8", "int16", "int32", "uint32", "int64", "float16", "float64")

#: Tags of a TIFF that say how its pixels are to be taken.
TAGS = (258, 259, 262, 277, 282, 283, 284, 296, 317, 338, 339)

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    for form in FORMS:
        for kind in scenes.ALL:
            yield f"write/{form}/{kind}", partial(_written_stack, form, kind)
            yield f"write/{form}/{kind}/image", partial(_written_image, form, kind)
        for dtype in OTHERS:
            yield f"write/{form}/{dtype}", partial(_written_type, form, dtype)
        yield f"write/{form}/hyperstack", partial(_written, form, scenes.hyperstack)
        yield f"write/{form}/moved", partial(_written, form, _partly_used)
        yield f"write/{form}/again", partial(_again, form)
    yield from _folders()
    for form in ("tiff", "png", "ome-tiff", "zarr", "jpeg"):
        yield (
            f"write/{form}/transparent",
            partial(_written, form, lambda: _image("uint8 rgba"), rgb=True),
        )
    for kind in scenes.ALL:
        yield f"write/layers/{kind}", partial(_layered, kind)
    yield "write/arrays with axes", _with_axes
    yield "write/jpeg quality 40", partial(_written, "jpeg", lambda: _image("uint8"), quality=40)
    yield "write/metadata", _metadata
    yield (
        "write/odd compression",
        partial(_written, "tiff", lambda: _image("uint8"), compression="odd"),
    )
    for target in ("a.tif", "a.xyz", "none/a.tif", "folder"):
        yield f"check_target/{target}", partial(_checked, target)


def numbers_and_words(text: str) -> dict[str, Any]:
    """Take a text apart, so that its numbers are compared as numbers."""
    numbers = [float(number) for number in NUMBER.findall(text)]
    return {"words": NUMBER.sub("#", text), "numbers": np.array(numbers)}


def _image(kind: str) -> Any:
    return frames("cosmic_rays", kind)[0]


def _written(form: str, make: Any, **options: Any) -> Any:
    name, how = FORMS[form]
    path = scenes.folder() / name
    ns.write(path, make(), **how, **options)
    return written(path)


def _written_stack(form: str, kind: str) -> Any:
    pixels = np.asarray(frames("cosmic_rays", kind))[:3]
    rgb = "rgb" in kind
    return _written(form, lambda: ns.Stack.wrap(pixels, rgb=rgb, axes=AXES))


def _written_image(form: str, kind: str) -> Any:
    return _written(form, lambda: _image(kind))


def _written_type(form: str, dtype: str) -> Any:
    image = frames("cosmic_rays", "uint16")[0] // 33
    return _written(form, lambda: image > 30 if dtype == "bool" else image.astype(dtype))


def _partly_used() -> ns.Stack:
    return ns.apply_transforms(frames("drifting_cells"), scenes.drift(5, 1))


def _again(form: str) -> Any:
    """Write a file that is there: first refused, then replaced."""
    name, how = FORMS[form]
    path = scenes.folder() / name
    ns.write(path, _image("uint8"), **how)
    try:
        ns.write(path, _image("uint8"), **how)
        refused = ""
    except FileExistsError as error:
        refused = type(error).__name__
    ns.write(path, _image("uint8")[:50], **how, overwrite=True)
    return {"refused": refused, **written(path)}


def _folders() -> Iterator[tuple[str, Any]]:
    for names in ("{source}", "{index:03d}.png", "frame_{index}.jpg", "a_{source}.tif", "same.tif"):
        yield f"write/folder/{names}", partial(_folder, names)


def _folder(names: str) -> Any:
    given, place = scenes.folder(), scenes.folder()
    for number in (2, 10, 1):
        ns.write(given / f"shot{number}.tif", frames("cosmic_rays", "uint8")[number % 9])
    ns.write(place / "out", ns.read(given), names=names)
    return all_written(place)


def _layered(kind: str) -> Any:
    stack = frames("focus_series", kind)
    path = scenes.folder() / "layers.tif"
    ns.write(
        path, stack[0], rgb="rgb" in kind, layers={"top": stack[1], "frames": stack.select([2, 3])}
    )
    return written(path)


def _with_axes() -> Any:
    place, pixels = scenes.folder(), np.asarray(scenes.hyperstack())[:, :, 0]
    for name in ("a.tif", "a.ome.tif", "a.zarr"):
        ns.write(place / name, pixels, axes=["t", ns.Axis("c", labels=("red", "blue")), *AXES[1:]])
    return all_written(place)


def _metadata() -> Any:
    """Carry EXIF, colour profile and recipe from the frames' files into all that is written."""
    from PIL import ImageCms

    given, place = scenes.folder(), scenes.folder()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif.update({271: "maker", 272: "model", 306: "2020:01:02 03:04:05", 274: 6})
    for number in (1, 2):
        image = Image.fromarray(_image("uint8 rgb"))
        # createProfile notes the time: one that is always the same takes its place
        fixed = profile[:24] + bytes(12) + profile[36:]
        image.save(given / f"{number}.jpg", exif=exif, icc_profile=fixed)
    stack, recipe = ns.read(given), as_json(ns.Recipe([ns.Step("combine")]))
    for name in ("a.tif", "a.jpg", "a.png", "a.zarr", "a.ome.tif"):
        data = stack.select([0]) if name.endswith(("jpg", "png")) else stack
        ns.write(place / name, data, recipe=recipe)
    ns.write(place / "bare.jpg", stack[0], exif_from=None)
    ns.write(place / "other.tif", stack[0], exif_from=given / "2.jpg")
    return {"given": glance(stack), "files": all_written(place)}


def _checked(target: str) -> Any:
    place = scenes.folder()
    files.check_target(place / target, data=frames("cosmic_rays"))
    return "fine"


def all_written(place: Path) -> dict[str, Any]:
    """Look into all files of a folder."""
    found = [p for p in sorted(place.rglob("*")) if p.is_file() or p.suffix == ".zarr"]
    found = [p for p in found if not any(parent.suffix == ".zarr" for parent in p.parents)]
    return {str(path.relative_to(place)): written(path) for path in found}


def written(path: Path) -> dict[str, Any]:
    """Read a written file back, and look into it with the library of its format."""
    suffix = path.suffix.lower()
    if suffix in (".txt", ".csv", ".json"):
        return numbers_and_words(path.read_text(encoding="utf-8"))
    look = {".tif": _in_tiff, ".tiff": _in_tiff, ".zarr": _in_zarr}.get(suffix, _in_picture)
    recipe = json.dumps(files.read_recipe(path), sort_keys=True)
    return {"read": glance(ns.read(path)), "recipe": recipe, "inside": look(path)}


def _checksum(pixels: Any) -> str:
    pixels = np.ascontiguousarray(pixels)
    return f"{pixels.shape} {pixels.dtype} {sha256(pixels.tobytes()).hexdigest()}"


def _in_tiff(path: Path) -> dict[str, Any]:
    with tifffile.TiffFile(path) as file:
        page, series = file.pages[0], file.series[0]
        tags = {str(n): str(page.tags[n].value) for n in TAGS if n in page.tags}
        text = re.sub(r"urn:uuid:[-0-9a-f]+|UUID=\"[^\"]*\"", "uuid", page.description or "")
        told = {
            "pixels": _checksum(series.asarray()), "series": f"{series.axes} {series.shape}",
            "pages": len(file.pages), "big": file.is_bigtiff, "tags": tags,
            "description": numbers_and_words(text),
            "imagej": str(sorted((file.imagej_metadata or {}).items(), key=str)),
            "others": str(sorted(tag.code for tag in page.tags)),
        }  # fmt: skip
        told["layers"] = _layers_inside(path) if 37724 in page.tags else ""
    return told


def _layers_inside(path: Path) -> str:
    data = psdtags.TiffImageSourceData.fromtiff(path)
    return "; ".join(
        f"{layer.name} {layer.rectangle} {_checksum(layer.asarray())}" for layer in data.layers
    )


def _in_picture(path: Path) -> dict[str, Any]:
    with Image.open(path) as image:
        info = {k: _checksum(np.frombuffer(v, np.uint8)) if isinstance(v, bytes) else str(v)
                for k, v in image.info.items()}  # fmt: skip
        return {
            "mode": f"{image.format} {image.mode} {image.size}",
            "info": str(sorted(info.items())),
            "exif": str(sorted(image.getexif().items())),
            "pixels": _checksum(np.asarray(image)),
        }


def _in_zarr(path: Path) -> dict[str, Any]:
    whole = zarr.open(str(path), mode="r")
    arrays = {"": whole} if isinstance(whole, zarr.Array) else dict(whole.arrays())
    told = {f"array {name}": f"{a.chunks} {a.compressors} {_checksum(a[...])}"
            for name, a in arrays.items()}  # fmt: skip
    return {"attributes": json.dumps(dict(whole.attrs), sort_keys=True), **told}
