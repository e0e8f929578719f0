"""Cases: data with more axes, ways to run, recipes, and the command line."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from typing import Any

import dask.array
import numpy as np
import scenes
from scenes import as_json, frames
from writing import all_written

import napari_stack as ns
from napari_stack.cli import main
from napari_stack.operators import CATALOGUE

#: Operators on a hyperstack, each along an axis and measured somewhere.
MAPPED: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "register t": ("t", ns.register, {"transform": "translation"}),
    "register at": ("t", ns.register, {"measure_at": {"c": 1, "z": 0}}),
    "register mean": ("t", ns.register, {"measure_at": {"c": 0, "z": "mean"}}),
    "register maximum": ("t", ns.register, {"measure_at": {"z": "maximum"}}),
    "register each": ("t", ns.register, {"measure_each": True, "transform": "translation"}),
    "register nowhere": ("t", ns.register, {"measure_at": {"q": 1}}),
    "combine z": ("z", ns.combine, {}),
    "combine t": ("t", ns.combine, {"method": "median"}),
    "combine at": ("t", ns.combine, {"measure_at": {"c": 1}}),
    "sigma_clip t": ("t", ns.sigma_clip, {"details": True, "sigma": 1.0}),
    "focus_stack z": ("", ns.focus_stack, {}),
    "focus_stack at": ("z", ns.focus_stack, {"measure_at": {"c": 1}}),
    "focus_stack at t": ("z", ns.focus_stack, {"measure_at": {"t": 0}, "method": "pyramid"}),
    "focus_stack both": ("z", ns.focus_stack, {"measure_at": {"c": 1, "t": 0}}),
    "focus_stack distance": ("z", ns.focus_stack, {"depth_unit": "distance", "method": "pyramid"}),
    "focus_stack image": ("z", ns.focus_stack, {"depth": False, "method": "depth map"}),
    "focus_slabs": ("z", ns.focus_slabs, {"frames": 2, "overlap": 1}),
    "moving_average": ("t", ns.moving_average, {"frames": 2}),
    "balance": ("t", ns.balance, {}),
    "balance each": ("t", ns.balance, {"measure_each": True, "mapping": "gamma"}),
    "correct_bleaching": ("t", ns.correct_bleaching, {"method": "ratio"}),
    "find_hot_pixels": ("t", ns.find_hot_pixels, {}),
    "transform_frames": ("t", ns.transform_frames, {"rotate": 90.0, "resize": "by factor"}),
    "sharpen": ("z", ns.sharpen, {}),
}

#: Commands, as they are typed after the name of the program.
TYPED: dict[str, str] = {
    "register": "register IN -o OUT/moved.tif --transform translation --framing common",
    "register phase": "register IN -o OUT/moved --method phase --transform translation",
    "sigma clip": "sigma-clip IN -o OUT/clean_{image}.tif --sigma 2 --spread MAD --centre median",
    "combine": "combine IN -o OUT/mean.png --method median --every 2 --start 1",
    "focus stack": "focus-stack IN -o OUT/{image}.tif --method pyramid --pyramid-kernel-size 7",
    "slabs": "focus-slabs IN -o OUT/slabs --frames 4 --overlap 1",
    "transform": "transform-frames IN -o OUT/small.tif --rotate 90 --grow",
    "hot pixels": "find-hot-pixels IN -o OUT/hot.png",
    "vignetting": "correct-vignetting IN -o OUT/light.zarr",
    "recipe": "run RECIPE IN -o OUT",
    "recipe each": "run RECIPE IN/0.tif IN -o OUT --each",
    "no output": "combine IN",
    "no such option": "combine IN -o OUT/a.tif --methd mean",
    "bad value": "sigma-clip IN -o OUT/a.tif --sigma -1",
    "no input": "combine NOWHERE -o OUT/a.tif",
    "bad suffix": "combine IN -o OUT/a.xyz",
    "help": "focus-stack --help",
}


def cases() -> Iterator[tuple[str, Any]]:
    """Give all cases, each with its name."""
    for name, (axis, operator, options) in MAPPED.items():
        yield f"hyperstack/{name}", partial(_mapped, axis, operator, **options)
    yield "hyperstack/in a row", _row_of_axes
    for axis in ("t", "c", "z", "-3", 1, 7):
        yield f"hyperstack/along {axis}", lambda axis=axis: scenes.hyperstack().along(axis).stack()
    for how in ("mean", "maximum", 1, -1, 9):
        yield (f"hyperstack/projected {how}",
               lambda how=how: scenes.hyperstack().along("t").stack({"z": how}))  # fmt: skip
    yield from _runs()
    yield from _sources()
    for path in sorted(scenes.EXAMPLES.glob("*.json")):
        yield f"recipe/{path.stem}", partial(_recipe, path)
        yield f"recipe/{path.stem}/hyperstack", partial(_recipe, path, several=True)
    for name, words in TYPED.items():
        yield f"command/{name}", partial(_typed, words)


def _mapped(axis: str, operator: Any, **options: Any) -> Any:
    data = scenes.hyperstack()
    return (data.along(axis) if axis else data).map(operator, **options)


def _row_of_axes() -> Any:
    moved = _mapped("t", ns.register, measure_at={"c": 0, "z": 2})
    return moved.along("z").map(ns.focus_stack, measure_at={"c": 1}, true_colours=True)


def _runs() -> Iterator[tuple[str, Any]]:
    """Run operators of whole images in little memory, with one worker and with three."""
    runs = {"memory": ns.Run(memory=2**20), "one": ns.Run(workers=1), "three": ns.Run(workers=3)}
    for name, run in runs.items():
        for operator in CATALOGUE:
            yield f"run/{name}/{operator}", partial(_run, operator, run)
    yield "run/ticks", _ticks
    yield "run/cancelled", partial(_cancelled, "combine")
    yield "run/no worker", lambda: ns.Run(workers=0).workers


def _run(operator: str, run: ns.Run) -> Any:
    sample = "focus_series" if operator.startswith("focus") else "cosmic_rays"
    stack = frames(sample, "uint8 rgb", frames=7, size=(160, 200))
    return CATALOGUE[operator](stack, run=run)


def _ticks() -> Any:
    seen = []
    ns.combine(frames("cosmic_rays"), run=ns.Run(workers=1, tick=lambda *told: seen.append(told)))
    return str(seen[-1])


def _cancelled(operator: str) -> Any:
    def stop(*_: Any) -> None:
        raise ns.Cancelled

    return CATALOGUE[operator](frames("cosmic_rays"), run=ns.Run(tick=stop))


def _sources() -> Iterator[tuple[str, Any]]:
    """Take the same frames out of arrays of several kinds."""
    pixels = np.asarray(frames("cosmic_rays"))
    yield "wrap/dask", lambda: ns.combine(ns.Stack.wrap(dask.array.from_array(pixels)))
    for dtype in ("bool", "int8", "int16", "int32", "uint32", "int64", "float16", "float64",
                  "complex64"):  # fmt: skip
        made = partial(_converted, pixels, dtype)
        yield f"wrap/{dtype}", made
        yield f"wrap/{dtype}/combined", lambda made=made: ns.combine(made())
        yield (f"wrap/{dtype}/moved and clipped", lambda made=made: ns.sigma_clip(
            ns.apply_transforms(made(), scenes.drift(9))))  # fmt: skip
    yield "wrap/to dask", lambda: scenes.moved().to_dask().compute(scheduler="synchronous")
    for shape in ((9,), (0, 4, 4), (2, 3, 4, 5, 6)):
        yield f"wrap/shape {shape}", lambda shape=shape: ns.Stack.wrap(np.zeros(shape, np.uint8))


def _converted(pixels: Any, dtype: str) -> Any:
    return ns.Stack.wrap((pixels > 900) if dtype == "bool" else (pixels // 33).astype(dtype))


def _recipe(path: Any, *, several: bool = False) -> Any:
    recipe, place = ns.Recipe.load(path), scenes.folder()
    focus = path.stem.startswith(("focus", "macro"))
    data: Any = frames("focus_series" if focus else "cosmic_rays", "uint8 rgb", frames=9)
    if several:
        data = scenes.hyperstack()
    results = recipe.run(data, folder=place)
    recipe.save(place / "recipe.txt")
    same = as_json(ns.Recipe.load(place / "recipe.txt")) == as_json(recipe)
    return {"results": results, "files": all_written(place), "same": same,
            "script": recipe.to_script()}  # fmt: skip


def _typed(words: str) -> Any:
    """Type a command; what it says is a message, its status and files are results."""
    given, place = scenes.folder() / "frames", scenes.folder()
    given.mkdir()
    for number, frame in enumerate(frames("focus_series", "uint8", frames=6)):
        ns.write(given / f"{number}.tif", frame)
    recipe = str(scenes.EXAMPLES / "register-sigma-clip.json")
    names = {"OUT": str(place), "IN": str(given), "RECIPE": recipe}
    typed = [_named(word, names) for word in words.split()]
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = main(typed)
    told = re.sub(r"done in .* s\n", "done\n", scenes.without_places(said.getvalue()))
    return {"status": status, "files": all_written(place), "said": told}


def _named(word: str, names: dict[str, str]) -> str:
    head, slash, rest = word.partition("/")
    return names.get(head, head) + slash + rest
