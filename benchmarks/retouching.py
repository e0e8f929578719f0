"""Work behind a stroke of the retouch dock on 24 megapixels: loading its source, moves, release.

A stroke of a 50 px brush (its radius) goes over colours of 8 bits. Told are the time to load the
source (a frame in memory, a JPEG file, the same registered), of every move of the mouse, of the
release that writes it into the image, its depth and its recipe, of undo, and of all strokes applied
at once as `focus_stack(retouch=)` does. No window is open: what napari takes to draw comes on top.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import napari_stack as ns
from napari_stack import layers
from napari_stack.layers.retouch import Retouching, replay, start
from napari_stack.operators.focus.retouch.sources import load_source

FRAMES = 3


def scene(shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Return smooth noise in colours, and it blurred: frames at different focus."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (shape[0] // 4, shape[1] // 4, 3)).astype(np.uint8)
    sharp = cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.stack([cv2.GaussianBlur(sharp, (0, 0), 1 + index) for index in range(FRAMES)])


class Timed:
    """Milliseconds that a block takes: by the clock, and of the processors."""

    def __enter__(self) -> "Timed":
        self._begin = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        end = time.perf_counter(), time.process_time()
        self.took, self.worked = (1000 * (b - a) for a, b in zip(self._begin, end, strict=True))

    def __str__(self) -> str:
        return f"{self.took:.0f} ms (processor time {self.worked:.0f} ms)"


def loads(frames: np.ndarray[Any, Any]) -> None:
    """Tell how long a source takes to load, the least of three."""
    moved = np.stack([np.eye(3)] * FRAMES)
    moved[:, :2, 2] = [[0.3 * i, 0.4 * i] for i in range(FRAMES)]
    with tempfile.TemporaryDirectory() as folder:
        for index, frame in enumerate(frames):
            path = Path(folder) / f"{index}.jpg"
            cv2.imwrite(str(path), frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        files = ns.read(folder)
        stacks = {"in memory": ns.Stack.wrap(frames), "JPEG": files}
        stacks["JPEG, registered"] = ns.apply_transforms(files, ns.Transforms(moved))
        for name, stack in stacks.items():
            found = []
            for _ in range(3):
                with Timed() as timed:
                    load_source(stack, 1, {})
                found.append(timed)
            print(f"load a frame, {name}: {min(found, key=lambda one: one.took)}")


def painted(session: Retouching, line: Any, radius: float) -> tuple[list[Timed], Timed]:
    """Paint a stroke; return what its moves took, and its release."""
    grown, moves = session.begin_stroke({}, 1, radius), []
    assert grown is not None
    for point in line:
        with Timed() as timed:
            grown.add(*point)
        moves.append(timed)
    with Timed() as timed:
        session.end_stroke(grown, {}, 1)
    return moves, timed


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--shape", type=int, nargs=2, default=(4000, 6000))
    parser.add_argument("--radius", type=float, default=50.0)
    parser.add_argument("--moves", type=int, default=60)
    given = parser.parse_args()
    frames = scene(tuple(given.shape))
    loads(frames)
    from napari.layers import Image

    layer = Image(frames, rgb=True, name="frames")
    fused = layers.focus_stack(layer, method="pyramid")
    begun = start(fused[0])
    with Timed() as timed:
        session = Retouching.of(begun, begun.finish(begun.compute()))
    print(f"begin (copy of image and maps): {timed}")
    session.keep({}, 1, session.load({}, 1))
    middle, turns = np.array(given.shape) / 2, np.linspace(0, 3, given.moves)
    painted(session, [middle], given.radius)  # compiles, or loads what is compiled
    for name, step in (("a dab", 0.0), ("slow", 6.0), ("quick", 40.0)):
        line = middle + np.cumsum(step * np.stack([np.sin(turns), np.cos(turns)], 1), axis=0)
        moves, release = painted(session, line if step else line[:1], given.radius)
        took, worked = [move.took for move in moves], [move.worked for move in moves]
        clock = f"{np.median(took):.1f} ms, longest {max(took):.1f}"
        processor = f"processor time {np.median(worked):.1f}, longest {max(worked):.1f}"
        print(f"{name}, {len(moves)} moves of {step:.0f} px: a move {clock} ({processor})")
        print(f"    release: {release}")
    with Timed() as timed:
        session.undo()
    session.redo()
    print(f"undo of the last: {timed}")
    again = Retouching.of(begun, begun.finish(begun.compute()))
    with Timed() as timed:
        changes = replay(again, session.known)
    same = np.array_equal(changes[0][3], session.arrays["image"])
    print(f"{len(session.strokes)} strokes at once: {timed}, bit for bit the same: {same}")


if __name__ == "__main__":
    main()
