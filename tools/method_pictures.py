"""Draw the pictures of docs/methods.md, from the formulas and from samples.

Run ``python tools/method_pictures.py [FOLDER]``; by default they go to docs/images.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

FOLDER = Path(__file__).parents[1] / "docs" / "images"


def keys(x: np.ndarray) -> np.ndarray:
    """Return the cubic kernel of Keys with a = -1/2."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def interpolation(figure: plt.Figure) -> None:
    """Draw the kernels, and what they keep of each frequency at the worst shift, half a pixel."""
    left, right = figure.subplots(1, 2)
    x = np.linspace(-2.5, 2.5, 401)
    left.plot(x, keys(x), label="cubic (Keys)")
    left.plot(x, np.clip(1 - np.abs(x), 0, None), label="linear")
    left.set(title="kernel", xlabel="distance (px)")
    frequency = np.linspace(0, 0.5, 101)
    taps = np.array([-1.5, -0.5, 0.5, 1.5])
    waves = np.cos(2 * np.pi * frequency[:, None] * taps)
    right.plot(frequency, waves @ keys(taps))
    right.plot(frequency, np.cos(np.pi * frequency))
    right.set(title="kept at a shift of 0.5 px", xlabel="cycles in a pixel", ylim=(0, 1.1))
    left.legend()


def clipping(figure: plt.Figure) -> None:
    """Draw how far a value can lie from the mean, for so many frames."""
    axes = figure.subplots()
    frames = np.arange(2, 31)
    axes.plot(frames, np.sqrt(frames - 1), "o-")
    for sigma in (2.5, 3.0):
        axes.axhline(sigma, color="grey", linestyle="--")
        axes.text(26, sigma + 0.1, f"sigma {sigma:g}")
    axes.set(
        title="farthest that one value can lie from the mean",
        xlabel="frames",
        ylabel="standard deviations",
        ylim=(0, 5.6),
    )


def depth(figure: plt.Figure) -> None:
    """Draw the sharpness of one pixel over the frames, and the parabola through its logarithm."""
    axes = figure.subplots()
    frames = np.arange(9)
    energy = np.exp(-((frames - 4.3) ** 2) / 2.2) + 0.01
    best = int(energy.argmax())
    near = np.log(energy[best - 1 : best + 2])
    place = best + 0.5 * (near[0] - near[2]) / (near[0] - 2 * near[1] + near[2])
    fit = np.polyfit([best - 1, best, best + 1], near, 2)
    x = np.linspace(best - 1.6, best + 1.6, 101)
    axes.semilogy(frames, energy, "o", label="sharpness in each frame")
    axes.semilogy(x, np.exp(np.polyval(fit, x)), label="parabola through three logarithms")
    axes.axvline(place, color="grey", linestyle="--")
    axes.set(title=f"depth {place:.2f} where the truth is 4.3", xlabel="frame", ylim=(5e-3, 2))
    axes.legend(loc="lower center")


def averaging(figure: plt.Figure) -> None:
    """Draw the noise of the mean of some frames of a sample, beside 1 / sqrt(n)."""
    axes = figure.subplots()
    stack, truth = ns.samples.drifting_cells(
        frames=32, size=(96, 96), shift=0, rotation=0, scale=0, noise=0.05, dtype="float32"
    )
    frames = np.asarray(stack)
    counts = np.array([1, 2, 4, 8, 16, 32])
    noise = [float((frames[:n].mean(0) - truth["clean"]).std()) for n in counts]
    axes.loglog(counts, noise, "o", label="measured")
    axes.loglog(counts, noise[0] / np.sqrt(counts), "--", label="1 / sqrt(n)")
    axes.set(title="noise of the mean", xlabel="frames", ylabel="standard deviation")
    axes.legend()


PICTURES = {
    "method_interpolation": (interpolation, (8, 3)),
    "method_clipping": (clipping, (6, 3)),
    "method_depth": (depth, (6, 3)),
    "method_averaging": (averaging, (6, 3)),
}


def main(folder: Path = FOLDER) -> None:
    """Draw all pictures."""
    for name, (draw, size) in PICTURES.items():
        figure = plt.figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(folder / f"{name}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
