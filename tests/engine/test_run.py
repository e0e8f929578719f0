"""The loops: order, progress, cancelling, memory, scratch, executors."""

import tempfile
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import dask.array as da
import numpy as np
import pytest

from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine import scratch
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import Transforms, apply_transforms, combine, focus_stack, sigma_clip
from support.sources import WatchedSource

DATA = np.random.default_rng(1).integers(0, 60000, (23, 40, 30), np.uint16)


def brightness(stack, index):
    return float(stack[index].sum())


def own_threads():
    return [t for t in threading.enumerate() if t.name.startswith("napari-stack")]


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_each_gives_results_in_order(workers):
    ticks = []
    run = Run(workers=workers, tick=lambda *tick: ticks.append(tick))
    stack = Stack.wrap(DATA)
    assert run.each(brightness, stack, what="Looking") == [float(f.sum()) for f in DATA]
    assert run.each(brightness, stack, [3, 1], what="Looking") == [
        float(DATA[3].sum()),
        float(DATA[1].sum()),
    ]
    assert ticks[0] == (0, 23, "Looking")
    assert ticks[23] == (23, 23, "Looking")
    assert not own_threads()


def loops():
    def each(stack, run):
        run.each(brightness, stack, what="x")

    return {
        "each": each,
        "fold": lambda stack, run: combine(stack, run=run),
        "bands": lambda stack, run: sigma_clip(stack, run=run),
        "pyramid": lambda stack, run: focus_stack(stack, method="pyramid", run=run),
        "auto": lambda stack, run: focus_stack(stack, run=run),
    }


@pytest.mark.parametrize("loop", loops())
@pytest.mark.parametrize("stop_at", [0, 5])
def test_cancelling_stops_within_a_frame_and_leaves_nothing(loop, stop_at):
    source = WatchedSource(DATA, by_rows=False)
    stack = Stack(source)

    def tick(done, total, what):
        if done >= stop_at:
            raise Cancelled

    with pytest.raises(Cancelled):
        loops()[loop](stack, Run(workers=2, tick=tick))
    assert len(source.reads) <= stop_at + 4  # those in flight end
    assert not own_threads()


class Ledger:
    """A fold over rows that writes down what it was given, and weighs the order."""

    def __init__(self, height, tall):
        self.rows = [slice(a, min(a + tall, height)) for a in range(0, height, tall)]
        self.taken = {rows.start: [] for rows in self.rows}
        self.closed = []

    def strips(self):
        return self.rows

    def take(self, index, frame, rows):
        self.taken[rows.start].append((index, int(frame.render(0, rows).sum())))

    def close(self, index):
        assert all(found[len(self.closed)][0] == index for found in self.taken.values())
        self.closed.append(index)


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("tall", [3, 16, 99])
def test_rows_are_taken_in_in_the_order_of_the_frames(workers, tall):
    source = WatchedSource(DATA, by_rows=False)
    used = np.arange(len(DATA)) % 5 != 1
    ticks = []
    run = Run(workers=workers, tick=lambda *tick: ticks.append(tick))
    ledger = run.fold_rows(Ledger(DATA.shape[1], tall), Stack(source, used=used), what="x")
    numbers = np.flatnonzero(used).tolist()
    for start, found in ledger.taken.items():
        sums = DATA[used, start : start + tall].sum(axis=(1, 2), dtype=int).tolist()
        assert found == list(zip(numbers, sums, strict=True))
    assert ledger.closed == numbers
    assert [index for index, _ in source.reads] == numbers  # each is decoded once
    assert ticks[-1] == (len(numbers), len(numbers), "x")
    assert not own_threads()


def test_a_run_over_rows_is_cancelled_within_a_frame():
    source, ticks = WatchedSource(DATA, by_rows=False), []

    def tick(*tick):
        ticks.append(tick)
        if len(ticks) > 2:  # one at the start
            raise Cancelled

    ledger = Ledger(DATA.shape[1], 2)
    with pytest.raises(Cancelled):
        Run(workers=1, tick=tick).fold_rows(ledger, Stack(source), what="x")
    assert ticks[-1][0] == 0
    assert ledger.closed == []
    assert not own_threads()


def test_an_error_in_a_frame_comes_through_and_leaves_nothing():
    def fail(stack, index):
        if index == 4:
            raise ValueError("frame 4 is broken")
        return index

    with pytest.raises(ValueError, match="frame 4 is broken"):
        Run(workers=2).each(fail, Stack.wrap(DATA), what="x")
    assert not own_threads()


