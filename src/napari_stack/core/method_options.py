"""`MethodOptions`: base of the small options objects of methods."""

from dataclasses import dataclass, fields
from typing import Any

from napari_stack.core.options import check


@dataclass(frozen=True)
class MethodOptions:
    """Options of a method; values out of their range are refused."""

    def __post_init__(self) -> None:
        check(type(self), self.values())

    def values(self) -> dict[str, Any]:
        """Return the options by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
