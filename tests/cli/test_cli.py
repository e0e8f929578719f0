"""The command line: the same options, sentences and pixels as a script and a recipe."""

import errno
import io
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_stack as ns
from napari_stack.cli import jobs, main, report
from napari_stack.cli.flags import command_name, flags_of, memory_size, options_given, position
from napari_stack.core.options import options_of
from napari_stack.files import read_recipe
from napari_stack.operators import CATALOGUE
from napari_stack.operators.focus.depth import DepthState
from napari_stack.recipe import Recipe

OPERATORS = list(CATALOGUE)

#: What is measured soonest, where it does not matter.
SHIFTS = ["--transform", "translation"]

OUT_OF_RANGE = [
    ("sigma_clip", {"sigma": 101}, "--sigma 101"),
    ("sigma_clip", {"sigma": 0.05}, "--sigma 0.05"),
    ("sigma_clip", {"iterations": -1}, "--iterations -1"),
    ("sigma_clip", {"iterations": 2.5}, "--iterations 2.5"),
    ("sigma_clip", {"sigma": "many"}, "--sigma many"),
    ("combine", {"method": "median of means"}, "--method median of means"),
    ("register", {"reference": "midle"}, "--reference midle"),
    ("register", {"channel": 10_000}, "--channel 10000"),
    ("register", {"transform": "affin"}, "--transform affin"),
]


@pytest.fixture(scope="module")
def stack():
    stack, _ = ns.samples.drifting_cells(frames=6, size=(72, 88), shift=3, rotation=0.5)
    return stack


@pytest.fixture(scope="module")
def frames(stack, tmp_path_factory):
    """Write the frames to a folder of TIFF files."""
    folder = tmp_path_factory.mktemp("series") / "frames"
    ns.write(folder, stack)
    return str(folder)


@pytest.fixture(scope="module")
def hyper(tmp_path_factory):
    data, _ = ns.samples.hyperstack(times=3, slices=4, size=(48, 56))
    path = tmp_path_factory.mktemp("hyper") / "hyper.tif"
    ns.write(path, data)
    return str(path)


@pytest.fixture
def page(monkeypatch, capsys):
    """Give the text of a help page without its frame."""
    monkeypatch.setenv("COLUMNS", "500")

    def text(*words):
        assert main(list(words)) == 0
        return _plain(capsys.readouterr().out)

    return text


def _plain(text):
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─]", " ", text).split())


