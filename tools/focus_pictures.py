"""Make the pictures of docs/focus-stacking.md: crops of one sample, fused in every way.

Run it as ``python tools/focus_pictures.py``; it needs no display.
"""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageDraw

import napari_stack as ns

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

#: Rows and columns of the crops: the edge of the disc, the bar, and ground behind them.
CROP = (slice(40, 168), slice(150, 278))

#: Enlargement of the crops.
ZOOM = 2


def strip(parts: dict[str, NDArray[np.uint8]], path: Path) -> None:
    """Put crops side by side, each with its name above it."""
    side = (CROP[1].stop - CROP[1].start) * ZOOM
    sheet = Image.new("RGB", (len(parts) * (side + 4) - 4, side + 16), "white")
    for number, (name, pixels) in enumerate(parts.items()):
        left = number * (side + 4)
        ImageDraw.Draw(sheet).text((left + 2, 2), name, "black")
        part = Image.fromarray(pixels[CROP]).convert("RGB")
        sheet.paste(part.resize((side, side), Image.Resampling.NEAREST), (left, 16))
    sheet.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def coloured(values: NDArray[np.floating], highest: float, colours: str) -> NDArray[np.uint8]:
    """Paint a map in a colour map of napari's, which are matplotlib's."""
    return (colormaps[colours](values / highest)[..., :3] * 255).astype(np.uint8)


def main() -> None:
    """Fuse the sample and write the pictures."""
    frames, truth = ns.samples.focus_series(frames=9, size=(256, 320), noise=3 / 255)
    fused = {
        "auto": ns.focus_stack(frames),
        "pyramid": ns.focus_stack(frames, method="pyramid"),
        "depth map": ns.focus_stack(frames, method="depth map"),
    }
    for name, made in fused.items():
        error = made.image.astype(float) - truth["image"]
        decibels = 20 * np.log10(255 / np.sqrt(np.mean(error[12:-12, 12:-12] ** 2)))
        print(f"{name}: {decibels:.1f} dB")
    images = {name: made.image for name, made in fused.items()}
    first, last = np.asarray(frames[1]), np.asarray(frames[7])
    true = np.rint(truth["image"]).astype(np.uint8)
    seen = {"frame 1": first, "frame 7": last, "in focus (truth)": true}
    strip(seen, IMAGES / "focus_frames.png")
    strip(images, IMAGES / "focus_methods.png")
    auto = fused["auto"]
    maps = {
        "depth": coloured(auto.depth, 8, "viridis"),
        "depth (truth)": coloured(truth["depth"], 8, "viridis"),
        "confidence": coloured(auto.confidence, 1, "magma"),
    }
    strip(maps, IMAGES / "focus_depth.png")


if __name__ == "__main__":
    main()
