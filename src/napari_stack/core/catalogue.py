"""`CATALOGUE`: the entries of all operators, those of installed packages among them."""

from collections.abc import Callable, Iterator, MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from napari_stack.core.errors import UserError
from napari_stack.core.notices import warn_caller
from napari_stack.core.operator import Lazy, Operator, resolve

#: Entry points of this group name operators of other packages.
GROUP = "napari_stack.operators"


class Catalogue(MutableMapping[str, Operator]):
    """Entries by name: the project's own, then those of installed packages.

    The packages are asked once, when all entries are listed or a name is not among the own.

    Parameters
    ----------
    reserved : callable or str
        Gives the names that no installed operator may bear.
    """

    def __init__(self, reserved: Lazy) -> None:
        self._reserved = reserved
        self.own: dict[str, Operator] = {}
        self._installed: dict[str, Operator] | None = None

    @property
    def installed(self) -> dict[str, Operator]:
        """Entries of installed packages; what is broken is left out, with a warning."""
        if self._installed is None:
            self._installed, left_out = {}, []
            for point in entry_points(group=GROUP):
                try:
                    if point.name in {*self.own, *self._installed, *resolve(self._reserved)()}:
                        raise UserError("the name is taken")
                    self._installed[point.name] = _loaded(point)
                # Importing a package of others may raise anything; it must not stop ours.
                except Exception as error:  # noqa: BLE001
                    package = point.dist.name if point.dist else point.value
                    left_out.append(
                        f"the operator {point.name!r} of the package {package} is left out: "
                        f"{type(error).__name__}: {error}"
                    )
            for text in left_out:
                warn_caller(text)
        return self._installed

    def __getitem__(self, name: str) -> Operator:
        return self.own[name] if name in self.own else self.installed[name]

    def __setitem__(self, name: str, entry: Operator) -> None:
        self.own[name] = entry

    def __delitem__(self, name: str) -> None:
        del self.own[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.own
        yield from (name for name in self.installed if name not in self.own)

    def __len__(self) -> int:
        return len(set(self.own) | set(self.installed))


def _loaded(point: EntryPoint) -> Operator:
    if not (point.name.isidentifier() and point.name.islower()):
        raise UserError("a name is needed of lower-case letters, digits and underscores")
    found = point.load()
    if not callable(found):
        raise UserError(f"{point.value} is neither a function nor an Operator")
    entry = found if isinstance(found, Operator) else Operator(found)
    entry.check()
    return entry


#: Filled by `napari_stack.operators`.
CATALOGUE = Catalogue(reserved="napari_stack.operators:reserved_names")


def entry_of(function: Callable[..., Any]) -> Operator:
    """Return the catalogue's entry of a function; of any other, one that its signature makes."""
    if isinstance(function, Operator):
        return function
    return next((e for e in CATALOGUE.values() if e.is_of(function)), None) or Operator(function)
