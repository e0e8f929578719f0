"""Balance and vignetting beside shinestacker, on the same colour frames of known truth.

Run it in two environments: it measures shinestacker where that is installed (Python 3.12 or newer),
else this project. Times are of one frame of 6 megapixels and 16 bits, measured and corrected;
errors of the balance are those of the mean, of the vignetting the rms left of a known fall-off.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np

SIZE = (2000, 3000)
GAIN, GAMMA = 0.8, 1.3


def texture(seed: int) -> np.ndarray:
    """Colours of even statistics all over, 0 to 1."""
    import cv2

    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(size=SIZE), (0, 0), s) * s for s in (2, 6, 16)]
    grey = np.exp(0.4 * sum(layer / layer.std() for layer in layers) / 3)
    return 0.25 * grey[..., np.newaxis] * np.array([1.0, 0.8, 0.6])


def share() -> np.ndarray:
    """Light left by a fall-off, a sigmoid as shinestacker's model is."""
    y, x = np.indices(SIZE)
    r = np.hypot(x - (SIZE[1] - 1) / 2, y - (SIZE[0] - 1) / 2) / (np.hypot(*SIZE) / 2)
    light = 1 / (1 + np.exp(np.exp(3.0 * (r - 1.0))))
    return light / light.max()


def stored(scene: np.ndarray) -> np.ndarray:
    """16-bit frame of a scene with noise."""
    noise = np.random.default_rng(9).normal(0, 100, scene.shape)
    return np.clip(np.rint(scene * 65535 + noise), 0, 65535).astype(np.uint16)


def ours() -> Iterator[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]]:
    """Give the corrections of this project: of a frame, beside the reference."""
    import napari_stack as ns

    def balanced(frame: np.ndarray, fixed: np.ndarray, mapping: str) -> np.ndarray:
        stack = ns.Stack.wrap(np.stack([fixed, frame]), rgb=True)
        return ns.balance(stack, mapping=mapping, reference="first")[1]

    def lit(frame: np.ndarray, _: np.ndarray) -> np.ndarray:
        stack = ns.Stack.wrap(frame[np.newaxis], rgb=True)
        return ns.correct_vignetting(stack, model="sigmoid")[0]

    yield "linear", partial(balanced, mapping="linear")
    yield "gamma", partial(balanced, mapping="gamma")
    yield "match", partial(balanced, mapping="match_histogram")
    yield "vignetting", lit


def theirs() -> Iterator[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]]:
    """Give those of shinestacker, without its files, plots and messages."""
    from shinestacker.algorithms.balance import LumiCorrection
    from shinestacker.algorithms.vignetting import correct_vignetting

    def balanced(frame: np.ndarray, fixed: np.ndarray, mapping: str) -> np.ndarray:
        correction = LumiCorrection("", corr_map=mapping, subsample=8)
        correction.process = SimpleNamespace(ref_idx=0)
        correction.begin(fixed, 2, 0)
        return correction.apply_correction(1, frame)

    yield "linear", partial(balanced, mapping="LINEAR")
    yield "gamma", partial(balanced, mapping="GAMMA")
    yield "match", partial(balanced, mapping="MATCH_HIST")
    yield "vignetting", lambda frame, _: correct_vignetting(frame)


def main() -> None:
    """Print time and error of each."""
    rival = find_spec("shinestacker") is not None
    print("shinestacker" if rival else "napari-stack")
    scene = texture(0)
    light = share()[..., np.newaxis]
    bent = {"linear": scene * GAIN, "gamma": scene.clip(0, 1) ** GAMMA, "match": scene * GAIN}
    fixed = stored(scene)
    for name, correct in theirs() if rival else ours():
        frame = stored(scene * light if name == "vignetting" else bent[name])
        correct(frame, fixed)  # compiles
        times = []
        for _ in range(3):
            start = time.perf_counter()
            result = correct(frame, fixed)
            times.append(time.perf_counter() - start)
        ratio = result.astype(np.float64) / np.maximum(stored(scene), 1)
        if name == "vignetting":
            smooth = ratio.reshape(100, 20, 150, 20, 3).mean(axis=(1, 3, 4))
            error = smooth.std() / smooth.mean()
        else:
            error = result.mean(dtype=np.float64) / fixed.mean(dtype=np.float64) - 1
        print(f"  {name:10} {min(times) * 1e3:6.0f} ms   error {error:+.5f}")


if __name__ == "__main__":
    main()
