"""`Facts`: what is known of frames before anything is done to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from napari_stack.core.axis import usual_name

#: What axes may be called, besides what `usual_name` knows, and what that means.
_NAMES = {
    "t": "t", "time": "t", "frames": "t", "z": "z", "focus": "z", "c": "c", "lambda": "c",
    "p": "p", "pos": "p", "position": "p", "s": "p", "scene": "p", "series": "p", "tile": "p",
    "m": "p", "mosaic": "p", "field": "p",
}  # fmt: skip

#: Loss of brightness from the first frame to the last that is more than chance.
_FADES = 0.05


@dataclass(frozen=True)
class Seen:
    """What a look at some frames shows.

    Parameters
    ----------
    frames : int
        How many were looked at.
    alike : float
        Correlation of neighbouring frames, blurred to a sixteenth of a side; the median.
    sharpness : float
        How many times sharper a place is in its sharpest frame than in its least sharp one; the
        median over places with texture.
    in_turn : float
        Share of the steps from frame to frame at which a place becomes sharper before its sharpest
        frame, and less sharp behind it. About 0.65 where sharpness only fluctuates; that too where
        nearly all are sharpest at the same end.
    brightness : tuple of float
        Mean of each frame.
    hot : float
        Pixels in a million that stand out from their neighbours in every frame.
    corners : float
        Brightness of the corners, as a share of that of the centre.
    """

    frames: int = 0
    alike: float = 1.0
    sharpness: float = 1.0
    in_turn: float = 0.65
    brightness: tuple[float, ...] = ()
    hot: float = 0.0
    corners: float = 1.0

    @property
    def flicker(self) -> float:
        """How much brightness changes over the frames, as a share of it."""
        least, most = min(self.brightness, default=0.0), max(self.brightness, default=0.0)
        return (most - least) / most if most > 0 else 0.0

    @property
    def fading(self) -> bool:
        """Whether the frames become darker all the way."""
        falls = [after < before * 1.005 for before, after in pairwise(self.brightness)]
        return len(falls) > 3 and all(falls) and self.flicker > _FADES


@dataclass(frozen=True)
class Facts:
    """What is known of frames.

    Parameters
    ----------
    sizes : mapping of str to int
        Lengths of the axes before y and x, by name, in order.
    rgb : bool
        The frames are coloured.
    camera : str
        Model of the camera that took them, by EXIF.
    interval : float, optional
        Seconds between photographs, by EXIF; the median.
    words : tuple of str
        What is found in names of files and folders: "z", "t", "tile", "focus", "burst".
    channel : int, optional
        The channel with the clearest structure, where there are several.
    spaced : bool
        It is known how far the planes of the focus lie apart.
    seen : Seen
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    rgb: bool = False
    camera: str = ""
    interval: float | None = None
    words: tuple[str, ...] = ()
    channel: int | None = None
    spaced: bool = False
    seen: Seen = Seen()

    def axis(self, meaning: str) -> str:
        """Return the name of the axis of time ("t"), focus ("z"), channels or positions ("p")."""
        long = [name for name, size in self.sizes.items() if size > 1]
        return next((name for name in long if meaning_of(name) == meaning), "")

    @property
    def nameless(self) -> list[str]:
        """Axes of several places of which it is unknown what they are."""
        return [name for name, size in self.sizes.items() if size > 1 and not meaning_of(name)]

    @property
    def photographs(self) -> bool:
        """Whether a camera took them."""
        return bool(self.camera) or self.rgb


#: Of frames that were not looked at.
NOTHING_KNOWN = Facts()


def meaning_of(name: str) -> str:
    """Return what an axis is: "t", "z", "c", "p" for positions, or "" where its name tells nothing.

    Examples
    --------
    >>> meaning_of("Time"), meaning_of("slice"), meaning_of("position"), meaning_of("frame")
    ('t', 'z', 'p', '')
    """
    return _NAMES.get(usual_name(name), "")
