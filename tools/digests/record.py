"""Run the cases one by one and write what comes out of them."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import averaging
import correcting
import cv2
import focusing
import layering
import reading
import real
import registering
import scenes
import steering
import writing
from keep import MESSAGE, kept, leaves, matches, save

import napari_stack as ns

PARTS = (registering, averaging, focusing, correcting, steering, layering, writing, reading, real)

Case = tuple[str, Callable[[], Any]]


def record(path: Path, only: str, *, times: bool) -> int:
    """Run all cases, or those whose names match, and write the recording."""
    print(f"recording {Path(ns.__file__).parent}")
    if not scenes.DATA.is_dir():
        print("the shared data are not there: what reads them is skipped")
    told: dict[str, Any] = {}
    values: dict[str, Any] = {}
    took: dict[str, float] = {}
    start = perf_counter()
    with scenes.folders():
        for name, function in _cases(only):
            began = perf_counter()
            for leaf_name, leaf in _results(name, function).items():
                if leaf_name in told:
                    raise ValueError(f"two results are called {leaf_name!r}")
                told[leaf_name], sample = kept(leaf)
                if sample is not None:
                    values[leaf_name] = sample
            took[name] = perf_counter() - began
            scenes.clear()
    save(path, told, values)
    if times:
        for name in sorted(took, key=took.__getitem__)[-40:]:
            print(f"{took[name]:7.2f} s  {name}")
    raised = sum(one.get("text", "").startswith("raises ") for one in told.values())
    print(
        f"{len(told)} results of {len(took)} cases in {perf_counter() - start:.0f} s, "
        f"{raised} of them errors: {path}, {path.stat().st_size / 1e6:.1f} MB"
    )
    return 0 if told else 1


def _cases(only: str) -> Iterator[Case]:
    for part in PARTS:
        for name, function in part.cases():
            if matches(name, only):
                yield name, function


def _results(name: str, function: Callable[[], Any]) -> dict[str, Any]:
    """Run a case and take its result apart; an error is a result as well."""
    cv2.setRNGSeed(0)
    results: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = leaves(function(), name)
            results = {MESSAGE * leaf.endswith(".said") + leaf: value for leaf, value in found}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is recorded
            # The built-in kind: 0.1 raises ValueError where UserError, a kind of it, is raised now.
            kinds = (kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
            results = {name: f"raises {next(kinds).__name__}"}
            results[f"{MESSAGE}{name}"] = scenes.without_places(str(error))
    ours = {str(w.message) for w in told if issubclass(w.category, UserWarning)}
    if ours:
        results[f"{MESSAGE}{name}.warnings"] = scenes.without_places("\n".join(sorted(ours)))
    return results
