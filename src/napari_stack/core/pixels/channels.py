"""The channels of a frame: which there are, and the alpha that is none of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def colour_channels(values: NDArray[Any], alpha: bool) -> NDArray[Any]:
    """Return pixels as (y, x, channel), without the alpha that is declared to be last."""
    values = values[..., np.newaxis] if values.ndim == 2 else values
    return values[..., :-1] if alpha else values
