"""Times of `sigma_clip` and `combine` from files, beside astropy, ccdproc and NumPy in one run.

Rivals that are not installed are left out; ``pip install astropy ccdproc`` brings them. All
methods run in turn, again and again, in one process, and medians are told: what else the machine
does then strikes all alike. Before that every method runs once, so that nothing is compiled or
read from disk while the clock runs.

Total is: read the files, clip, write the image. Clip is that of frames already in memory. The
command line is timed apart, a process each time; so is Siril, where ``siril-cli`` and astropy (for
its FITS files) are found. Beside the medians of seconds stand those of processor time, which tell
more on a busy machine.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tifffile

import napari_stack as ns

SIGMA, ITERATIONS = 2.5, 5


def series(folder: Path, frames: int, shape: tuple[int, int]) -> list[Path]:
    """Write noise with rays as plain uint16 TIFF files."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    paths = []
    for i in range(frames):
        frame = rng.normal(1000, 50, shape)
        rays = rng.integers(0, frame.size, frame.size // 1000)
        frame.flat[rays] += 20000
        paths.append(folder / f"{i:03}.tif")
        tifffile.imwrite(paths[-1], frame.astype(np.uint16))
    return paths


def clip_ours(data: np.ndarray) -> np.ndarray:
    """Clip frames in memory with this project."""
    return ns.sigma_clip(ns.Stack.wrap(data), sigma=SIGMA, iterations=ITERATIONS).image


def clip_astropy(data: np.ndarray) -> np.ndarray:
    """Clip as astropy's manual says: float frames, then the mean along the first axis."""
    from astropy.stats import sigma_clipped_stats

    mean, _, _ = sigma_clipped_stats(
        data, axis=0, sigma=SIGMA, maxiters=ITERATIONS, cenfunc="mean", stdfunc="std"
    )
    return np.rint(mean).astype(np.uint16)


def clip_astropy_masked(data: np.ndarray) -> np.ndarray:
    """Clip with astropy's `sigma_clip` and average what it leaves."""
    from astropy.stats import sigma_clip

    kept = sigma_clip(
        data.astype(np.float32), sigma=SIGMA, maxiters=ITERATIONS, cenfunc="mean", stdfunc="std",
        axis=0, masked=False, copy=False,
    )  # fmt: skip
    return np.rint(np.nanmean(kept, axis=0)).astype(np.uint16)


def clip_ccdproc(data: np.ndarray) -> np.ndarray:
    """Clip with ccdproc's `Combiner`."""
    from astropy import units
    from ccdproc import CCDData, Combiner

    combiner = Combiner([CCDData(frame, unit=units.adu) for frame in data], dtype=np.float32)
    clip = {"low_thresh": SIGMA, "high_thresh": SIGMA, "func": np.ma.mean, "dev_func": np.ma.std}
    before = -1
    for _ in range(ITERATIONS):
        combiner.sigma_clipping(**clip)
        masked = int(combiner.data_arr.mask.sum()) if hasattr(combiner, "data_arr") else 0
        if masked == before:
            break
        before = masked
    return np.rint(np.asarray(combiner.average_combine())).astype(np.uint16)


def clip_numpy(data: np.ndarray) -> np.ndarray:
    """Clip by a loop of masked NumPy arrays, as scripts do."""
    values = np.ma.masked_array(data.astype(np.float64), mask=np.zeros(data.shape, bool))
    for _ in range(ITERATIONS):
        stray = np.abs(values - values.mean(axis=0)) > SIGMA * values.std(axis=0)
        stray = np.ma.filled(stray, False)
        if not stray.any():
            break
        values.mask |= stray
    return np.rint(np.ma.filled(values.mean(axis=0), 0)).astype(np.uint16)


def total_ours(paths: list[Path], out: Path, compression: str = "none") -> None:
    """Read, clip and write with this project; plainly, as the rivals do."""
    clipped = ns.sigma_clip(ns.read(paths), sigma=SIGMA, iterations=ITERATIONS)
    ns.write(out, clipped.image, compression=compression, overwrite=True)


def total_of(clip: Callable[[np.ndarray], np.ndarray]) -> Callable[[list[Path], Path], None]:
    """Read with tifffile, clip with a rival, write with tifffile."""

    def total(paths: list[Path], out: Path) -> None:
        tifffile.imwrite(out, clip(np.stack([tifffile.imread(path) for path in paths])))

    return total


def rivals() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return those that are installed."""
    found: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    if find_spec("astropy"):
        found |= {"astropy stats": clip_astropy, "astropy sigma_clip": clip_astropy_masked}
    if find_spec("ccdproc"):
        found["ccdproc"] = clip_ccdproc
    return found | {"numpy loop": clip_numpy}


def processor_time() -> float:
    """Seconds of this process and of its children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def interleaved(
    jobs: dict[str, Callable[[], object]], repeats: int
) -> dict[str, tuple[float, float]]:
    """Run all jobs in turn; return the median seconds and processor seconds of each."""
    for job in jobs.values():
        job()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(repeats):
        for name, job in jobs.items():
            start, before = time.perf_counter(), processor_time()
            job()
            times[name].append((time.perf_counter() - start, processor_time() - before))
    return {name: tuple(np.median(pairs, axis=0).tolist()) for name, pairs in times.items()}


def table(title: str, times: dict[str, tuple[float, float]]) -> None:
    """Print seconds, and how often the first fits in."""
    print(f"\n{title}")
    first, first_cpu = next(iter(times.values()))
    for name, (seconds, cpu) in times.items():
        ratios = f"{seconds / first:7.2f} x  cpu {cpu:8.3f} s {cpu / max(first_cpu, 1e-3):7.2f} x"
        print(f"  {name:28} {seconds:8.3f} s {ratios}", flush=True)


def compare(paths: list[Path], folder: Path, repeats: int, slow: bool) -> None:
    """Time all methods on one series."""
    data = np.stack([tifffile.imread(path) for path in paths])
    stack, out = ns.Stack.wrap(data), folder / "out.tif"
    others = rivals() if slow else {}
    quick = max(3 * repeats, 5)
    totals: dict[str, Callable[[], object]] = {"ours": lambda: total_ours(paths, out)}
    totals["ours, deflated"] = lambda: total_ours(paths, out, "zlib")
    totals |= {name: (lambda c=clip: total_of(c)(paths, out)) for name, clip in others.items()}
    table("total: read, clip, write", interleaved(totals, repeats))
    clips: dict[str, Callable[[], object]] = {"ours": lambda: clip_ours(data)}
    clips |= {name: (lambda c=clip: c(data)) for name, clip in others.items()}
    table("clip alone", interleaved(clips, repeats))
    medians = {
        "ours": lambda: ns.combine(stack, method="median"),
        "np.median": lambda: np.median(data, axis=0),
    }
    table("median, in memory", interleaved(medians, repeats))
    means = {
        "tifffile reads the files": lambda: [tifffile.imread(path) for path in paths],
        "our mean, from files": lambda: ns.combine(ns.read(paths)),
        "our read alone": lambda: [ns.read(paths)[i] for i in range(len(paths))],
    }
    table("mean", interleaved(means, quick))
    ways = {
        "mean, deviation": lambda: clip_ours(data),
        "median, MAD": lambda: ns.sigma_clip(stack, centre="median", spread="MAD"),
        "median, winsorised": lambda: ns.sigma_clip(stack, centre="median", spread="winsorised"),
        "details": lambda: ns.sigma_clip(stack, details=True),
    }
    table("ways of clipping, in memory", interleaved(ways, repeats))
    methods = ("sum", "maximum", "range", "standard deviation", "product", "weighted mean")
    combined = {m: (lambda m=m: ns.combine(stack, method=m)) for m in ("mean", *methods)}
    table("ways of combining, in memory", interleaved(combined, repeats))


WAYS = {"": [], "MAD": ["--spread", "MAD"], "winsorised": ["--spread", "winsorised"]}


def command(paths: list[Path], out: Path, way: str) -> Callable[[], object]:
    """Clip by the command line."""
    program = [sys.executable, "-m", "napari_stack.cli", "sigma-clip", *map(str, paths)]
    words = [*WAYS[way], *(["--centre", "median"] if way else [])]
    whole = [*program, "-o", str(out), "--overwrite", "--quiet", *words]
    return lambda: subprocess.run(whole, check=True)


def siril(paths: list[Path], folder: Path) -> dict[str, Callable[[], object]]:
    """Clip FITS copies of the files by a script of Siril, which clips about the median."""
    if not (shutil.which("siril-cli") and find_spec("astropy")):
        return {}
    from astropy.io import fits

    folder.mkdir()
    for i, path in enumerate(paths):
        fits.writeto(folder / f"light_{i + 1:05}.fit", tifffile.imread(path))
    jobs: dict[str, Callable[[], object]] = {}
    for way, letter in {"": "s", "MAD": "a", "winsorised": "w"}.items():
        script = folder / f"{letter}.ssf"
        limits = f"{SIGMA} {SIGMA} -nonorm -out=result"
        script.write_text(f"requires 1.0.0\nstack light rej {letter} {limits}\n")
        whole = ["siril-cli", "-s", str(script), "-d", str(folder)]
        jobs[f"siril-cli {way or 'deviation'}"] = lambda whole=whole: subprocess.run(
            whole, check=True, capture_output=True
        )
    return jobs


def cold(paths: list[Path], folder: Path, repeats: int) -> None:
    """Time the command line: start, imports, cached kernels, work."""
    jobs: dict[str, Callable[[], object]] = {
        "warm, in this process": lambda: total_ours(paths, folder / "warm.tif", "zlib")
    }
    for way in WAYS:
        jobs[f"cold command line {way}"] = command(paths, folder / "cold.tif", way)
    times = interleaved(jobs | siril(paths, folder / "fits"), repeats)
    table("the command line: start, read, clip, write", times)
    warm, start = times["warm, in this process"][0], times["cold command line "][0]
    print(f"  cold less warm: {start - warm:.2f} s")


def growth(folder: Path, repeats: int) -> None:
    """Time series of more frames and more pixels."""
    print("\ngrowth of sigma_clip from files: seconds, nanoseconds a value, processor time")
    cases = [(20, 1), (50, 1), (100, 1), (200, 1), (400, 1), (20, 4), (20, 16), (20, 100)]
    for frames, megapixels in cases:
        side = int(np.sqrt(megapixels * 1e6))
        sources = series(folder / f"{frames}-{megapixels}", min(frames, 8), (side, side))
        paths = sources[:]
        for i in range(len(sources), frames):  # the same file again, by another name
            paths.append(sources[0].with_name(f"{i:03}.tif"))
            paths[-1].hardlink_to(sources[i % len(sources)])
        times = interleaved({"": lambda p=paths: ns.sigma_clip(ns.read(p))}, repeats)
        seconds, cpu = times[""]
        value = seconds / (frames * side * side) * 1e9
        size = f"{frames:4} frames of {megapixels:4} megapixels"
        print(f"  {size} {seconds:8.3f} s  {value:5.2f} ns  cpu {cpu:8.3f} s", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--shape", type=int, nargs=2, default=(2000, 3000))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", action="store_true", help="leave out the slow rivals")
    parser.add_argument("--growth", action="store_true", help="frames and pixels to 400 and 100 MP")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        height, width = arguments.shape
        print(f"{arguments.frames} frames of {height} x {width} uint16, 2.5 sigma, 5 iterations")
        if arguments.growth:
            growth(folder, arguments.repeats)
            return
        paths = series(folder / "frames", arguments.frames, (height, width))
        compare(paths, folder, arguments.repeats, not arguments.ours)
        cold(paths, folder, arguments.repeats)


if __name__ == "__main__":
    main()
