"""What the quality of frames tells in plain words; see `summaries`."""

import numpy as np

from napari_stack.core.notices import names_text, number_text
from napari_stack.core.said import Outcome, Said
from napari_stack.operators.inspection.quality import FrameQuality

#: Ratio of the best to the worst frame that is worth a word.
_DIFFERS = 1.2


def quality(outcome: Outcome) -> list[Said]:
    """Tell what is wrong with which frames, and how much the others differ."""
    found: FrameQuality = outcome.images["table"]
    faults = np.array(found.faults)
    count, good = int(found.used.sum()), found.used & (faults == "")
    said = [
        Said(f"{good.sum()} of {count} frames without a fault", "Select", opens="Select Frames")
    ]
    for fault in dict.fromkeys(faults[faults != ""].tolist()):
        which = np.flatnonzero(faults == fault)
        what = fault.removeprefix("are left out: they ")
        names = names_text(which, lambda i: found.labels[i])
        said.append(Said(f"{len(which)} of {count} frames {what}: {names}"))
    sharpness, noise, motion = (found.columns[n][good] for n in ("sharpness", "noise", "motion"))
    if good.sum() > 1 and sharpness.min() > 0 and noise.min() > 0:
        sharper, noisier = sharpness.max() / sharpness.min(), noise.max() / noise.min()
        if sharper > _DIFFERS:
            times = number_text(sharper, 2)
            said.append(Said(f"The sharpest has {times} times the details of the least sharp"))
        if noisier > _DIFFERS:
            times = number_text(noisier, 2)
            said.append(Said(f"The noisiest has {times} times the noise of the least noisy"))
    if np.isfinite(motion).sum() > 1:
        furthest = number_text(np.nanmax(motion), 2)
        said.append(Said(f"Frames lie up to {furthest} px from a sharp one"))
    return said


def selection(outcome: Outcome) -> list[Said]:
    """Tell how many frames are used from now on."""
    if (frames := outcome.frames) is None:
        return []
    used = int(frames.used.sum())
    text = f"{used} of {len(frames)} frames are used; the others stay in the layer, left out"
    return [Said(text, "Look", opens="Frame Inspector")]
