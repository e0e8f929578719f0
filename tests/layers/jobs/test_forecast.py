"""What a run will take is told before it, and agrees with what the run does."""

import tracemalloc
import warnings
from importlib import import_module

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

import napari_stack as ns
from napari_stack import layers, samples
from napari_stack.engine.scratch import Scratch
from napari_stack.layers import forecast, prepare
from napari_stack.layers.jobs.forecast import size_text


def image(shape, *, lazy=False, dtype=np.uint16, **more):
    data = da.zeros(shape, chunks=(1, *shape[1:]), dtype=dtype) if lazy else np.zeros(shape, dtype)
    return Image(data, rgb=False, multiscale=False, contrast_limits=(0, 1), **more)


class Refused:
    """Frames that nobody may read."""

    def __init__(self, shape, dtype=np.uint16):
        self.shape, self.dtype, self.ndim = shape, np.dtype(dtype), len(shape)

    def __getitem__(self, key):
        raise AssertionError("a frame was read")


def test_no_frame_is_computed():
    layer = image((4, 8, 8))
    layer._data = Refused((60, 4000, 6000))
    for name in ("sigma_clip", "focus_stack", "register", "combine"):
        told = forecast(prepare(name, layer), ns.Run(workers=2))
        assert told.text.startswith("60 frames, 6000 x 4000, uint16; ")


def test_too_few_to_clip_is_the_sentence_of_the_operator():
    layer = image((7, 8, 8))
    (told,) = forecast(prepare("sigma_clip", layer)).warnings
    with pytest.warns(UserWarning, match="7 frames cannot be clipped at 2.5 sigma") as heard:
        ns.sigma_clip(ns.Stack.wrap(np.zeros((7, 8, 8), np.uint16)))
    assert told == str(heard[0].message)
    enough = prepare("sigma_clip", layer, centre="median", spread="MAD")
    assert forecast(enough).warnings == ()
    assert not forecast(enough).futile
    assert forecast(prepare("sigma_clip", layer)).futile
    assert forecast(prepare("sigma_clip", image((9, 8, 8)))).warnings == ()


def test_a_reference_that_is_not_there():
    job = prepare("balance", image((4, 8, 8)), reference=9)
    assert forecast(job).warnings == ("reference 9 was asked for; the stack has 4 frames",)


def test_bits_of_the_data():
    stack, _ = samples.drifting_cells(4, (32, 40))
    layer = Image(np.asarray(stack), rgb=False)
    assert "40 x 32, 12-bit data in uint16" in forecast(prepare("balance", layer)).text
    layer.data = layer.data * 16
    assert "40 x 32, uint16" in forecast(prepare("balance", layer)).text


@pytest.mark.parametrize("name", ["sigma_clip", "combine"])
def test_memory_is_what_the_run_takes(name):
    layer = image((60, 500, 600))
    options = {"method": "median"} if name == "combine" else {}
    run = ns.Run(workers=1, memory=2**24)
    job = prepare(name, layer, **options)
    told = forecast(job, run)
    assert told.scratch == 0
    job.compute(run)  # compiled
    tracemalloc.start()
    job.compute(run)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.5 < taken / told.memory < 1.5, (taken, told.memory)


def test_scratch_is_what_the_run_writes(monkeypatch):
    asked = []
    opened = Scratch.open

    def open_scratch(self, stack, frames, **more):
        opened(self, stack, frames, **more)
        asked.append(self._stride * frames)

    monkeypatch.setattr(Scratch, "open", open_scratch)
    job = prepare("sigma_clip", image((30, 300, 400), lazy=True))
    run = ns.Run(memory=2**21)
    told = forecast(job, run)
    job.compute(run)
    assert asked == [told.scratch] == [30 * 300 * 400 * 2]
    assert "6.9 MiB of disk for a while" in told.text
    assert forecast(job).scratch == 0, "it fits the memory"


def test_large_results_take_disk():
    job = prepare("sigma_clip", image((3, 600, 800)))
    small, large = forecast(job, ns.Run(memory=2**20)), forecast(job)
    assert small.scratch == 600 * 800 * (2 + 4)
    assert large.scratch == 0
    assert large.memory - small.memory >= small.scratch


def test_a_disk_that_is_full_or_gone(monkeypatch, tmp_path):
    job = prepare("sigma_clip", image((30, 300, 400), lazy=True))
    monkeypatch.setattr(
        import_module("napari_stack.layers.jobs.forecast"), "free_scratch", lambda folder: 1000
    )
    (told,) = forecast(job, ns.Run(memory=2**21)).warnings
    assert told.startswith("1.0 KiB of disk are free for scratch files")
    monkeypatch.undo()
    (told,) = forecast(job, ns.Run(memory=2**21, scratch=tmp_path / "gone")).warnings
    assert "is not there" in told


def test_frames_that_are_left_out(cells):
    data = cells[0].copy()
    data[4] = 7
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = layers.register(Image(data, rgb=False), transform="translation")
    (told,) = forecast(prepare("combine", made)).warnings
    assert told == "1 of 5 frames failed or were ticked off, and are left out"
    assert not forecast(prepare("combine", made)).futile


def test_places_of_a_hyperstack(hyper_layer):
    told = forecast(prepare("sigma_clip", hyper_layer, axis="z", sigma=1.0))
    assert told.text.startswith("4 frames at 6 places, 80 x 64, 12-bit data in uint16; needs about")


def test_sizes_for_people():
    sizes = [size_text(n) for n in (0, 999, 1024, 2**20 * 150, 2**40 * 3, 2**60)]
    assert sizes == ["0 bytes", "999 bytes", "1.0 KiB", "150 MiB", "3.0 TiB", "1048576 TiB"]
