"""`SingleAxis`: what a stack answers just as a hyperstack of one leading axis does."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from napari_stack.core.axis import Axis
from napari_stack.core.errors import UserError

if TYPE_CHECKING:
    from napari_stack.core.stack import Stack


class SingleAxis:
    """Base of `Stack`, with the attributes that it shares with `Hyperstack`."""

    axes: tuple[Axis, Axis, Axis]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, y, x) or (n, y, x, channel)."""
        raise NotImplementedError

    @property
    def frames(self) -> Self:
        """All frames."""
        return self

    def with_frames(self, frames: "Stack") -> "Stack":
        """Return these data with other frames in the place of its own."""
        return frames

    @property
    def leading(self) -> tuple[Axis, ...]:
        """Axes before y and x."""
        return self.axes[:1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the leading axes."""
        return (self.shape[0],)

    @property
    def axis(self) -> str:
        """Name of the axis that is stacked."""
        return self.axes[0].name

    @property
    def number(self) -> int:
        """Number of the axis that is stacked."""
        return 0

    @property
    def loops(self) -> dict[str, int]:
        """Lengths of the leading axes that are not stacked, by name."""
        return {}

    def centre(self) -> dict[str, int]:
        """Where to measure by default, on the axes that are not stacked."""
        return {}

    def positions(self) -> Iterator[dict[str, int]]:
        """Go through all positions of the axes that are not stacked: there is one."""
        yield {}

    def stack(self, position: Mapping[str, Any] | None = None) -> Self:
        """Return the stack at a position of the axes that are not stacked."""
        if position:
            raise UserError(f"there is no loop {min(position)!r}; the frames lie along one axis")
        return self
