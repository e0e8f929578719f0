"""The catalogue: what follows from one entry, here and in packages that are installed."""

import csv
import inspect
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest
from napari.layers import Image
from numpy.typing import NDArray

import napari_stack as ns
from napari_stack import _widgets, layers
from napari_stack.cli import main
from napari_stack.core import catalogue
from napari_stack.core.catalogue import entry_of
from napari_stack.core.operator import resolve
from napari_stack.core.options import Bounds
from napari_stack.core.results import AlongAxis, Shown
from napari_stack.engine.run import Run
from napari_stack.layers.inspection.pixel_inspection import target_at
from napari_stack.operators import CATALOGUE, Operator
from napari_stack.operators.inspection.frame_table import FrameTable, frame_table
from napari_stack.recipe import Recipe, Step
from support import packages


def brighten(
    stack: ns.Stack, *, amount: Annotated[int, Bounds(0, 9)] = 1, run: Run = Run()
) -> ns.Stack:
    """Add to every pixel.

    Parameters
    ----------
    stack : Stack
    amount : int
        How much is added.
    run : Run
    """
    return ns.Stack.wrap(np.asarray(stack) + np.array(amount, stack.dtype))


def spread(stack: ns.Stack, *, run: Run = Run()) -> NDArray[np.float32]:
    """Measure the range of every pixel.

    Parameters
    ----------
    stack : Stack
    run : Run
    """
    return np.ptp(np.asarray(stack), axis=0).astype(np.float32)


class Ranges(NamedTuple):
    """A result whose parts say how they are shown."""

    image: NDArray[np.uint8]
    place: Annotated[NDArray[np.float32], AlongAxis("unit", "length"), Shown("plasma")]
    trust: Annotated[NDArray[np.float32], Shown("magma", most=2.0)]
    spread: NDArray[np.float32]


def ranges(
    stack: ns.Stack, *, unit: Literal["frame", "length"] = "frame", run: Run = Run()
) -> Ranges:
    """Measure where each pixel is brightest.

    Parameters
    ----------
    stack : Stack
    unit : str
        Of the places.
    run : Run
    """
    pixels = np.asarray(stack)
    place = pixels.argmax(axis=0) * (stack.axes[0].step if unit == "length" else 1)
    one = np.ones(pixels.shape[1:], np.float32)
    return Ranges(pixels[0], place.astype(np.float32), one, 7 * one)


@pytest.fixture
def data():
    return np.arange(60, dtype=np.uint8).reshape(3, 4, 5)


@pytest.fixture
def files(data, tmp_path):
    """The frames in a file, and the place of a result."""
    ns.write(tmp_path / "in.tif", ns.Stack.wrap(data))
    return str(tmp_path / "in.tif"), str(tmp_path / "out.tif")


# One entry is enough


def test_frames_come_out_of_all_that_one_entry_makes(data, files, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "brighten", Operator(brighten, main=("amount",)))
    np.testing.assert_array_equal(ns.brighten(ns.Stack.wrap(data)), data + 1)
    source, target = files
    assert main(["brighten", source, "-o", target, "--amount", "2"]) == 0
    np.testing.assert_array_equal(ns.read(target), data + 2)
    recipe = Recipe.from_json(json.loads(json.dumps(Recipe([Step("brighten")]).to_json())))
    np.testing.assert_array_equal(recipe.run(ns.Stack.wrap(data))["brighten"], data + 1)
    np.testing.assert_array_equal(layers.brighten(Image(data), amount=3).data, data + 3)
    assert list(inspect.signature(layers.brighten).parameters)[-2:] == ["amount", "run"]
    dock = _widgets.BrightenDock
    assert (dock.operator, dock.main) == ("brighten", ("amount",))
    assert "brighten" in ns.__all__
    assert "BrightenDock" in _widgets.__all__


@pytest.mark.parametrize(("unit", "deepest"), [("frame", 2), ("length", 5)])
def test_a_result_declares_how_its_images_are_shown(data, unit, deepest, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "ranges", Operator(ranges))
    frames = Image(data, scale=(2.5, 1, 1))
    image, place, trust, spread = layers.ranges(frames, unit=unit)
    assert image.visible
    assert not any(layer.visible for layer in (place, trust, spread))
    found = [(layer.colormap.name, *layer.contrast_limits) for layer in (place, trust, spread)]
    assert found == [("plasma", 0, deepest), ("magma", 0, 2), ("gray", 0, 7)]
    assert target_at(image, (0, 1, 1)).frame == 2  # the brightest


