"""The loops on a cluster of two processes: same results, and a killed worker loses nothing."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_stack import read
from napari_stack.cli import main
from napari_stack.core.source import ArraySource
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import combine, moving_average, register, sigma_clip

distributed = pytest.importorskip("distributed")

DATA = np.random.default_rng(4).integers(0, 60000, (40, 90, 70), np.uint16)


@pytest.fixture(scope="module")
def client():
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        yield client


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for i, frame in enumerate(DATA):
        tifffile.imwrite(tmp_path / f"{i:02}.tif", frame)
    monkeypatch.chdir(tmp_path)  # the workers are elsewhere
    return Path()


@dataclass(frozen=True)
class Deadly(ArraySource):
    """Frames of which one kills the process that reads it, the first time."""

    mark: str = ""

    def pixels(self, index, rows=None):
        if index == 20:
            try:
                Path(self.mark).touch(exist_ok=False)
            except FileExistsError:
                pass
            else:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().pixels(index, rows)

    def label(self, index):
        return f"deadly {index}"


REDUCERS = {
    "mean": combine,
    "weighted": lambda stack, run: combine(stack, method="weighted mean", run=run),
    "deviation": lambda stack, run: combine(stack, method="standard deviation", run=run),
    "product": lambda stack, run: combine(stack, method="product", run=run),
    "median": lambda stack, run: combine(stack, method="median", run=run),
    "clip": lambda stack, run: sigma_clip(stack, sigma=2, normalisation="both", run=run).image,
    "moving": lambda stack, run: combine(moving_average(stack, frames=3), method="median", run=run),
}


@pytest.mark.parametrize("name", REDUCERS)
def test_a_cluster_gives_what_threads_give(name, client, folder):
    stack = read(folder)
    there = REDUCERS[name](stack, run=Run(executor=client, memory=2**20))
    here = REDUCERS[name](stack, run=Run())
    np.testing.assert_allclose(there, here, rtol=1e-12)
    again = REDUCERS[name](stack, run=Run(executor=client, memory=2**20))
    np.testing.assert_array_equal(there, again)


def test_frames_in_files_are_not_sent(folder):
    import pickle

    stack = read(folder)
    assert len(pickle.dumps(stack)) < DATA.nbytes / 20
    there = pickle.loads(pickle.dumps(stack))
    assert all(Path(file).is_absolute() for file in there.source.files)


def test_a_killed_worker_does_not_lose_the_run(client, tmp_path):
    stack = Stack(Deadly(DATA, mark=str(tmp_path / "killed")))
    found = sigma_clip(stack, run=Run(executor=client, memory=2**20)).image
    assert (tmp_path / "killed").exists()
    np.testing.assert_array_equal(found, sigma_clip(Stack.wrap(DATA)).image)
    client.wait_for_workers(2, timeout=60)


def test_cancelling_stops_handing_out_parts(client):
    def tick(done, total, what):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        combine(Stack.wrap(DATA), run=Run(executor=client, tick=tick))


def test_registration_runs_there_too(client, drifting):
    there, here = (register(drifting, run=run) for run in (Run(executor=client), Run()))
    np.testing.assert_array_equal(there.transforms.matrices, here.transforms.matrices)


@pytest.fixture
def drifting():
    from scipy.ndimage import gaussian_filter, shift

    scene = gaussian_filter(np.random.default_rng(0).normal(size=(96, 112)), 2) * 400 + 1000
    frames = [shift(scene, (i, -2 * i), mode="nearest") for i in range(4)]
    return Stack.wrap(np.array(frames, np.float32))


def test_the_command_line_finds_a_scheduler(client, folder, capsys):
    address = client.scheduler_info(n_workers=0)["address"]
    command = ["sigma-clip", "*.tif", "-o", "out.tif", "--scheduler", address, "--memory", "1MiB"]
    assert main(command) == 0
    np.testing.assert_array_equal(read("out.tif")[0], sigma_clip(Stack.wrap(DATA)).image)


def test_a_scheduler_that_does_not_answer_is_named(folder, monkeypatch, capsys):
    monkeypatch.setattr("napari_stack.cli.cluster._PATIENCE", 0.2)
    assert main(["combine", "*.tif", "-o", "out.tif", "--scheduler", "tcp://127.0.0.1:9"]) == 1
    said = capsys.readouterr().err
    assert "no scheduler answers at tcp://127.0.0.1:9" in said
    assert not (folder / "out.tif").exists()
    assert main(["combine", "*.tif", "-o", "out.tif", "--scheduler", "nonsense://x"]) == 1
