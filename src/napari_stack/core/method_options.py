"""`MethodOptions`: base of the small options objects of methods."""

from dataclasses import dataclass

from napari_stack.core.options import check


@dataclass(frozen=True)
class MethodOptions:
    """Options of a method; values out of their range are refused."""

    def __post_init__(self) -> None:
        check(type(self), vars(self))
