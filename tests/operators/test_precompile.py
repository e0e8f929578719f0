"""`warm` runs every operator, in silence; the record holds what kernels that takes."""

from dataclasses import replace

import numpy as np
import pytest

from napari_stack.core.errors import UserError
from napari_stack.core.results import images_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import CATALOGUE, Operator
from napari_stack.operators.compile_ahead import key, record
from napari_stack.operators.precompile import recorded, warm
from support.sources import WatchedSource


def sorted_runs(runs):
    return [sorted(run, key=str) for run in runs]  # threads may take turns


def runs_on_record(name):
    kernels, runs = record()["kernels"], record()["runs"].get(key(name, "uint16", False))
    if runs is None:
        return [[]] * 2 * len(CATALOGUE[name].precompile)
    return [[tuple(kernels[number]) for number in run] for run in runs]


@pytest.mark.parametrize("name", CATALOGUE.own)
def test_every_operator_comes_to_its_end_without_a_word(name, monkeypatch):
    entry, results = CATALOGUE[name], []

    def watched(stack, *, run, **options):
        made = entry.function(stack, run=run, **options)
        results.append((stack.shape, stack.dtype, made))
        return made

    monkeypatch.setitem(CATALOGUE, name, replace(entry, source=watched))
    calls = recorded(name, dtype=np.uint16, colours=False)  # `warm`, and listening
    found, known = sorted_runs(calls), sorted_runs(runs_on_record(name))
    assert found == known, "run python tools/kernels.py --write"
    assert len(results) == 2 * len(entry.precompile)
    assert [dtype for _, dtype, _ in results] == [np.uint16, np.float32] * len(entry.precompile)
    for shape, _, made in results:
        if entry.kind == "volumes":
            assert made.shape == shape
        elif entry.gives_frames:
            assert made[0].shape == shape[1:]
        else:
            image, *_ = images_of(made).values()
            assert image.shape == shape[1:]


def test_a_frame_of_a_lazy_result_is_computed(monkeypatch):
    read = []

    def lazy(stack, *, run) -> Stack:
        return Stack(WatchedSource(np.asarray(stack), reads=read))

    monkeypatch.setitem(CATALOGUE, "lazy", Operator(lazy))
    warm("lazy")
    assert [index for index, _ in read] == [0, 0]


def test_a_fault_of_an_operator_is_raised(monkeypatch):
    def broken(stack, *, run) -> Stack:
        raise error

    monkeypatch.setitem(CATALOGUE, "broken", Operator(broken))
    error = UserError("a mask is needed")
    warm("broken")
    error = ValueError("shapes differ")
    with pytest.raises(ValueError, match="shapes differ"):
        warm("broken")


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_the_operator_meets_pixels_of_the_type_that_will_come(dtype, monkeypatch):
    met = []

    def look(stack, *, run):
        met.append((stack.dtype, stack.shape, stack.rgb))
        met_holes.append(stack.values(0)[1] is not None)

    met_holes = []

    monkeypatch.setitem(CATALOGUE, "look", Operator(look))
    warm("look", dtype=dtype)
    warm("look", dtype=dtype, colours=True)
    shapes = [((9, 96, 96), False), ((9, 96, 96, 3), True)]
    # As they are, and as registered frames are: floats, not valid everywhere.
    assert met == [(kind, *shape) for shape in shapes for kind in (dtype, np.float32)]
    assert met_holes == [False, True] * 2


def test_what_needs_other_kernels_is_warmed_too(monkeypatch):
    met = []
    entry = CATALOGUE["sigma_clip"]
    watched = replace(entry, source=lambda stack, run, **options: met.append(options))
    monkeypatch.setitem(CATALOGUE, "sigma_clip", watched)
    warm("sigma_clip")
    robust = {"centre": "median", "spread": "MAD"}
    assert met == [{}, {}, robust, robust]
    warm("sigma_clip", options={"sigma": 2.0})
    assert met[4:] == [{"sigma": 2.0}] * 2


def test_warming_can_be_stopped():
    def tick(done, total, what):
        raise Cancelled

    with pytest.raises(Cancelled):
        warm("combine", run=Run(tick=tick))


def test_an_unknown_operator_is_refused():
    with pytest.raises(ValueError, match=r"operator must be one of register, .*, got 'bake'"):
        warm("bake")
