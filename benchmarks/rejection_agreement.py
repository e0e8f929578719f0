"""How far our rejection agrees with Siril, ccdproc and astropy, pixel by pixel, on random values.

Each program gets the same 15 frames of floats, with outliers on both sides, and rejects at 2.5
sigma until nothing more is; told are the share of pixels whose mean is the same to 1e-6, and the
share of values rejected. ``siril-cli`` is run where it is found; astropy where it is installed;
ccdproc by the Python given with ``--ccdproc``, as it needs an environment of its own. Beside ours
stands what a few lines of NumPy make of the published rule, where ours differs by intent.
"""

import argparse
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import napari_stack as ns

FRAMES, SIZE = 15, (60, 80)

#: Siril's letters and numbers, and the same of ours.
SIRIL: dict[str, tuple[str, dict[str, Any]]] = {
    "percentile": ("p 0.2 0.1", {"method": "percentile clip"}),
    "sigma": ("s 2.5 2.5", {"centre": "median", "iterations": 100}),
    "MAD": ("a 2.5 2.5", {"centre": "median", "spread": "MAD", "iterations": 100}),
    "winsorised": ("w 2.5 2.5", {"centre": "median", "spread": "winsorised", "iterations": 100}),
    "linear fit": ("l 2.5 2.5", {"method": "linear fit", "iterations": 100}),
    "ESD": ("g 0.3 0.05", {"method": "generalised ESD"}),
}

CCDPROC = """
import sys
import numpy as np
from astropy import units
from astropy.stats import mad_std
from ccdproc import CCDData, Combiner
data = np.load(sys.argv[1])
def made(clip):
    combiner = Combiner([CCDData(frame, unit=units.adu) for frame in data], dtype=np.float64)
    clip(combiner)
    return np.asarray(combiner.average_combine())
once = dict(low_thresh=2.5, high_thresh=2.5)
np.savez(sys.argv[2], **{
    "mean, deviation": made(
        lambda c: c.sigma_clipping(**once, func=np.ma.mean, dev_func=np.ma.std)
    ),
    "median, MAD": made(lambda c: c.sigma_clipping(**once, func=np.ma.median, dev_func=mad_std)),
    "extremes": made(lambda c: c.clip_extrema(nlow=1, nhigh=2)),
})
"""


def frames() -> NDArray[np.float32]:
    """Noise, and outliers in 6 % of the values."""
    rng = np.random.default_rng(1)
    data = rng.normal(0.2, 0.01, (FRAMES, *SIZE))
    hit = rng.random(data.shape) < 0.06
    data[hit] += rng.exponential(0.08, hit.sum()) * rng.choice([-0.5, 1], hit.sum())
    return data.clip(0.001, 1).astype(np.float32)


def clipped(data: NDArray[Any], **options: Any) -> tuple[NDArray[Any], str]:
    """Our mean, and the shares rejected low and high."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = ns.sigma_clip(ns.Stack.wrap(data), dtype="float64", details=True, **options)
    low, high = (
        100 * part.mean() / len(data) for part in (found.rejected_low, found.rejected_high)
    )
    return found.image, f"{low:.2f} % low, {high:.2f} % high"


def tell(name: str, theirs: NDArray[Any], ours: tuple[NDArray[Any], str], said: str = "") -> None:
    """Print how many pixels are the same."""
    same = np.mean(np.abs(theirs - ours[0]) < 1e-6)
    print(f"  {name:24} {same:8.2%} the same; ours rejects {ours[1]}{said}", flush=True)


def sample_sigma(data: NDArray[Any]) -> NDArray[Any]:
    """Clip about the median by the deviation of a sample, keeping four values, as Siril does."""
    image = np.empty(data.shape[1:])
    for y, x in np.ndindex(image.shape):
        kept = np.sort(data[:, y, x].astype(float))
        while len(kept) > 4:
            far = np.abs(kept - np.median(kept)) > 2.5 * kept.std(ddof=1)
            if not far.any():
                break
            kept = kept[~far]
        image[y, x] = kept.mean()
    return image


def siril(data: NDArray[Any], folder: Path) -> None:
    """Compare with Siril's own program."""
    from astropy.io import fits

    for i, frame in enumerate(data):
        fits.writeto(folder / f"light_{i + 1:05}.fit", frame)
    for name, (how, options) in SIRIL.items():
        script = folder / "stack.ssf"
        stack = f"stack light rej {how} -nonorm -out=result"
        script.write_text(f"requires 1.0.0\nset32bits\n{stack}\n")
        run = ["siril-cli", "-s", str(script), "-d", str(folder)]
        said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        line = next(part for part in said.splitlines() if "rejection in channel" in part)
        theirs = fits.getdata(folder / "result.fit").astype(float)
        tell(name, theirs, clipped(data, **options), f"; Siril {line.split(':')[-1].strip()}")
        if name == "sigma":
            same = np.mean(np.abs(theirs - sample_sigma(data)) < 1e-6)
            print(f"  {'by that of a sample':24} {same:8.2%} the same")


def ccdproc(data: NDArray[Any], folder: Path, python: Path) -> None:
    """Compare with ccdproc, one round each."""
    np.save(folder / "data.npy", data)
    out = folder / "ccdproc.npz"
    subprocess.run([python, "-c", CCDPROC, folder / "data.npy", out], check=True)
    theirs = np.load(out)
    robust = {"centre": "median", "spread": "MAD", "iterations": 1}
    tell("mean, deviation", theirs["mean, deviation"], clipped(data, iterations=1))
    tell("median, MAD", theirs["median, MAD"], clipped(data, **robust))
    extremes = ns.MinMax(least=1, greatest=2)
    tell("extremes", theirs["extremes"], clipped(data, method=extremes))


def astropy(data: NDArray[Any]) -> None:
    """Compare with astropy, until nothing more is rejected."""
    from astropy.stats import sigma_clip

    ways = {("mean", "std"): {}, ("median", "std"): {"centre": "median"},
            ("median", "mad_std"): {"centre": "median", "spread": "MAD"}}  # fmt: skip
    for (centre, spread), options in ways.items():
        kept = sigma_clip(
            data.astype(float), sigma=2.5, maxiters=None, cenfunc=centre, stdfunc=spread, axis=0
        )
        theirs = np.ma.filled(kept.mean(axis=0), np.nan)
        tell(f"{centre}, {spread}", theirs, clipped(data, iterations=100, **options))


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ccdproc", type=Path, help="Python of an environment with ccdproc")
    arguments = parser.parse_args()
    data = frames()
    with tempfile.TemporaryDirectory() as name:
        print("astropy, all rounds")
        astropy(data)
        if shutil.which("siril-cli"):
            print("siril-cli, all rounds")
            siril(data, Path(name))
        if arguments.ccdproc:
            print("ccdproc, one round")
            ccdproc(data, Path(name), arguments.ccdproc)


if __name__ == "__main__":
    main()