def test_images_come_out_of_all_that_one_entry_makes(data, files, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "spread", Operator(spread))
    expected = np.full((4, 5), 40)
    np.testing.assert_array_equal(ns.spread(ns.Stack.wrap(data)), expected)
    source, target = files
    assert main(["spread", source, "-o", target]) == 0
    np.testing.assert_array_equal(ns.read(target)[0], expected)
    np.testing.assert_array_equal(
        Recipe([Step("spread")]).run(ns.Stack.wrap(data))["spread"], expected
    )
    (layer,) = layers.spread(Image(data))
    np.testing.assert_array_equal(layer.data, expected)
    assert _widgets.SpreadDock.operator == "spread"


def test_what_is_not_in_the_catalogue_is_no_attribute():
    for module in (ns, ns.operators, layers, _widgets):
        for name in ("brighten", "BrightenDock", "_hidden", "focus"):
            if (module, name) != (ns.operators, "focus"):  # the folder of a family
                assert not hasattr(module, name)


# What an entry says


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_entry_holds(name):
    entry = CATALOGUE[name]
    entry.check()
    assert entry is entry_of(entry.function)
    assert getattr(ns, name) is getattr(ns.operators, name) is entry.function
    assert entry.function.__name__ == name
    lazy = [*entry.plots.values(), entry.result_dtype, entry.note, entry.caution]
    for reference in (*lazy, entry.clipped_values, entry.in_bands):
        if isinstance(reference, str):
            assert callable(resolve(reference))


def test_what_comes_out_is_read_from_the_annotation():
    def volumes(stack: ns.Hyperstack, *, run=None) -> ns.Hyperstack: ...
    def nothing(stack, *, run=None): ...

    assert Operator(brighten).kind == "frames"
    assert Operator(spread).kind == "images"
    assert Operator(volumes).kind == "volumes"
    assert Operator(nothing, output="table").kind == "table"
    with pytest.raises(ValueError, match="nothing needs a return annotation"):
        Operator(nothing).check()


def test_volumes_are_worked_on_as_a_whole(monkeypatch):
    def mirror(stack: ns.Hyperstack, *, run: Run = Run()) -> ns.Hyperstack:
        """Mirror volumes.

        Parameters
        ----------
        stack : Hyperstack
        run : Run
        """
        return ns.Hyperstack.wrap(np.asarray(stack)[:, ::-1], axes="tzyx")

    monkeypatch.setitem(CATALOGUE, "mirror", Operator(mirror))
    data = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    steps = [Step("mirror"), Step("combine", {"method": "maximum"}, axis="z")]
    results = Recipe(steps).run(ns.Hyperstack.wrap(data, axes="tzyx"))
    np.testing.assert_array_equal(results["mirror"], data[:, ::-1])
    np.testing.assert_array_equal(results["combine"], data.max(axis=1))
    with pytest.raises(ValueError, match="mirror works on volumes, and these are frames along"):
        Step("mirror").apply(ns.Stack.wrap(data[0]))


def test_a_table_comes_out(data, files, monkeypatch, tmp_path):
    def brightness(stack: ns.Stack, *, run: Run = Run()) -> FrameTable:
        """Measure the mean of every frame.

        Parameters
        ----------
        stack : Stack
        run : Run
        """
        return frame_table(stack, {"mean": [frame.mean() for frame in stack]})

    monkeypatch.setitem(CATALOGUE, "brightness", Operator(brightness, output="table"))
    source, target = files[0], tmp_path / "means.csv"
    assert main(["brightness", source, "-o", str(target)]) == 0
    means = [float(line["mean"]) for line in csv.DictReader(io.StringIO(target.read_text()))]
    np.testing.assert_allclose(means, data.mean(axis=(1, 2)))
    assert main(["brightness", source, "-o", str(tmp_path / "means.tif")]) == 1
    hyper = ns.Hyperstack.wrap(np.stack([data, data + 1], 1), axes="tcyx")
    step = Step("brightness", measure_at={"c": 1}, save="out.csv")
    result = Recipe([step, Step("combine")]).run(hyper, folder=tmp_path)["brightness"]
    np.testing.assert_allclose(result.columns["mean"], data.mean(axis=(1, 2)) + 1)
    assert (tmp_path / "out.csv").is_file()
    with pytest.raises(ValueError, match="brightness gives a table, which is no layer"):
        layers.brightness(Image(data))


