"""How often frames with nothing in common are accepted: textures, and different photographs.

Run as `python benchmarks/registration_unrelated.py [--pairs 3000] [--begin 0] [--photographs
FOLDER]`. Photographs are those of scikit-image, and of each folder within FOLDER one: files of one
folder may show the same scene.
"""

import argparse
import time
import warnings
from collections import Counter
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from registration_pairs import PICTURES, TRANSFORMS, cloud
from scipy import ndimage

from napari_stack import Stack, measure_transforms

#: Shorter sides of the frames.
SIDES = (128, 160, 200, 256, 320)
#: What OpenCV reads.
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")

Image = NDArray[np.float64]


def photographs(folder: Path | None) -> list[Path]:
    """Files of different scenes."""
    import skimage

    found = [Path(skimage.__file__).parent / "data" / name for name in PICTURES]
    if folder is None:
        return found
    folders: dict[Path, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.stat().st_size < 20_000_000:
            folders.setdefault(path.relative_to(folder).parents[-2], path)
    return found + [path for path in folders.values() if usable(path)]


def usable(path: Path) -> bool:
    """Whether a file is a picture of some size."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return image is not None and min(image.shape) >= 2 * max(SIDES) and image.std() > 8


@lru_cache(maxsize=40)
def grey(path: Path) -> Image:
    """Read a photograph, at most about 1200 px long."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float64)
    step = -(-max(image.shape) // 1200)
    return image[::step, ::step] if step == 1 else cv2.resize(
        image, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA
    )  # fmt: skip


def texture(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """1/f noise, blurred noise, or blobs on a ground."""
    kind, (rows, columns) = rng.integers(3), shape
    if kind == 0:
        return 128 + 50 * cloud(rng, 2 * columns, rng.uniform(1.0, 2.2))[:rows, :columns]
    if kind == 1:
        noise = ndimage.gaussian_filter(rng.normal(size=shape), rng.uniform(0.8, 6))
        return 128 + 50 * noise / noise.std()
    image = np.zeros(shape)
    for y, x in rng.integers(0, shape, (int(rng.integers(4, 60)), 2)):
        image[y, x] += rng.uniform(0.3, 1)
    image = ndimage.gaussian_filter(image, rng.uniform(1.5, 8))
    return 40 + 180 * image / image.max()


def cut(rng: np.random.Generator, image: Image, shape: tuple[int, int]) -> Image | None:
    """Cut a piece out of a photograph; None where it shows nothing, or is too small."""
    room = [have - want for have, want in zip(image.shape, shape, strict=True)]
    if min(room) < 0:
        return None
    top, left = (int(rng.integers(0, r + 1)) for r in room)
    piece = image[top : top + shape[0], left : left + shape[1]]
    return piece if piece.std() > 5 else None


def unrelated(number: int, files: list[Path]) -> tuple[NDArray[np.uint8], str]:
    """Two frames with nothing in common, and what they show."""
    rng = np.random.default_rng([7, number])
    rows = int(rng.choice(SIDES))
    shape, kind = (rows, int(rows * rng.uniform(1, 1.3))), ("textures", "photographs")[number % 2]
    images: list[Image] = []
    if kind == "textures":
        images = [texture(rng, shape) for _ in range(2)]
    for place in rng.permutation(len(files)) if not images else ():
        piece = cut(rng, grey(files[place]), shape)
        images += [] if piece is None else [piece]
        if len(images) == 2:
            break
    noisy = [image + rng.normal(0, rng.choice([2, 10, 30]), shape) for image in images]
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), f"{kind} {shape}"


def accepted(frames: NDArray[np.uint8], transform: str) -> tuple[bool, float]:
    """Whether the second frame is claimed to lie somewhere on the first, and the quality."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measure_transforms(Stack.wrap(frames), reference=0, transform=transform)
    return not found.failed[1], float(found.quality[1])


def main() -> None:
    """Print who was accepted, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--photographs", type=Path)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    files = photographs(given.photographs)
    print(f"{len(files)} photographs", flush=True)
    pairs, taken, highest, spent = Counter[str](), Counter[str](), 0.0, 0.0
    for number in range(given.begin, given.begin + given.pairs):
        frames, about = unrelated(number, files)
        transform = TRANSFORMS[number // 2 % len(TRANSFORMS)]
        start = time.process_time()
        wrong, quality = accepted(frames, transform)
        spent += time.process_time() - start
        name, highest = f"{about.split()[0]} {transform}", max(highest, quality)
        pairs[name] += 1
        taken[name] += wrong
        if wrong:
            print(f"accepted: {number} {transform} {about}, quality {quality:.3f}", flush=True)
        if number % 500 == 499:
            print(f"{number + 1}: {taken.total()} accepted", flush=True)
    for name, count in sorted(pairs.items()):
        print(f"{name:26} {taken[name]} of {count} accepted")
    print(f"{taken.total()} of {given.pairs} accepted; highest quality {highest:.3f}; ", end="")
    print(f"{spent / given.pairs:.3f} s of a core a pair")


if __name__ == "__main__":
    main()