def shifted(stack, by=3.3):
    matrices = np.tile(np.eye(3), (len(stack), 1, 1))
    matrices[:, 1, 2] = np.linspace(-by, by, len(stack))
    return apply_transforms(stack, Transforms(matrices))


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("memory", [2**20, 2**30])
@pytest.mark.parametrize("partial_source", [True, False])
def test_results_do_not_depend_on_workers_memory_or_scratch(workers, memory, partial_source):
    big = np.tile(DATA, (1, 6, 5))
    expected = sigma_clip(shifted(Stack.wrap(big)), sigma=2, run=Run(workers=1))
    stack = shifted(Stack(WatchedSource(big, by_rows=partial_source)))
    found = sigma_clip(stack, sigma=2, run=Run(workers=workers, memory=memory))
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_array_equal(found.rejected, expected.rejected)


def test_frames_that_cannot_give_rows_are_read_once():
    source = WatchedSource(np.tile(DATA, (1, 6, 5)), by_rows=False)
    sigma_clip(Stack(source), run=Run(memory=2**20))
    assert sorted(index for index, _ in source.reads) == list(range(23))


def test_parts_of_frames_are_read_where_a_source_gives_them():
    source = WatchedSource(np.tile(DATA, (1, 6, 5)))
    sigma_clip(Stack(source), run=Run(memory=2**20))
    rows = sum(rows.stop - rows.start for _, rows in source.reads)
    assert rows == 23 * 240
    assert max(rows.stop - rows.start for _, rows in source.reads) <= 120


def test_a_turn_by_half_goes_through_scratch():
    source = WatchedSource(np.tile(DATA, (1, 6, 5)))
    half_turn = np.array([[-1, 0, 149], [0, -1, 239], [0, 0, 1.0]])
    quarter_turn = np.array([[0, 1, 0], [-1, 0, 239], [0, 0, 1.0]])
    turns = np.stack([half_turn, quarter_turn] * 11 + [half_turn])
    stack = apply_transforms(Stack(source), Transforms(turns))
    expected = sigma_clip(stack, sigma=2)
    source.reads.clear()
    found = sigma_clip(stack, sigma=2, run=Run(memory=2**20))
    np.testing.assert_array_equal(found.image, expected.image)
    assert len(source.reads) == 23


def test_a_full_disk_is_found_before_the_work(monkeypatch):
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda _: type("U", (), {"free": 1000}))
    source = WatchedSource(np.tile(DATA, (1, 6, 5)), by_rows=False)
    with pytest.raises(OSError, match=r"scratch space of .* GiB is needed and .* are free"):
        sigma_clip(Stack(source), run=Run(memory=2**20))
    assert not source.reads


def test_the_block_stays_within_the_memory(monkeypatch):
    sizes = []
    run = Run(workers=2, memory=2**20)
    stack = Stack(WatchedSource(np.tile(DATA, (1, 6, 5))))

    def note(values, valid):
        sizes.append(values.base.nbytes)
        return (values.mean(axis=0),)

    run.bands(note, stack, what="x")
    assert max(sizes) <= 2**20


def test_only_used_frames_are_taken():
    used = np.arange(23) % 2 == 0
    stack = replace(Stack.wrap(DATA), used=used)
    np.testing.assert_array_equal(combine(stack), combine(Stack.wrap(DATA[used])))
    np.testing.assert_array_equal(sigma_clip(stack).image, sigma_clip(Stack.wrap(DATA[used])).image)


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_an_executor_gives_the_same_result(kind):
    # 40 frames: three parts of up to 16.
    stack = shifted(Stack.wrap(np.concatenate([DATA, DATA])[:40]))
    if kind == "thread":
        pool = ThreadPoolExecutor(2)
    else:
        pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
    with pool:
        run = Run(executor=pool)
        assert run.each(brightness, stack, what="x") == Run().each(brightness, stack, what="x")
        np.testing.assert_array_equal(combine(stack, run=run), combine(stack))
        there, here = sigma_clip(stack, run=run), sigma_clip(stack)
        np.testing.assert_array_equal(there.image, here.image)
        for method, rounding in (("pyramid", 0), ("auto", 1)):  # the sums of parts are rounded
            there, here = (focus_stack(stack, method=method, run=r) for r in (run, Run()))
            assert np.abs(there.image.astype(int) - here.image).max() <= rounding
        np.testing.assert_allclose(there.depth, here.depth, atol=1e-4)