def _said(capsys):
    """Return the one line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def _all_options(operator):
    for option in options_of(operator).values():
        yield command_name(option.name), option
        for method, owner in option.methods.items():
            for inner in options_of(owner).values():
                yield f"{command_name(method).lower()}-{command_name(inner.name)}", inner


# Help


@pytest.mark.parametrize("name", OPERATORS)
def test_help_shows_text_default_choices_and_range_of_every_option(name, page):
    shown = page(command_name(name), "--help")
    for flag, option in _all_options(CATALOGUE[name].function):
        assert f"--{flag} " in shown
        assert " ".join(option.help.split()) in shown
        if option.bounds:
            assert f"Range: {option.bounds}." in shown
        if option.kind in (int, float):
            assert f"--{flag} {'CHOICE|' if option.choices else ''}NUMBER " in shown
        if option.choices:
            assert f"[choices: {', '.join(map(command_name, option.choices))}]" in shown
        if option.default is not None:
            assert re.search(
                rf"--{flag} .*?{re.escape(option.help)}.*?\[default: {option.default}\]", shown
            )


def test_help_lists_all_commands(page):
    shown = page("--help")
    for name in (*map(command_name, OPERATORS), "run", "demo"):
        assert f" {name} " in shown


@pytest.mark.parametrize("command", ["run", "demo"])
def test_help_of_the_other_commands(command, page):
    assert f"Usage: napari-stack {command}" in page(command, "--help")


def test_version(page):
    assert page("--version") == ns.__version__


@pytest.mark.parametrize("name", OPERATORS)
def test_flags_of_operators_and_of_commands_have_different_names(name):
    flags = [flag.name for flag in flags_of(CATALOGUE[name].function)]
    shared = {flag.name for flag in jobs.Settings.flags()}
    shared |= {"inputs", "output", "overwrite", "at", "measure_each", "transforms"}
    assert len(set(flags)) == len(flags)
    assert not set(flags) & shared


def test_help_imports_no_engine():
    heavy = ("napari", "qtpy", "magicgui", "cv2", "numba", "scipy", "dask", "tifffile", "tqdm")
    code = (
        "import sys; from napari_stack.cli import main; main(['--help']); "
        "main(['register', '--help']); "
        f"sys.exit(' '.join(name for name in {heavy} if name in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_runs_as_a_module():
    command = [sys.executable, "-m", "napari_stack.cli", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == ns.__version__


# What is refused before anything is read (status 2)


@pytest.mark.parametrize(("name", "options", "typed"), OUT_OF_RANGE)
def test_out_of_range_is_the_sentence_of_the_call_and_of_the_recipe(
    name, options, typed, stack, capsys
):
    plain = {"operator": name, "options": options}
    with pytest.raises(ValueError, match=name) as call:
        CATALOGUE[name](stack, **options)
    with pytest.raises(ValueError, match=name) as recipe:
        Recipe.from_json({"format": "napari-stack recipe", "version": 1, "steps": [plain]})
    flag, _, value = typed.partition(" ")
    assert main([command_name(name), "nothing.tif", "-o", "out.tif", flag, value]) == 2
    assert _said(capsys) == f"napari-stack: {call.value}" == f"napari-stack: {recipe.value}"


def test_out_of_range_of_a_method_is_the_sentence_of_its_class(capsys):
    with pytest.raises(ValueError, match="kernel_size") as call:
        ns.Pyramid(kernel_size=99)
    words = ["focus-stack", "nothing.tif", "-o", "out.tif", "--pyramid-kernel-size", "99"]
    words += ["--method", "pyramid"]
    assert main(words) == 2
    assert _said(capsys) == f"napari-stack: {call.value}"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("register a.tif -o b.tif --features-ratio 0.8", "--method features"),
        ("combine a.tif -o b.tif --memory plenty", "512MiB"),
        ("combine a.tif -o b.tif --memory 1KB", "1 MiB"),
        ("combine a.tif -o b.tif --workers 0", "1 worker"),
        ("register a.tif -o b.tif --at c", "c=1,z=maximum"),
        ("combine a.tif", "-o result.tif"),
        ("combine a.tif -o", "requires an argument"),
        ("combine a.tif -o b.tif --sigma 3", "--sigma"),
        ("combin a.tif -o b.tif", "combin"),
        ("combine a.tif -o b.tif --every two", "two"),
    ],
)
def test_a_command_without_sense_gets_one_sentence(typed, sentence, capsys):
    assert main(typed.split()) == 2
    said = _said(capsys)
    assert said.startswith("napari-stack: ")
    assert sentence in said


# What cannot be done (status 1)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("combine {tmp}/nothing.tif -o {tmp}/out.tif", "nothing.tif"),
        ("combine {tmp}/*.tif -o {tmp}/out.tif", "*.tif"),
        ("combine -o {tmp}/out.tif", "no file is given"),
        ("combine {frames} -o {tmp}/out.jpg", ".jpg"),
        ("combine {frames} -o {tmp}/out", "out.tif"),
        ("combine {frames} -o {tmp}/missing/out.tif", "missing"),
        ("combine {frames} -o {tmp}/out.tif --start 9", "start=9"),
        ("combine {frames} -o {tmp}/out.tif --axis z", "'z'"),
        ("register {frames} -o {tmp}/out.tif --reference 9", "6 frames"),
        ("register {frames} -o {tmp}/out.tif --at c=1", "one axis"),
        ("register {frames} -o {tmp}/out.tif --transforms {tmp}/moves.tsv", ".json"),
        ("register {frames} -o {tmp}/out.tif --region {tmp}/mask.png", "mask.png"),
        ("run {tmp}/none.json {frames} -o {tmp}/results", "none.json"),
    ],
)
def test_what_cannot_be_done_gets_one_sentence_and_leaves_nothing(
    typed, sentence, frames, tmp_path, capsys
):
    assert main(typed.format(tmp=tmp_path, frames=frames).split()) == 1
    assert sentence in _said(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [TypeError, ValueError, AttributeError, KeyError])
def test_a_bug_keeps_its_traceback(kind, frames, tmp_path, monkeypatch, capsys):
    def broken(*_, **__):
        raise kind("a bug")

    monkeypatch.setattr(jobs.Step, "apply", broken)
    assert main(["combine", frames, "-o", str(tmp_path / "out.tif")]) == 3
    *lines, last = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert any("in broken" in line for line in lines)
    assert last == "napari-stack: this is a fault of the program: please report the lines above"


def test_debug_shows_where_an_error_came_up(tmp_path, capsys):
    words = ["combine", str(tmp_path / "nothing.tif"), "-o", str(tmp_path / "out.tif")]
    assert main([*words, "--debug"]) == 1
    *lines, last = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert main(words) == 1
    assert last == _said(capsys)
    assert main(["combine", "a.tif", "-o", "b.tif", "--workers", "0", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_the_disk_gets_one_sentence(frames, tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "out.tif")

    monkeypatch.setattr(jobs.Step, "apply", full)
    assert main(["combine", frames, "-o", str(tmp_path / "out.tif")]) == 1
    assert _said(capsys) == "napari-stack: out.tif: no space left on device"


def test_too_little_memory_gets_one_sentence(frames, tmp_path, monkeypatch, capsys):
    def hungry(*_, **__):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr(jobs.Step, "apply", hungry)
    assert main(["combine", frames, "-o", str(tmp_path / "out.tif")]) == 1
    assert "Unable to allocate 3 TiB" in _said(capsys)


@pytest.mark.parametrize("command", ["combine", "sigma-clip", "register"])
def test_an_existing_output_is_refused_before_the_work(
    command, frames, tmp_path, monkeypatch, capsys
):
    output = tmp_path / "out.tif"
    output.write_bytes(b"mine")
    with monkeypatch.context() as patch:
        patch.delattr(jobs.Step, "apply")
        assert main([command, frames, "-o", str(output)]) == 1
    said = _said(capsys)
    assert "out.tif exists" in said
    assert "--overwrite" in said
    assert output.read_bytes() == b"mine"
    options = ["--sigma", "2"] if command == "sigma-clip" else []
    assert main([command, frames, "-o", str(output), "--overwrite", *options]) == 0
    assert output.read_bytes() != b"mine"


def test_an_input_is_not_replaced(stack, tmp_path, capsys):
    path = tmp_path / "series.tif"
    ns.write(path, stack)
    before = path.read_bytes()
    assert main(["combine", str(path), "-o", str(path), "--overwrite"]) == 1
    assert "series.tif is an input, which would be lost" in _said(capsys)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("typed", "lost"),
    [
        ("register {frames} -o {frames} --overwrite", "frame_0.tif"),
        ("sigma-clip {frames} -o {frames}/frame_2.tif --overwrite", "frame_2.tif"),
        ("sigma-clip {tmp}/image.tif -o {tmp}/{{image}}.tif --overwrite", "image.tif"),
        ("run {tmp}/mean.json {frames} -o {frames} --overwrite", "frame_1.tif"),
        ("register {tmp}/link.tif -o {tmp}/image.tif --overwrite", "image.tif"),
    ],
)
def test_no_file_of_the_input_is_replaced(typed, lost, frames, stack, tmp_path, capsys):
    image = tmp_path / "image.tif"
    ns.write(image, stack)
    (tmp_path / "link.tif").symlink_to(image)
    Recipe([ns.Step("combine", save="frame_1.tif")]).save(tmp_path / "mean.json")
    before = {path: path.read_bytes() for path in [image, *Path(frames).iterdir()]}
    assert main(typed.format(frames=frames, tmp=tmp_path).split()) == 1
    assert f"{lost} is an input, which would be lost" in _said(capsys)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("command", "name", "sentence"),
    [
        ("sigma-clip", "out_{imag}.tif", "{imag} in its name, which stands for nothing: {image}"),
        ("register", "out_{image}.tif", "stands for nothing: frames have none"),
    ],
)
def test_a_place_that_nothing_fills_is_refused(command, name, sentence, frames, tmp_path, capsys):
    assert main([command, frames, "-o", str(tmp_path / name)]) == 1
    assert sentence in _said(capsys)
    assert not list(tmp_path.glob("out*"))


def test_all_images_of_a_result_are_refused_before_the_work(frames, tmp_path, monkeypatch, capsys):
    (tmp_path / "out_rejected.tif").write_bytes(b"mine")
    monkeypatch.delattr(jobs.Step, "apply")
    assert main(["sigma-clip", frames, "-o", str(tmp_path / "out_{image}.tif")]) == 1
    assert "out_rejected.tif exists" in _said(capsys)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("register {frames} -o {tmp}/there", "frame_3.tif exists"),
        ("register {frames} -o {tmp}/missing/moved", "missing does not exist"),
        ("register {frames} -o {tmp}/moved.png", "6 frames"),
        ("combine {frames} -o {tmp}/missing/mean.tif", "missing does not exist"),
        ("combine {frames} -o {tmp}/there.tif", "there.tif is a folder"),
        ("combine {frames} --method sum -o {tmp}/sum.png", "float64"),
        ("focus-stack {frames} -o {tmp}/f_{{image}}.png", "float32"),
        ("register {frames} -o {tmp}/a.tif --transforms {tmp}/missing/a.json", "missing does not"),
        ("register {frames} -o {tmp}/a.tif --transforms {tmp}/there.json", "there.json exists"),
        (
            "register {frames} -o {tmp}/a.tif --nonrigid rows --transforms {tmp}/a.zarr",
            "a.zarr: this form does not hold rows: name a .json or .npz file",
        ),
        (
            "register {frames} -o {tmp}/a.tif --transform affine --transforms {tmp}/a.txt",
            "does not hold affine",
        ),
        ("run {tmp}/there.json {frames} -o {tmp}/results", "float32"),
        ("run {tmp}/last.json {frames} -o {tmp}/missing/mean.tif", "missing does not exist"),
        ("run {tmp}/last.json {frames} -o {tmp}/there.json", "a file where a folder is needed"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(
    typed, sentence, frames, tmp_path, monkeypatch, capsys
):
    ns.write(tmp_path / "there", ns.read(frames).select([3]))
    (tmp_path / "there.tif").mkdir()
    steps = [ns.Step("register"), ns.Step("focus_stack", save="sub/depth_{image}.png")]
    Recipe(steps).save(tmp_path / "there.json")
    Recipe([ns.Step("combine", save="" if "mean" in typed else "a.tif")]).save(
        tmp_path / "last.json"
    )
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.delattr(jobs.Step, "apply")
    assert main(typed.format(tmp=tmp_path, frames=frames).split()) == 1
    assert sentence in _said(capsys)
    assert sorted(tmp_path.rglob("*")) == before


# Ctrl-C


@pytest.mark.parametrize(
    "typed",
    ["combine {frames} -o {tmp}/out.tif", "sigma-clip {frames} -o {tmp}/out_{{image}}.tif",
     "focus-stack {frames} -o {tmp}/out.tif", "register {frames} -o {tmp}/out",
     "register {frames} -o {tmp}/out.tif --transforms {tmp}/moves.json",
     "run {recipe} {frames} -o {tmp}/results"],
)  # fmt: skip
@pytest.mark.parametrize("ticks", [2, 7])
def test_an_interrupt_leaves_nothing(typed, ticks, frames, tmp_path, monkeypatch, capsys):
    count = iter(range(10_000))

    def tick(*_):
        if next(count) >= ticks:
            raise KeyboardInterrupt

    @contextmanager
    def progress(quiet):
        yield tick

    monkeypatch.setattr(jobs, "progress", progress)
    recipe = tmp_path / "recipe.json"
    Recipe([ns.Step("register", save="moved"), ns.Step("combine", save="mean.tif")]).save(recipe)
    assert main(typed.format(frames=frames, tmp=tmp_path, recipe=recipe).split()) == 130
    assert "cancelled" in capsys.readouterr().err
    moves = tmp_path / "moves.json"
    if moves.exists():  # measured and whole: the frames came after them
        assert len(ns.Transforms.load(moves)) == 6
        moves.unlink()
    assert list(tmp_path.iterdir()) == [recipe]


# End to end


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("name", ["combine", "sigma_clip"])
def test_a_series_gives_the_pixels_of_the_call(name, suffix, tmp_path):
    rng = np.random.default_rng(3)
    data = rng.integers(0, 256, (12, 20, 30, 3), np.uint8)
    for index, frame in enumerate(data):
        ns.write(tmp_path / f"{index}.{suffix}", frame, rgb=True)
    output = tmp_path / "out" / f"result.{suffix}"
    output.parent.mkdir()
    assert main([command_name(name), str(tmp_path), "-o", str(output), "--quiet"]) == 0
    expected = CATALOGUE[name](ns.Stack.wrap(data))
    written = ns.read(output)
    np.testing.assert_array_equal(written[0], expected[0] if name == "sigma_clip" else expected)
    assert written.rgb
    assert read_recipe(output)["steps"] == [{"operator": name}]


def test_options_reach_the_operator(frames, stack, tmp_path):
    output = tmp_path / "out.tif"
    words = [frames, "--sigma", "1.5", "--iterations", "2", "--memory", "1MiB", "--workers", "2"]
    assert main(["sigma-clip", *words, "-o", str(output)]) == 0
    expected = ns.sigma_clip(stack, sigma=1.5, iterations=2).image
    np.testing.assert_array_equal(ns.read(output)[0], expected)
    assert read_recipe(output)["steps"][0]["options"] == {"sigma": 1.5, "iterations": 2}


def test_options_of_a_method_reach_the_operator(frames, stack, tmp_path):
    words = ["--pyramid-kernel-size", "7", "--method", "pyramid", "--pyramid-min-size", "16"]
    assert main(["focus-stack", frames, *words, "-o", str(tmp_path / "{image}.tif")]) == 0
    expected = ns.focus_stack(stack, method=ns.Pyramid(kernel_size=7, min_size=16))
    assert expected.uncertainty is None
    for name, image in expected._asdict().items():
        if name != "uncertainty":
            np.testing.assert_array_equal(ns.read(tmp_path / f"{name}.tif")[0], image)


def test_a_depth_that_is_not_written_is_not_measured(frames, stack, tmp_path, monkeypatch):
    expected = ns.focus_stack(stack, method="pyramid").image
    monkeypatch.delattr(DepthState, "maps")
    output = tmp_path / "out.tif"
    assert main(["focus-stack", frames, "--method", "pyramid", "-o", str(output)]) == 0
    np.testing.assert_array_equal(ns.read(output)[0], expected)
    assert read_recipe(output)["steps"][0]["options"] == {"method": "pyramid"}
    words = ["--no-depth", "-o", str(tmp_path / "{image}.tif")]
    assert main(["focus-stack", frames, "--method", "pyramid", *words]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.tif")) == ["image.tif", "out.tif"]


def test_register_writes_frames_and_transforms(frames, stack, tmp_path, capsys):
    moves = tmp_path / "moves.json"
    words = [frames, "-o", str(tmp_path / "moved"), "--transforms", str(moves)]
    assert main(["register", *words, "--transform", "translation", "--reference", "0"]) == 0
    expected = ns.register(stack, transform="translation", reference=0)
    np.testing.assert_array_equal(np.asarray(ns.read(tmp_path / "moved")), np.asarray(expected))
    assert ns.Transforms.load(moves) == expected.transforms
    card, *said, end = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"register: 6 of 6 frames aligned, drift up to \d+\.\d+ px", card)
    assert said == [
        f"{moves}: transforms of 6 frames",
        f"{tmp_path / 'moved'}: (6, 72, 88) uint16",
    ]
    assert re.fullmatch(r"done in \d+\.\d s", end)


@pytest.fixture(scope="module")
def shifts(stack):
    return ns.measure_transforms(stack.select([0, 1]), transform="translation")


@pytest.mark.parametrize("suffix", ["json", "csv", "txt", "npy"])
def test_transforms_are_written_in_the_form_of_the_suffix(suffix, frames, shifts, tmp_path):
    moves, moved = tmp_path / f"moves.{suffix}", str(tmp_path / "moved.tif")
    words = [frames, "-o", moved, "--transforms", str(moves), "--stop", "2", *SHIFTS]
    assert main(["register", *words]) == 0
    expected = shifts
    np.testing.assert_allclose(ns.Transforms.load(moves).matrices, expected.matrices, atol=1e-6)


def test_a_mask_is_given_by_its_path(frames, stack, tmp_path):
    mask = np.zeros((72, 88), np.uint8)
    mask[8:-8, 8:-8] = 1
    ns.write(tmp_path / "mask.png", mask)
    output = tmp_path / "moved.tif"
    words = [*SHIFTS, "--region", str(tmp_path / "mask.png")]
    assert main(["register", frames, "-o", str(output), *words]) == 0
    expected = ns.register(stack, transform="translation", region=mask)
    np.testing.assert_array_equal(ns.read(output)[2], expected[2])
    assert read_recipe(output)["steps"][0]["options"]["region"].endswith("mask.png")


def test_some_frames(frames, stack, tmp_path):
    output = tmp_path / "out.tif"
    some = ["--start", "1", "--stop", "-1", "--every", "2"]
    assert main(["combine", frames, *some, "-o", str(output)]) == 0
    np.testing.assert_array_equal(ns.read(output)[0], ns.combine(stack.select([1, 3])))


@pytest.mark.parametrize("series", ["1", "large"])
def test_one_of_several_images(series, tmp_path):
    small, large = np.ones((3, 8, 9), np.uint8), np.full((2, 10, 11), 7, np.uint8)
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for name, pixels in (("small", small), ("large", large)):
            tif.write(pixels, metadata={"axes": "TYX", "Name": name})
    command = ["combine", str(tmp_path / "two.ome.tif"), "-o", str(tmp_path / "out.tif")]
    assert main([*command, "--series", series, "--quiet"]) == 0
    np.testing.assert_array_equal(ns.read(tmp_path / "out.tif")[0], large[0])


@pytest.mark.parametrize(("names", "shape"), [("yes", (3, 4, 5)), ("a_{c}-{z}", (2, 4, 5))])
def test_axes_in_names(names, shape, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for t in range(2):
        for z in range(3):
            name = f"a_t{t}_z{z}.tif" if names == "yes" else f"a_{t}-{z}.tif"
            tifffile.imwrite(folder / name, np.full((4, 5), 10 * t + z, np.uint8))
    command = ["combine", str(folder), "-o", str(tmp_path / "out.tif"), "--from-names", names]
    axis = "t" if names == "yes" else "z"
    assert main([*command, "--axis", axis, "--quiet"]) == 0
    found = np.asarray(ns.read(tmp_path / "out.tif")).reshape(shape)[:, 0, 0]
    assert found.tolist() == ([5, 6, 7] if names == "yes" else [1, 11])


def test_a_sensor_without_demosaicing(tmp_path):
    mosaic = np.tile(np.array([[40, 90], [90, 200]], np.uint8), (2, 10, 15))
    numbers = np.array([0, 8, 0, 30, 20, 8, 2], "<i4")  # red, green, green, blue
    head = b"LUCAM-RECORDER" + numbers.tobytes() + bytes(136)
    (tmp_path / "a.ser").write_bytes(head + mosaic.tobytes())
    for flags, expected in ([], (20, 30, 3)), (["--no-demosaic"], (20, 30)):
        out = tmp_path / f"out{len(flags)}.tif"
        command = ["combine", str(tmp_path / "a.ser"), "-o", str(out), "--quiet"]
        assert main([*command, *flags]) == 0
        found = ns.read(out)[0]
        assert found.shape == expected
    np.testing.assert_array_equal(found, mosaic[0])


def test_frames_that_cannot_be_registered_are_named(stack, tmp_path, capsys):
    noise = np.random.default_rng(0).normal(500, 50, (1, *stack.shape[1:])).astype(np.uint16)
    ns.write(tmp_path / "in.tif", ns.Stack.wrap(np.concatenate([np.asarray(stack), noise])))
    words = ["-o", str(tmp_path / "out.tif"), "--framing", "common"]
    assert main(["register", str(tmp_path / "in.tif"), *words]) == 0
    assert "1 of 7 frames could not be registered: in.tif page 7" in _said(capsys)


def test_clipped_pixels_are_counted(tmp_path, capsys):
    data = np.full((2, 60, 80), [[[200]], [[100]]], np.uint8)
    data[1, 0, :3] = 180
    ns.write(tmp_path / "in.tif", ns.Stack.wrap(data))
    words = ["--reference", "first", "--subsample", "1", "-o", str(tmp_path / "out.tif")]
    assert main(["balance", str(tmp_path / "in.tif"), *words]) == 0
    told = "note: balancing clips 3 pixels in 1 frames, most in in.tif page 2"
    assert told in capsys.readouterr().out
    assert main(["balance", str(tmp_path / "in.tif"), *words, "--quiet", "--overwrite"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_one_line(frames, tmp_path, capsys):
    words = ["--stop", "3", "-o", str(tmp_path / "out.tif")]
    assert main(["sigma-clip", frames, *words]) == 0
    assert _said(capsys).startswith("napari-stack: warning: 3 frames cannot be clipped")


def test_quiet(frames, tmp_path, capsys):
    assert main(["combine", frames, "-o", str(tmp_path / "out.tif"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


# More axes than one


def test_focus_stack_over_z_for_all_times_and_channels(hyper, tmp_path):
    output = tmp_path / "out.tif"
    assert main(["focus-stack", hyper, "-o", str(output)]) == 0
    result, source = ns.read(output), ns.read(hyper, axis="z")
    assert result.axes == source.loop_axes
    np.testing.assert_array_equal(np.asarray(result), source.map(ns.focus_stack).image)


def test_depth_of_one_channel_for_all(hyper, tmp_path, capsys):
    words = ["focus-stack", hyper, "-o", str(tmp_path / "{image}.tif")]
    assert main([*words, "--at", "c=1"]) == 0
    expected = ns.read(hyper, axis="z").map(ns.focus_stack, measure_at={"c": 1})
    for image in ("image", "depth", "confidence"):
        written = np.asarray(ns.read(tmp_path / f"{image}.tif"))
        np.testing.assert_array_equal(written, getattr(expected, image))
    assert read_recipe(tmp_path / "depth.tif")["steps"][0]["measure_at"] == {"c": 1}
    assert main([*words, "--overwrite", "--at", "c=maximum"]) == 2
    assert "give its number" in _said(capsys)


def test_frames_are_chosen_along_the_axis_that_is_stacked(hyper, tmp_path):
    output = tmp_path / "out.tif"
    assert main(["focus-stack", hyper, "-o", str(output), "--every", "2"]) == 0
    expected = ns.read(hyper, axis="z", every=2).map(ns.focus_stack).image
    np.testing.assert_array_equal(np.asarray(ns.read(output)), expected)


@pytest.mark.parametrize(
    ("axis", "at", "place"),
    [("t", "c=1,z=3", {"c": 1, "z": 3}), ("0", "c=1, z=mean", {"c": 1, "z": "mean"})],
)
def test_register_measures_at_a_position_and_corrects_all(hyper, tmp_path, axis, at, place):
    output, moves = tmp_path / "out.tif", tmp_path / "moves.json"
    words = ["--axis", axis, "--at", at, "--transforms", str(moves), "--plots", str(tmp_path / "p")]
    assert main(["register", hyper, "-o", str(output), *SHIFTS, *words]) == 0
    assert (tmp_path / "p" / "register-drift.png").is_file()
    source = ns.read(hyper, axis="t")
    expected = source.map(ns.register, measure_at=place, transform="translation")
    np.testing.assert_array_equal(np.asarray(ns.read(output)), np.asarray(expected))
    assert ns.read(output).axes == source.axes
    assert ns.Transforms.load(moves) == expected.stack({"c": 0, "z": 0}).transforms
    (step,) = read_recipe(output)["steps"]
    assert (step["axis"], step["measure_at"]) == ("t", place)


def test_register_measures_at_each_position(hyper, tmp_path):
    output = tmp_path / "out.tif"
    assert main(["register", hyper, "-o", str(output), "--measure-each", *SHIFTS]) == 0
    expected = ns.read(hyper).map(ns.register, measure_each=True, transform="translation")
    np.testing.assert_array_equal(np.asarray(ns.read(output)), np.asarray(expected))
    (step,) = read_recipe(output)["steps"]
    assert step["measure_each"] is True


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (
            ["register", "{frames}", "--measure-each"],
            1,
            "measure_each is set; the frames lie along",
        ),
        (["register", "{hyper}", "--measure-each", "--at", "c=1"], 2, "leave out measure_at"),
        (["register", "{hyper}", "--measure-each", "--transforms", "m.json"], 2, "one position"),
        (["combine", "{hyper}", "--measure-each"], 2, "--measure-each"),
    ],
)
def test_measuring_at_each_position_needs_positions(
    words, status, sentence, hyper, frames, tmp_path, capsys
):
    typed = [word.format(frames=frames, hyper=hyper) for word in words]
    assert main([*typed, "-o", str(tmp_path / "out.tif")]) == status
    assert sentence in _said(capsys)


def test_the_same_warning_is_said_once(hyper, tmp_path, capsys):
    assert main(["sigma-clip", hyper, "-o", str(tmp_path / "out.tif")]) == 0
    assert "3 frames cannot be clipped" in _said(capsys)


@pytest.mark.parametrize(
    "words", [["--axis", "t"], ["--stop", "2"], ["--axis", "t", "--stop", "2"]]
)
def test_a_recipe_stacks_the_axis_that_the_command_stacks(words, hyper, tmp_path):
    recipe = tmp_path / "recipe.json"
    Recipe([ns.Step("focus_stack")]).save(recipe)
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    assert main(["focus-stack", hyper, *words, "-o", str(one)]) == 0
    assert main(["run", str(recipe), hyper, *words, "-o", str(other)]) == 0
    assert ns.read(one).axes == ns.read(other).axes
    np.testing.assert_array_equal(np.asarray(ns.read(one)), np.asarray(ns.read(other)))
    assert read_recipe(one) | {"steps": []} == read_recipe(other) | {"steps": []}


def test_frames_are_chosen_along_the_axis_of_the_first_step(hyper, tmp_path):
    recipe, output = tmp_path / "recipe.json", tmp_path / "out.tif"
    Recipe([ns.Step("combine", axis="z")]).save(recipe)
    assert main(["run", str(recipe), hyper, "--stop", "2", "-o", str(output)]) == 0
    expected = ns.read(hyper, axis="z", stop=2).map(ns.combine)
    np.testing.assert_array_equal(np.asarray(ns.read(output)), expected)


@pytest.mark.filterwarnings("ignore:.*cannot be clipped")
def test_the_axis_of_the_first_step_binds_no_later_one(hyper, tmp_path):
    recipe = tmp_path / "recipe.json"
    Recipe([ns.Step("focus_stack", save="z.tif"), ns.Step("combine", save="t.tif")]).save(recipe)
    assert main(["run", str(recipe), hyper, "-o", str(tmp_path / "a")]) == 0
    assert [axis.name for axis in ns.read(tmp_path / "a" / "t.tif").axes] == ["c", "z", "y", "x"]
    assert main(["run", str(recipe), hyper, "-o", str(tmp_path / "b"), "--axis", "t"]) == 0
    assert [axis.name for axis in ns.read(tmp_path / "b" / "z.tif").axes] == ["c", "z", "y", "x"]


# Files between commands


def test_frames_that_leave_pixels_open_are_told(frames, stack, tmp_path, capsys):
    few = [*SHIFTS, "--stop", "3"]
    assert main(["register", frames, "-o", str(tmp_path / "a.tif"), *few]) == 0
    assert "--framing common" in _said(capsys)
    for number, framing in enumerate((["--framing", "common"], ["--border", "replicate"])):
        words = [frames, "-o", str(tmp_path / f"{number}.tif"), *few, *framing]
        assert main(["register", *words]) == 0
        assert not capsys.readouterr().err
    ns.write(tmp_path / "floats.tif", np.asarray(stack, np.float32), axes="tyx")
    words = [str(tmp_path / "floats.tif"), "-o", str(tmp_path / "c.tif")]
    assert main(["register", *words, *few]) == 0
    assert not capsys.readouterr().err


def test_a_file_between_two_commands_keeps_the_steps(frames, stack, tmp_path):
    moved, clean, again = (tmp_path / name for name in ("moved.tif", "clean.tif", "again.tif"))
    words = ["--transform", "translation", "--framing", "common"]
    assert main(["register", frames, "-o", str(moved), *words]) == 0
    assert main(["sigma-clip", str(moved), "-o", str(clean), "--sigma", "1.7"]) == 0
    recipe = Recipe.from_json(read_recipe(clean))
    assert [step.operator for step in recipe.steps] == ["register", "sigma_clip"]
    assert recipe.run(stack)["sigma_clip"].image.shape == ns.read(clean).shape[1:]
    recipe = tmp_path / "recipe.json"
    steps = [ns.Step("register", name="register"), ns.Step("combine", input="register")]
    Recipe(steps).save(recipe)
    assert main(["run", str(recipe), str(moved), "-o", str(again)]) == 0
    names = [step["operator"] for step in read_recipe(again)["steps"]]
    assert names == ["register", "register", "combine"]


def test_failed_frames_of_the_axis_that_a_step_names_are_told(stack, tmp_path, capsys):
    frames = np.asarray(stack).copy()
    frames[2] = 100
    ns.write(tmp_path / "in.tif", np.stack([frames] * 3), axes="tzyx")
    recipe = tmp_path / "recipe.json"
    ns.Recipe([ns.Step("register", axis="z", save="a.tif", transforms="a.json")]).save(recipe)
    assert main(["run", str(recipe), str(tmp_path / "in.tif"), "-o", str(tmp_path)]) == 0
    assert "1 of 6 frames could not be registered: in.tif page 9" in capsys.readouterr().err
    assert ns.Transforms.load(tmp_path / "a.json").failed.tolist() == [i == 2 for i in range(6)]


def test_frames_are_placed_by_points_in_a_file(stack, tmp_path, capsys):
    frames = np.asarray(stack).copy()
    frames[4] = np.random.default_rng(0).integers(0, 4000, frames[4].shape)
    ns.write(tmp_path / "in.tif", ns.Stack.wrap(frames))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        "frame,reference_x,reference_y,frame_x,frame_y\n4,10,20,15,18\n4,50,20,55,18\n"
    )
    names = [str(tmp_path / name) for name in ("in.tif", "out.tif", "found.json")]
    words = ["register", names[0], "-o", names[1], "--transforms", names[2]]
    words += ["--transform", "rigid", "--points"]
    assert main([*words, str(pairs)]) == 0
    told = capsys.readouterr().err
    assert told.count("1 of 6 frames placed by their points alone") == 1
    assert "could not be registered" not in told
    found = ns.Transforms.load(names[2])
    np.testing.assert_allclose(found.matrices[4], [[1, 0, 5], [0, 1, -2], [0, 0, 1]], atol=1e-9)
    assert not found.failed.any()
    assert found.quality[4] == 0
    assert Recipe.from_json(read_recipe(tmp_path / "out.tif")).steps[0].options["points"]
    pairs.write_text("frame,x\n4,10\n")
    assert main([*words, str(pairs), "--overwrite"]) == 1
    assert "pairs.csv holds no pairs of points: a .csv of points begins" in capsys.readouterr().err


def test_the_axis_of_a_file_between_two_commands_stays(hyper, tmp_path):
    moved, mean = tmp_path / "moved.tif", tmp_path / "mean.tif"
    assert main(["register", hyper, "-o", str(moved), "--axis", "z", "--framing", "common"]) == 0
    assert main(["combine", str(moved), "-o", str(mean)]) == 0
    steps = Recipe.from_json(read_recipe(mean)).steps
    assert [step.axis for step in steps] == ["z", "t"]


def test_steps_go_on_from_images(hyper, tmp_path):
    mean, sharp = tmp_path / "mean.tif", tmp_path / "sharp.tif"
    assert main(["combine", hyper, "-o", str(mean), "--axis", "c"]) == 0
    assert main(["focus-stack", str(mean), "-o", str(sharp)]) == 0
    first, second = read_recipe(sharp)["steps"]
    assert (first["operator"], second["operator"]) == ("combine", "focus_stack")
    assert second["input"] == "combine"


def test_a_foreign_recipe_in_a_file_is_told(stack, tmp_path, capsys):
    ns.write(tmp_path / "in.tif", stack, recipe={"format": "napari-stack recipe", "version": 9})
    assert main(["combine", str(tmp_path / "in.tif"), "-o", str(tmp_path / "out.tif")]) == 0
    assert "version 9" in _said(capsys)


# Recipes


@pytest.fixture
def branched(tmp_path):
    path = tmp_path / "branched.json"
    Recipe(
        [
            ns.Step("register", name="moved", save="moved"),
            ns.Step("combine", {"method": "maximum"}, save="brightest.png"),
            ns.Step("focus_stack", input="moved", save="sharp_{image}.tif"),
            ns.Step("sigma_clip", {"sigma": 1.8}, input="moved", save="clean_{image}.tif"),
        ]
    ).save(path)
    return path


def test_a_recipe_with_branches(branched, frames, stack, tmp_path, capsys):
    output = tmp_path / "deep" / "results"
    assert main(["run", str(branched), frames, "-o", str(output)]) == 0
    moved = ns.register(stack)
    focused, clipped = ns.focus_stack(moved), ns.sigma_clip(moved, sigma=1.8)
    images = {
        "brightest.png": ns.combine(moved, method="maximum"),
        "sharp_image.tif": focused.image,
        "sharp_depth.tif": focused.depth,
        "sharp_confidence.tif": focused.confidence,
        "clean_image.tif": clipped.image,
        "clean_rejected.tif": clipped.rejected,
    }
    assert {path.name for path in output.iterdir()} == {"moved", *images}
    for name, image in images.items():
        np.testing.assert_array_equal(ns.read(output / name)[0], image)
    steps = read_recipe(output / "clean_image.tif")["steps"]
    assert [step["operator"] for step in steps] == ["register", "sigma_clip"]
    assert capsys.readouterr().out.count("72, 88") == 7


def test_a_recipe_is_refused_before_the_work_when_a_file_is_there(
    branched, frames, tmp_path, monkeypatch, capsys
):
    (tmp_path / "clean_rejected.tif").write_bytes(b"mine")
    monkeypatch.delattr(jobs.Step, "apply")
    assert main(["run", str(branched), frames, "-o", str(tmp_path)]) == 1
    assert "clean_rejected.tif exists" in _said(capsys)
    assert not (tmp_path / "moved").exists()


def test_the_last_step_may_be_saved_by_the_command(frames, stack, tmp_path, capsys):
    recipe, output = tmp_path / "recipe.json", tmp_path / "mean.tif"
    Recipe([ns.Step("register"), ns.Step("combine")]).save(recipe)
    assert main(["run", str(recipe), frames, "-o", str(tmp_path / "folder")]) == 1
    assert "result.tif" in _said(capsys)
    assert main(["run", str(recipe), frames, "-o", str(output)]) == 0
    np.testing.assert_array_equal(ns.read(output)[0], ns.combine(ns.register(stack)))


def test_a_recipe_that_names_its_files_takes_a_folder(branched, frames, tmp_path, capsys):
    assert main(["run", str(branched), frames, "-o", str(tmp_path / "out.tif")]) == 1
    assert "clean_{image}.tif" in _said(capsys)


def test_the_recipe_in_a_written_file_can_be_run_again(frames, tmp_path):
    first, again, recipe = (tmp_path / name for name in ("a.tif", "b.tif", "recipe.json"))
    assert main(["sigma-clip", frames, "-o", str(first), "--sigma", "1.7"]) == 0
    Recipe.from_json(read_recipe(first)).save(recipe)
    assert main(["run", str(recipe), frames, "-o", str(again)]) == 0
    np.testing.assert_array_equal(ns.read(first)[0], ns.read(again)[0])


def test_many_series_are_measured_each_for_itself(stack, tmp_path, capsys):
    other = ns.Stack.wrap(np.asarray(stack)[::-1, ::-1].copy())
    for name, frames in (("a/night", stack), ("b/night", other)):
        (tmp_path / name).mkdir(parents=True)
        ns.write(tmp_path / name / "frames.tif", frames)
    recipe, output = tmp_path / "recipe.json", tmp_path / "out"
    register = ns.Step("register", {"transform": "translation"})
    Recipe([register, ns.Step("combine", save="mean.tif")]).save(recipe)
    series = [str(tmp_path / name) for name in ("a/night", "nowhere", "b/night")]
    assert main(["run", str(recipe), *series, "-o", str(output), "--each"]) == 1
    said = capsys.readouterr()
    assert "nowhere" in said.err
    assert "1 of 3 series could not be processed" in said.err
    assert said.out.count("mean.tif: (72, 88)") == 2
    assert sorted(path.name for path in output.iterdir()) == ["night", "night 2"]
    for name, frames in (("night", stack), ("night 2", other)):
        np.testing.assert_array_equal(
            ns.read(output / name / "mean.tif")[0],
            ns.combine(ns.register(frames, transform="translation")),
        )


def test_one_file_for_each_series(frames, tmp_path):
    recipe = tmp_path / "recipe.json"
    Recipe([ns.Step("combine")]).save(recipe)
    assert main(["run", str(recipe), frames, "-o", str(tmp_path / "m.png"), "--each"]) == 0
    assert (tmp_path / "frames" / "m.png").is_file()


# Small parts


@pytest.mark.parametrize(
    ("text", "size"),
    [("1048576", 2**20), ("512MiB", 2**29), ("2GiB", 2**31), ("1.5 g", 3 * 2**29),
     ("4096KB", 2**22), ("1TB", 2**40), ("64m", 2**26)],
)  # fmt: skip
def test_memory_sizes(text, size):
    assert memory_size(text) == size


@pytest.mark.parametrize("text", ["", "GiB", "much", "2XB", "1e999", "nan", "-"])
def test_other_memory_sizes_are_refused(text):
    with pytest.raises(ValueError, match="--memory must be a size"):
        memory_size(text)


def test_positions():
    assert position("") == {}
    assert position("c=1, z=-3") == {"c": 1, "z": -3}


def test_flags_are_read_as_options():
    given = {"method": "features", "features_ratio": "0.5", "reference": "3", "framing": "all"}
    assert options_given(CATALOGUE["register"].function, given) == {
        "method": ns.Features(ratio=0.5),
        "reference": 3,
        "framing": "all",
    }
    assert options_given(CATALOGUE["register"].function, {}) == {}


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with report.progress(quiet=False) as tick:
        tick(0, 4, "Reading")
        tick(4, 4, "Reading")
        tick(1, 3, "Clipping")
    assert "Reading: " in terminal.getvalue()
    assert "Clipping" in terminal.getvalue()
    with report.progress(quiet=True) as tick:
        assert tick is None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with report.progress(quiet=False) as tick:
        assert tick is None
