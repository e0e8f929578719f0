"""A recipe on many series: names of folders, failures, cancelling."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.engine.run import Cancelled, Run
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.batch import run_each, saving, series_names


@pytest.fixture
def series(tmp_path):
    random = np.random.default_rng(3)
    paths = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        for number in range(3):
            frame = random.integers(0, 4000, (24, 30), np.uint16)
            ns.write(tmp_path / name / f"frame{number}.tif", frame)
        paths.append(str(tmp_path / name))
    return paths


RECIPE = Recipe([Step("balance"), Step("combine", save="mean.tif")])


def test_every_series_has_its_folder_and_its_own_measurement(series, tmp_path):
    heard = []
    results = run_each(RECIPE, series, tmp_path / "out", done=heard.append)
    assert [str(done) for done in results] == [f"{path}: 1 files" for path in series]
    assert [list(done.files) for done in heard] == [
        [tmp_path / "out" / name / "mean.tif"] for name in ("one", "two", "three")
    ]
    for path, done in zip(series, heard, strict=True):
        alone = ns.combine(ns.balance(ns.read(path)))
        np.testing.assert_array_equal(ns.read(next(iter(done.files)))[0], alone)


def test_one_that_fails_does_not_stop_the_others(series, tmp_path):
    (tmp_path / "two" / "frame1.tif").write_bytes(b"no image")
    results = run_each(RECIPE, [*series, str(tmp_path / "gone")], tmp_path / "out")
    assert [done.error is None for done in results] == [True, False, True, False]
    assert "frame1.tif" in str(results[1])
    assert not (tmp_path / "out" / "two").exists()


def test_a_bug_is_no_failure_of_a_series(series, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(Step, "apply", broken)
    with pytest.raises(ValueError, match="a bug"):
        run_each(RECIPE, series, tmp_path / "out")


def test_nothing_is_overwritten(series, tmp_path):
    run_each(RECIPE, series[:1], tmp_path / "out")
    (again,) = run_each(RECIPE, series[:1], tmp_path / "out")
    assert isinstance(again.error, FileExistsError)
    (replaced,) = run_each(RECIPE, series[:1], tmp_path / "out", overwrite=True)
    assert replaced.error is None


def test_a_result_among_the_frames_is_not_replaced(series, tmp_path):
    run_each(RECIPE, series[:1], tmp_path)  # into the folder of the frames
    (again,) = run_each(RECIPE, series[:1], tmp_path, overwrite=True)
    assert "mean.tif is an input, which would be lost" in str(again.error)


def test_cancelling_keeps_what_is_complete(series, tmp_path):
    seen = []

    def tick(done, total, what):
        seen.append(done / total)
        if len(seen) > 1 and done / total > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_each(RECIPE, series, tmp_path / "out", run=Run(tick=tick))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one"]
    assert seen == sorted(seen)


def test_names_of_folders(tmp_path):
    names = series_names(["a/cells.tif", "b/cells.ome.tif", "c/*.png", "d/cells"])
    assert list(names.values()) == ["cells", "cells.ome", "frames", "cells 2"]
    with pytest.raises(ValueError, match="named twice"):
        series_names(["a", "a"])
    with pytest.raises(ValueError, match="name a folder"):
        series_names([])


def test_the_last_step_saves():
    assert saving(Recipe([Step("combine")])).steps[-1].save == "{image}.tif"
    assert saving(Recipe([Step("balance")])).steps[-1].save == "frames.tif"
    assert saving(Recipe([Step("combine")]), "mean.png").steps[-1].save == "mean.png"
    assert saving(RECIPE, "other.tif") == RECIPE
