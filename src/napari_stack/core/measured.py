"""`Measured`: what values measured on a stack have in common; to files and back, and comparison."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_stack.core.errors import UserError
from napari_stack.core.system.npz import write_npz

_VERSION = 1


def frozen(values: Any, dtype: DTypeLike, ndim: int | None = None) -> NDArray[Any]:
    """Return values as an array that cannot be changed.

    Raises
    ------
    ValueError
        When they are not finite, or have another number of axes.
    """
    array = np.array(values, dtype)
    if ndim is not None and array.ndim != ndim:
        raise UserError(f"an array of {ndim} axes is needed, got the shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError("measured values need to be finite")
    array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Measured:
    """A value measured on a stack: plain, unchangeable, written to ``.json`` or ``.npz``."""

    _name: ClassVar[str] = ""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Measured) or type(self) is not type(other):
            return False
        theirs = other.values()
        return all(same(value, theirs[name]) for name, value in self.values().items())

    __hash__ = None  # type: ignore[assignment]

    def values(self) -> dict[str, Any]:
        """Return what it holds, by name."""
        names = {field.name for field in fields(self)}  # what is cached beside them is none
        return {name: value for name, value in vars(self).items() if name in names}

    def _freeze(self, dtype: DTypeLike, *names: str, ndim: int | None = None) -> None:
        """Make arrays that are given unchangeable, and of one type; for ``__post_init__``."""
        values = self.values()
        for name in names:
            if values[name] is not None:
                object.__setattr__(self, name, frozen(values[name], dtype, ndim))

    def to_json(self) -> dict[str, Any]:
        """Write the value as plain data (JSON types)."""
        values = {name: _to_json(value) for name, value in self._given().items()}
        return {"format": self._format(), "version": _VERSION, **values}

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the value to a file.

        Parameters
        ----------
        path : str or Path
            Ends with ``.json`` (to be read by people) or ``.npz`` (small and quick).
        overwrite : bool
            Replace a file that is there.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is False.
        ValueError
            For another ending.
        """
        from napari_stack.core.system.atomic_write import replacing

        suffix = _suffix(Path(path))
        with replacing(Path(path), overwrite=overwrite) as temporary:
            if suffix == ".json":
                text = json.dumps(self.to_json(), indent=1) + "\n"
                temporary.write_text(text, encoding="utf-8")
                return
            head = {"format": self._format(), "version": _VERSION}
            with temporary.open("wb") as file:
                write_npz(file, head | self._given())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a value from a file.

        Raises
        ------
        ValueError
            When the file holds something else.
        """
        read = _read_json if _suffix(Path(path)) == ".json" else _read_npz
        plain = read(Path(path))
        if not isinstance(plain, Mapping) or plain.get("format") != cls._format():
            raise UserError(f"{path} holds no {cls._name}: it lacks the format {cls._format()!r}")
        if plain.get("version") != _VERSION:
            raise UserError(f"{path} has the version {plain.get('version')}; {_VERSION} is read")
        known = {f.name for f in fields(cls)}
        try:
            return cls(**{name: plain[name] for name in plain if name in known})
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} holds a damaged {cls._name}: {error}") from error

    @classmethod
    def _format(cls) -> str:
        return f"napari-stack {cls._name}"

    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in self.values().items() if value is not None}


def same(one: Any, other: Any) -> bool:
    """Compare two values, arrays by their elements."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return one is not None and other is not None and np.array_equal(one, other)
    return bool(one == other)


def _to_json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _suffix(path: Path) -> str:
    if (suffix := path.suffix.lower()) not in (".json", ".npz"):
        raise UserError(f"{path}: measured values are written as .json or .npz")
    return suffix


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a JSON file: {error}") from error


def _read_npz(path: Path) -> Any:
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (BadZipFile, ValueError, EOFError) as error:
        raise UserError(f"{path} is not an npz file: {error}") from error
    return {name: array.item() if array.ndim == 0 else array for name, array in arrays.items()}