def test_axes_that_are_consumed():
    axes = [ns.Axis(name) for name in "tczyx"]

    def left(entry):
        return "".join(axis.name for axis in entry.remaining(axes, "z"))

    assert left(Operator(spread)) == "tcyx"
    assert left(Operator(brighten)) == "tczyx"
    assert left(Operator(spread, consumes=("stacked", "c"))) == "tyx"


def test_an_entry_that_names_an_unknown_option_is_refused():
    with pytest.raises(ValueError, match="brighten has no option 'strength'"):
        Operator(brighten, main=("strength",)).check()
    with pytest.raises(ValueError, match="combine has no option 'mode'"):
        replace(CATALOGUE["combine"], named_by="mode").check()


# Installed packages


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "site"
    packages.install_example(folder)
    with packages.installed(folder):
        yield folder


def test_an_installed_package_brings_an_operator(package, data, files):
    inverted = 255 - data
    assert list(CATALOGUE)[-1] == "invert"
    np.testing.assert_array_equal(ns.invert(ns.Stack.wrap(data)), inverted)
    source, target = files
    assert main(["invert", source, "-o", target, "--white", "100"]) == 0
    np.testing.assert_array_equal(ns.read(target), 100 - data)
    plain = {"format": "napari-stack recipe", "version": 1, "steps": [{"operator": "invert"}]}
    result = Recipe.from_json(plain).run(ns.Stack.wrap(data))["invert"]
    np.testing.assert_array_equal(result, inverted)
    np.testing.assert_array_equal(layers.invert(Image(data)).data, inverted)
    assert entry_of(ns.invert) is CATALOGUE["invert"]


def test_it_works_in_a_process_of_its_own(package, files):
    source, target = files
    words = [sys.executable, "-m", "napari_stack.cli", "invert", source, "-o", target]
    paths = os.pathsep.join([str(package), *sys.path])
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": paths}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_its_manifest_names_the_dock(package):
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-stack-invert")
    (command,) = manifest.contributions.commands
    module, _, name = command.python_name.partition(":")
    assert module == "napari_stack._widgets"
    assert getattr(_widgets, name).operator == "invert"


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("raise RuntimeError('it is broken')", "RuntimeError: it is broken"),
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named"),
        ("def darken(stack, run): ...", "darken needs a return annotation"),
        ("darken = 3", "UserError: darkening:darken is neither"),
        ("", "AttributeError: module 'darkening' has no attribute 'darken'"),
    ],
)
def test_a_broken_package_is_left_out_with_a_warning(module, error, tmp_path, data):
    (tmp_path / "darkening.py").write_text(module)
    packages.install(tmp_path, "dark-ening", {catalogue.GROUP: {"darken": "darkening:darken"}})
    packages.install_example(tmp_path)
    with packages.installed(tmp_path):
        np.testing.assert_array_equal(ns.combine(ns.Stack.wrap(data)), data[1])  # not asked for
        with pytest.warns(
            UserWarning, match=f"'darken' of the package dark-ening .*{error}"
        ) as told:
            names = list(CATALOGUE)
        assert len(told) == 1
        assert "darken" not in names
        assert names[-1] == "invert"  # the others are there
        assert list(CATALOGUE) == names  # no second warning


@pytest.mark.parametrize("name", ["combine", "run", "preview", "Darken", "to-dark"])
def test_a_name_that_is_taken_or_no_name_is_refused(name, tmp_path):
    (tmp_path / "darkening.py").write_text("")
    packages.install(tmp_path, "darkening", {catalogue.GROUP: {name: "darkening:darken"}})
    text = f"'{name}' of the package darkening is left out"
    with packages.installed(tmp_path), pytest.warns(UserWarning, match=text):
        assert len(CATALOGUE) == len(CATALOGUE.own)
    assert CATALOGUE["combine"].function is ns.combine


def test_names_of_the_project_are_reserved():
    commands = {"run", "demo"}
    docks = {name.removesuffix("Dock") for name in _widgets._HOMES}
    taken = {*commands, *layers.__all__, *ns.__all__} | {_snake(name) for name in docks}
    lower = {name for name in taken if name.islower()}
    assert lower - set(CATALOGUE.own) <= ns.operators.reserved_names()


def _snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_a_broken_package_stops_no_command(tmp_path, files, capsys):
    (tmp_path / "darkening.py").write_text("raise RuntimeError('it is broken')")
    packages.install(tmp_path, "darkening", {catalogue.GROUP: {"darken": "darkening:darken"}})
    source, target = files
    with packages.installed(tmp_path):
        assert main(["combine", source, "-o", target]) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("napari-stack: warning: the operator 'darken' of the package darkening")
