"""The choice of one channel of the frames."""

from napari_stack.core.errors import UserError
from napari_stack.core.stack import Stack


def check_channel(stack: Stack, channel: int | str) -> None:
    """Refuse a channel that the frames do not have; a declared alpha is none to measure on.

    Raises
    ------
    ValueError
        With the number of channels there are.
    """
    if isinstance(channel, int) and channel >= stack.channels:
        raise UserError(
            f"channel {channel} was asked for; the frames have {stack.channels}, from 0"
        )
