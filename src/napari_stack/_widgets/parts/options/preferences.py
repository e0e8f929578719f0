"""What the user set in napari's Preferences, and the values that a dock was last run with."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.settings import get_settings

from napari_stack.core.options import Option, options_of
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.core.point_pairs import PointPairs
from napari_stack.core.strokes import Strokes
from napari_stack.core.system.atomic_write import write_text
from napari_stack.engine.run import Run

_PLUGIN = "napari-stack"

#: Lies beside napari's own settings, and so follows NAPARI_CONFIG.
_FILE = "napari-stack-last-used.json"

#: Options that take the number of a frame: another series has other frames.
_FRAME_NUMBERS = ("reference",)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Preferences:
    """The settings of the manifest's `configurations`, at their defaults.

    Parameters
    ----------
    memory : float
        GiB that pixels may take.
    workers : int
        Threads; 0 stands for all processors.
    scratch : str
        Folder of scratch files; "" stands for that of the system.
    interpolation : str
        What docks begin with that interpolate.
    """

    memory: float = 1.0
    workers: int = 0
    scratch: str = ""
    interpolation: str = "cubic"

    @property
    def run(self) -> Run:
        """How docks run."""
        return Run(self.workers or None, int(self.memory * 2**30), scratch=self.scratch or None)

    def options(self, operator: Callable[..., Any]) -> dict[str, Any]:
        """Options that an operator's dock begins with; those at their default are left out."""
        option = options_of(operator).get("interpolation")
        if option is None or self.interpolation == option.default:
            return {}
        fits = option.validation_error(self.interpolation) is None
        return {"interpolation": self.interpolation} if fits else {}


def preferences() -> Preferences:
    """Read napari's Preferences; where napari has none for plugins (before 0.9), the defaults."""
    if _never_set():
        return Preferences()
    try:
        from napari.settings import get_plugin_settings

        run = get_plugin_settings(_PLUGIN).running
        memory, workers = max(float(run.memory), 2**-10), max(int(run.workers), 0)
        return Preferences(memory, workers, run.scratch.strip(), run.interpolation)
    except (ImportError, KeyError, AttributeError):
        return Preferences()


def _never_set() -> bool:
    """Tell without asking napari, which reads the manifests of all plugins when first asked.

    That takes a third of a second, in which a dock should open. napari writes the file of a
    plugin's settings as soon as one is changed.
    """
    path = _path()
    return path is not None and not path.with_name(f"{_PLUGIN}.yaml").exists()


def last_used(operator: Callable[..., Any]) -> dict[str, Any]:
    """Return the options that an operator's dock was last run with.

    What this version does not know, or what is out of range by now, is left out.
    """
    return known_options(operator, kept(operator.__name__))


def known_options(operator: Callable[..., Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Read options from plain data of any version, without those that do not fit this one."""
    known = options_of(operator)
    found: dict[str, Any] = {}
    for name, value in plain.items():
        try:
            found |= options_from_json(operator, {name: value})
        except (ValueError, TypeError) as error:
            _log.info("not taken from the last time: %s", error)
    return {n: value for n, value in found.items() if not _of_the_data(known[n], value)}


def remember_options(operator: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Keep the options of an operator for its next dock; images are not kept, nor defaults.

    A folder that cannot be written loses them, and nothing else.
    """
    plain = plain_options(operator, options)
    if chosen := options.get("interpolation"):  # else that of the Preferences would take its place
        plain["interpolation"] = chosen
    keep(operator.__name__, plain)


def plain_options(operator: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as JSON types, but for defaults and what belongs to the data at hand."""
    known = options_of(operator)
    plain: dict[str, Any] = {}
    for name, value in options.items():
        if value is not known[name].default and not _of_the_data(known[name], value):
            plain |= options_to_json(operator, {name: value})
    return plain


def kept(name: str) -> Mapping[str, Any]:
    """Return what was kept by a name: plain data of any version, or nothing."""
    found = _read().get(name, {})
    return found if isinstance(found, Mapping) else {}


def keep(name: str, plain: Mapping[str, Any]) -> None:
    """Keep plain data by a name; a folder that cannot be written loses them, and nothing else."""
    path, everything = _path(), _read()
    if path is None or everything.get(name, {}) == plain:
        return
    everything[name] = dict(plain)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(everything, indent=1), overwrite=True)
    except OSError as error:
        _log.warning("the options are not kept for the next time: %s", error)


def _of_the_data(option: Option, value: Any) -> bool:
    """Tell what belongs to the data at hand: arrays, files, layers and numbers of frames."""
    if option.name in _FRAME_NUMBERS and isinstance(value, int | np.integer):
        return True
    if option.kind in (np.ndarray, PointPairs, Strokes):
        return True
    if type(value) not in option.methods.values():
        return False
    own = options_of(type(value))
    return any(_of_the_data(own[name], part) for name, part in vars(value).items() if part)


def _path() -> Path | None:
    settings = get_settings().config_path
    return None if settings is None else Path(settings).with_name(_FILE)


def _read() -> dict[str, Any]:
    path = _path()
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be read, so docks begin with their defaults: %s", path, error)
        return {}
    return found if isinstance(found, dict) else {}