def test_progress_of_a_part_is_a_part_of_the_whole():
    ticks = []
    run = Run(tick=lambda *tick: ticks.append(tick))
    run.part(1, 3).tick(2, 4, "x")
    assert ticks == [(6, 12, "x")]
    assert Run().part(0, 2) == Run()


def test_a_run_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="1 worker or more, got 0"):
        Run(workers=0)
    with pytest.raises(ValueError, match="1 MiB of memory or more, got 10 bytes"):
        Run(memory=10)


def test_loops_take_numpy_indices_and_wrapped_sources():
    stack = Stack(ArraySource(DATA)).select(np.array([2, 0]))
    assert Run().each(partial(brightness), stack, what="x") == [
        float(DATA[2].sum()),
        float(DATA[0].sum()),
    ]


def test_scratch_lies_in_the_folder_of_the_run(tmp_path, monkeypatch):
    asked = []
    real = tempfile.TemporaryFile

    def file(*args, **options):
        asked.append(options["dir"])
        return real(*args, **options)

    monkeypatch.setattr(tempfile, "TemporaryFile", file)
    # a dask chunk holds whole frames, so that bands would read them twice
    data = da.zeros((40, 300, 512), chunks=(1, 300, 512), dtype=np.float32)
    stack = Stack.wrap(data)
    run = Run(memory=2**20, scratch=tmp_path)
    run.bands(lambda values, valid: (values[0],), stack, what="Looking")
    assert asked == [tmp_path]
    with pytest.raises(FileNotFoundError):
        replace(run, scratch=tmp_path / "gone").bands(None, stack, what="Looking")


def test_an_executor_has_work_for_all_its_workers():
    class Wide(ThreadPoolExecutor):
        """Counts what is handed out before the first result is asked for."""

        waiting = 0

        def submit(self, *work):
            self.waiting += 1
            return super().submit(*work)

    stack = Stack.wrap(np.zeros((40 * 16, 2, 2), np.uint8))
    with Wide(30) as pool:
        seen = []
        run = Run(workers=2, executor=pool, tick=lambda done, *_: seen.append(pool.waiting))
        run.each(brightness, stack, what="x")
    assert seen[1] == 32  # two wait while 30 run


def test_a_stream_may_be_left_early():
    source = WatchedSource(DATA, by_rows=False)
    with closing(Run(workers=2).stream(brightness, Stack(source), what="x")) as stream:
        assert next(stream) == float(DATA[0].sum())
    assert len(source.reads) <= 4
    assert not own_threads()


def test_a_request_to_stop_is_heard_while_a_frame_takes_long() -> None:
    asked, begun, opened = threading.Event(), threading.Event(), threading.Event()

    def tick(_done: int, _total: int, _what: str) -> None:
        if begun.is_set() and not asked.is_set():
            asked.set()  # no frame is done by now, nor will be before this is heard
            threading.Timer(0.0, opened.set).start()
            raise Cancelled

    def held(stack: Stack, index: int) -> int:
        begun.set()
        assert opened.wait(20), "nobody asked while the frame was under way"
        return index

    stack = Stack.wrap(np.zeros((6, 4, 5), np.uint8))
    with pytest.raises(Cancelled):
        Run(workers=1, tick=tick).each(held, stack, what="Holding frames")
    assert asked.is_set()


@pytest.mark.parametrize("count", [999, 1000, 2113])
def test_many_small_frames_are_done_in_batches(count: int) -> None:
    stack = Stack.wrap(np.arange(count * 4, dtype=np.uint16).reshape(count, 2, 2))
    ticks: list[int] = []
    run = Run(workers=3, tick=lambda done, *_: ticks.append(done))
    found = run.each(Stack.__getitem__, stack, what="")
    np.testing.assert_array_equal(np.stack(found), np.asarray(stack))
    np.testing.assert_array_equal(
        np.stack(list(run.stream(Stack.__getitem__, stack, what=""))), found
    )
    assert ticks[-1] == count


def test_a_run_in_batches_can_be_cancelled() -> None:
    stack = Stack.wrap(np.zeros((5000, 2, 2), np.uint8))

    def tick(done: int, *_: object) -> None:
        if done >= 100:
            raise Cancelled

    with pytest.raises(Cancelled):
        Run(workers=2, tick=tick).each(Stack.__getitem__, stack, what="")
