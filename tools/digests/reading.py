"""Cases: files of every kind read, also all that lie in the shared data."""

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import scenes
import tifffile
from keep import about, axes_text, rendered
from PIL import Image
from scenes import frames

import napari_stack as ns
from napari_stack import files

#: Options of reading a series of files.
SERIES: tuple[dict[str, Any], ...] = (
    {}, {"every": 2}, {"start": 1}, {"start": 1, "stop": -1}, {"every": 0}, {"start": 90},
    {"order": "natural"}, {"order": "time"}, {"odd": "skip"}, {"axis": "q"},
)  # fmt: skip


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    for options in SERIES:
        yield f"read/series/{options}", partial(_series, **options)
    for axis in ("t", "c", "z", 0, -1, None):
        yield f"read/hyperstack along {axis}", partial(_hyperstack, axis)
    for suffix in ("bmp", "webp", "gif", "png", "npy", "npz", "txt"):
        for kind in ("uint8", "uint8 rgb", "uint8 rgba", "uint16", "float32 rgb"):
            yield f"read/made/{suffix}/{kind}", partial(_made, suffix, kind)
    yield "read/suffixes", lambda: f"{sorted(files.SUFFIXES)} {sorted(files.WRITTEN)}"
    for paths in ("nowhere.tif", "*.tif", "folder"):
        yield f"read/nothing/{paths}", lambda paths=paths: ns.read(scenes.folder() / paths)
    for odd in (False, True):
        yield f"read/{'odd' if odd else 'damaged'}/told", partial(_told, odd=odd)
        yield f"read/{'odd' if odd else 'damaged'}/read", partial(_spoiled, odd=odd)
    yield "read/stored as text", _named_text
    if scenes.DATA.is_dir():
        yield from _shared()


def glance(data: ns.Stack | ns.Hyperstack) -> dict[str, Any]:
    """Look at what was read: all about it, its first, middle and last frame, and a few rows."""
    stack = data if isinstance(data, ns.Stack) else data.frames
    told = about(stack)
    if stack is not data:
        told |= {"leading": axes_text(data.axes), "sizes": str(data.sizes), "axis": data.axis}
    height = stack.shape[1]
    for index in sorted({0, len(stack) // 2, len(stack) - 1}):
        told[f"frame {index}"] = stack[index]
    told["rows"] = rendered(stack, 0, slice(height // 3, height // 3 + max(1, height // 5)))
    told["source"] = stack.source.label(len(stack) - 1)
    return told


def _read(paths: Any, **options: Any) -> Any:
    return glance(ns.read(paths, **options))


def _made_series(*, odd: bool = False) -> Path:
    place = scenes.folder()
    for number in (1, 2, 10, 3, 20):
        image = frames("cosmic_rays", "uint8")[number % 9]
        tifffile.imwrite(place / f"f{number}.tif", image[:40] if odd and number == 3 else image)
    return place


def _series(**options: Any) -> Any:
    place = _made_series(odd="odd" in options)
    listed = [str(place / f"f{number}.tif") for number in (20, 1, 3, 2, 10)]
    given = {"folder": place, "glob": str(place / "f1*.tif"), "list": listed}
    if options.get("order") == "time":  # the files' own times are too close together
        given = {"list": listed[:1]}
    return {name: _read(paths, **options) for name, paths in given.items()}


def _hyperstack(axis: Any) -> Any:
    path = scenes.folder() / "h.ome.tif"
    ns.write(path, scenes.hyperstack())
    found = ns.read(path, axis=axis, every=2)
    return {"found": glance(found), "stack": glance(found.stack())}


def _made(suffix: str, kind: str) -> Any:
    """Read what another library wrote."""
    place, image = scenes.folder(), frames("cosmic_rays", kind)[0]
    path = place / f"a.{suffix}"
    if suffix == "npy":
        np.save(path, np.asarray(frames("cosmic_rays", kind)))
    elif suffix == "npz":
        np.savez(path, images=np.asarray(frames("cosmic_rays", kind)), other=np.zeros(3))
    else:
        Image.fromarray(image).save(path, format="PNG" if suffix == "txt" else None,
                                    **({"lossless": True} if suffix == "webp" else {}))  # fmt: skip
    return {"read": _read(path), "image": _image(path)}


def _image(path: Path) -> Any:
    try:
        return files.load_image(path)
    except ValueError:
        return "ValueError"


def _spoiled(*, odd: bool) -> Any:
    """Give frames of which one has another size, or lies in a file that is cut off."""
    place = _made_series(odd=odd)
    if not odd:
        (place / "f2.tif").write_bytes((place / "f2.tif").read_bytes()[:3000])
    return ns.read(place)


def _told(*, odd: bool) -> str:
    return str([Path(name).name for name in files.odd_files(_spoiled(odd=odd))])


def _named_text() -> Any:
    path = scenes.folder() / "a.tif"
    path.write_text("no picture", encoding="utf-8")
    return _read(path)


def _shared() -> Iterator[tuple[str, Any]]:
    """Read every file and folder of the shared data."""
    for path in _paths():
        name = path.relative_to(scenes.DATA).as_posix()
        yield f"read/data/{name}", partial(_read, path)
    for folder in sorted(p for p in scenes.DATA.rglob("*") if p.is_dir()):
        yield (f"read/data folder/{folder.relative_to(scenes.DATA).as_posix()}",
               partial(_read, folder))  # fmt: skip
    algae = str(scenes.DATA / "focus_algae" / "*.png")
    yield "read/data/algae every 2", partial(_read, algae, every=2)


@lru_cache(maxsize=1)
def _paths() -> list[Path]:
    found = sorted(path for path in scenes.DATA.rglob("*") if path.is_file())
    return [path for path in found if not path.name.startswith(("LICENSE", "README"))]
