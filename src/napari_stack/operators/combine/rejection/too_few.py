"""Why `sigma_clip` rejects nothing of so few frames."""

from typing import Any

import numpy as np

from napari_stack.operators.combine.rejection.methods import Centre, Rejection, Spread


def _reach(frames: int, centre: str, spread: str) -> float:
    """Distance, in units of the spread, that no value of so few frames can exceed."""
    if frames < 3:
        return 0.0
    if spread != "standard deviation":
        return float("inf")
    root = float(np.sqrt(frames - 1))
    return root if centre == "mean" else frames / root


def why_not_clipped(
    frames: int,
    method: Rejection = "sigma",
    sigma: float = 2.5,
    sigma_low: float = 0.0,
    sigma_high: float = 0.0,
    iterations: int = 5,
    centre: Centre = "mean",
    spread: Spread = "standard deviation",
    **_others: Any,
) -> str:
    """Say why `sigma_clip` with these options rejects nothing of so few frames, or return ""."""
    nearest = min(sigma_low or sigma, sigma_high or sigma)
    if method != "sigma":
        return _too_few_to_reject(frames)
    reach = _reach(frames, centre, spread)
    if not iterations:
        return ""
    if nearest < reach:
        if nearest != _DEFAULT or nearest < _HARDLY * reach:
            return ""
        return (
            f"{frames} frames can hardly be clipped at {nearest:g} sigma: no value of so few can "
            f"lie further than {np.floor(100 * reach) / 100:.2f} from their {centre}, and only one "
            "far out does so; choose method='auto', a lower sigma, or spread='MAD' with "
            "centre='median'"
        )
    return _cannot_clip(frames, nearest, centre, spread)


#: Sigma that was not chosen, and the share of the greatest distance possible above which it only
#: rejects values that lie 8 sigma of the others out, as of 8 frames.
_DEFAULT, _HARDLY = 2.5, 0.94


def _too_few_to_reject(frames: int) -> str:
    if frames > 2:
        return ""
    count = "one frame" if frames == 1 else f"{frames} frames"
    return f"nothing of {count} can be rejected: they are averaged; use 3 frames or more"


def _cannot_clip(frames: int, sigma: float, centre: str, spread: str) -> str:
    least = 3
    while sigma >= _reach(least, centre, spread):
        least += 1
    count = "one frame" if frames == 1 else f"{frames} frames"
    text = (
        f"{count} cannot be clipped at {sigma:g} sigma: no value of so few can lie that far from "
        f"their {centre}; use {least} frames or more"
    )
    if frames < 3:
        return text
    reach = np.floor(100 * _reach(frames, centre, spread)) / 100
    return f"{text}, a sigma below {reach:.2f}, or spread='MAD' with centre='median'"
