"""`CountsWith`: that an option counts only with some values of another one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_stack.core.options import Option


@dataclass(frozen=True)
class CountsWith:
    """Marks an option that counts only with some values of another one, or where that is on.

    It stands beside the option in a signature, several times where any of them will do.

    Parameters
    ----------
    option : str
        The other one. Where it does not count itself, neither does this.
    values : tuple
        Its values, or None alone for none; without any, all but False, 0, None, "none" and "off".

    Examples
    --------
    >>> CountsWith("method", ("sigma",)).met("min max"), CountsWith("grow").met(1.5)
    (False, True)
    >>> str(CountsWith("method", ("sigma", "linear fit")))
    'with method sigma or linear fit'
    """

    option: str
    values: tuple[Any, ...] = ()

    def met(self, value: Any) -> bool:
        """Whether a value of the other option is such a one; a method counts by its name."""
        known = method_name(type(value)) if is_dataclass(value) else value
        if self.values:
            return known is None if None in self.values else known in self.values
        if isinstance(known, str):
            return known not in ("none", "off")
        return known is not None and not (np.isscalar(known) and not known)

    def __str__(self) -> str:
        if None in self.values:
            return f"without {self.option}"
        return f"with {self.option} {' or '.join(map(str, self.values))}".rstrip()


def method_name(method: type) -> str:
    """Name of a method's options class in words.

    Examples
    --------
    >>> method_name(type("DepthMap", (), {}))
    'depth map'
    >>> method_name(type("GeneralisedESD", (), {}))
    'generalised ESD'
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", method.__name__).split()
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in words)


def counting(options: Mapping[str, "Option"], values: Mapping[str, Any]) -> set[str]:
    """Return the names of the options that count with some values; others are at their defaults."""

    def counts(option: "Option") -> bool:
        return not option.counts_with or any(
            counts(options[one.option])
            and one.met(values.get(one.option, options[one.option].default))
            for one in option.counts_with
        )

    return {name for name, option in options.items() if counts(option)}
