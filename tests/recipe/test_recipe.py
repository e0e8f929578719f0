"""Steps and recipes: plain data, branching, running, saving."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import read, samples, write
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.core.results import images_of
from napari_stack.core.stack import Stack
from napari_stack.engine.run import Cancelled, Run
from napari_stack.operators import Clipped, Features, Pyramid, combine, register, sigma_clip
from napari_stack.recipe import Recipe, Step, results
from napari_stack.recipe.results import predicted_image

BRANCHING = Recipe(
    [
        Step("register", {"transform": "translation", "method": Features(ratio=0.8)}, name="moved"),
        Step("combine", save="mean.png"),
        Step("sigma_clip", {"sigma": 2.0}, input="moved", save="clip_{image}.tif"),
        Step("focus_stack", {"method": Pyramid(min_size=16)}, input="moved", axis="z"),
    ]
)

PLAIN = {
    "format": "napari-stack recipe",
    "version": 1,
    "steps": [
        {
            "operator": "register",
            "options": {
                "transform": "translation",
                "method": {"name": "features", "ratio": 0.8},
            },
            "name": "moved",
        },
        {"operator": "combine", "save": "mean.png"},
        {
            "operator": "sigma_clip",
            "options": {"sigma": 2.0},
            "input": "moved",
            "save": "clip_{image}.tif",
        },
        {
            "operator": "focus_stack",
            "options": {"method": {"name": "pyramid", "min_size": 16}},
            "input": "moved",
            "axis": "z",
        },
    ],
}


@cache
def cells():
    stack, _ = samples.drifting_cells(frames=9, size=(160, 180))
    return stack


def test_the_format():
    assert BRANCHING.to_json() == PLAIN
    assert Recipe.from_json(json.loads(json.dumps(PLAIN))) == BRANCHING


def test_a_file_gives_back_the_same_recipe(tmp_path):
    path = tmp_path / "recipe.json"
    BRANCHING.save(path)
    assert Recipe.load(path) == BRANCHING
    with pytest.raises(FileExistsError, match=r"recipe\.json exists"):
        BRANCHING.save(path)
    BRANCHING.save(path, overwrite=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operator": "blend"}, "there is no operator 'blend'; the operators are register"),
        (
            {"options": {"sgma": 1}},
            "sigma_clip has no option 'sgma'; it takes method, sigma, iterations",
        ),
        (
            {"options": {"sigma": 0}},
            "sigma_clip: sigma must be a number in the range 0.1 to 100 sigma, got 0",
        ),
        ({"colour": 1}, "a step has no 'colour'; it takes axis, input, layers"),
        ({"input": "nothing"}, "takes its frames from 'nothing', which is not a step before it"),
    ],
)
def test_what_is_unknown_is_refused_by_name(tmp_path, change, message):
    plain = {"format": "napari-stack recipe", "version": 1,
             "steps": [{"operator": "sigma_clip", **change}]}  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps(plain))
    with pytest.raises(ValueError, match=message) as caught:
        Recipe.load(tmp_path / "r.json")
    assert "r.json" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operator": ["x"]}, r"operator must be a text, got \['x'\]"),
        ({"operator": None}, "operator must be a text, got None"),
        ({"options": []}, r"options must be values by name, .*, got \[\]"),
        (
            {"measure_at": 5},
            "measure_at must be whole numbers, .* by axis, .*, got 5",
        ),
        (
            {"measure_at": {"c": "1"}},
            "measure_at must be whole numbers, .* by axis, .* {'c': '1'}",
        ),
        (
            {"measure_at": {"c": True}},
            "measure_at must be whole numbers, .* by axis, .* True}",
        ),
        (
            {"measure_at": "c=1"},
            "measure_at must be whole numbers, .* by axis, .*, got 'c=1'",
        ),
        ({"measure_each": 1}, "measure_each must be True or False, got 1"),
        ({"save": 3}, "save must be a text, got 3"),
        ({"name": 3}, "name must be a text, got 3"),
        ({"input": []}, r"input must be a text, got \[\]"),
        ({"axis": 1}, "axis must be a text, got 1"),
        ({"options": {"method": {"name": [1]}}}, r"method must be 'auto' .*, got {'name': \[1\]}"),
        ({"options": {"method": {"name": "features", "ratio": {}}}}, "ratio must be a number"),
        ({"options": {"channel": 10**400}}, "channel must be 'all' or a whole number"),
        ({"options": {"method": {"name": "features", "ratio": 10**400}}}, "ratio must be a number"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(tmp_path, change, message):
    plain = {**PLAIN, "steps": [{"operator": "register", **change}]}
    (tmp_path / "r.json").write_text(json.dumps(plain))
    with pytest.raises(ValueError, match=message) as caught:
        Recipe.load(tmp_path / "r.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (5, "steps must be a list of steps, got 5"),
        ("combine", "steps must be a list of steps, got 'combine'"),
        ({"operator": "combine"}, "steps must be a list of steps"),
        ([5], "a step must hold axis, .* by name, got 5"),
        ([], "one step or more"),
    ],
)
def test_steps_of_another_kind_are_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_json({**PLAIN, "steps": steps})


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"there is no recipe {path}"):
            Recipe.load(path)


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.tif", "a.tif"), ("a.tif", "./a.tif"), ("a_{image}.tif", "a_rejected.tif")],
)
def test_two_steps_do_not_save_the_same_file(first, second):
    with pytest.raises(ValueError, match=r"a.*\.tif is saved by 2 steps"):
        Recipe([Step("sigma_clip", save=first), Step("combine", save=second)])


def test_where_to_measure_is_for_frames():
    for values in ({"measure_at": {"c": 1}}, {"measure_each": True}):
        with pytest.raises(ValueError, match="combine corrects no frames"):
            Step("combine", **values)
    with pytest.raises(ValueError, match="leave out measure_at"):
        Step("register", measure_at={"c": 1}, measure_each=True)
    with pytest.raises(ValueError, match="measure_each is set; the frames lie along one axis"):
        Step("register", measure_each=True).apply(cells())


def test_measuring_at_each_position():
    stack, _ = samples.hyperstack(times=3, slices=2, size=(48, 56))
    step = Step("register", measure_each=True)
    assert Step.from_json(json.loads(json.dumps(step.to_json()))) == step
    expected = stack.map(register, measure_each=True)
    np.testing.assert_array_equal(np.asarray(step.apply(stack)), np.asarray(expected))


@pytest.mark.parametrize("text", ["?", "{}", '{"format": "napari-stack recipe", "version": 7}'])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ValueError, match=r"r\.json: "):
        Recipe.load(tmp_path / "r.json")


def test_steps_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="one step or more"):
        Recipe([])
    with pytest.raises(ValueError, match="steps need different names"):
        Recipe([Step("combine", name="a"), Step("combine", name="a")])


def test_steps_are_named_after_their_operators():
    recipe = Recipe([Step("combine"), Step("combine"), Step("sigma_clip", name="combine 3")])
    assert list(recipe.named()) == ["combine", "combine 2", "combine 3"]


@pytest.mark.filterwarnings("ignore:.*cannot be clipped")
def test_running_gives_the_pixels_of_the_calls(tmp_path):
    stack = cells()
    recipe = Recipe(
        [
            Step("register", name="moved"),
            Step("combine", save="mean.png"),
            Step("sigma_clip", {"sigma": 2.0}, save="clip_{image}.tif"),
        ]
    )
    ticks = []
    results = recipe.run(stack, folder=tmp_path, run=Run(tick=lambda *t: ticks.append(t)))
    moved = register(stack)
    np.testing.assert_array_equal(results["combine"], combine(moved))
    clipped = sigma_clip(moved, sigma=2.0)
    assert isinstance(results["sigma_clip"], Clipped)
    np.testing.assert_array_equal(results["sigma_clip"].image, clipped.image)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "clip_image.tif",
        "clip_rejected.tif",
        "mean.png",
    ]
    np.testing.assert_array_equal(read(tmp_path / "clip_rejected.tif")[0], clipped.rejected)
    np.testing.assert_array_equal(read(tmp_path / "mean.png")[0], combine(moved))
    shares = [done / total for done, total, _ in ticks]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_written_image_tells_the_steps_that_led_to_it(tmp_path):
    from napari_stack.files import read_recipe

    recipe = Recipe(
        [
            Step("register", {"transform": "translation"}),
            Step("combine", save="mean.png"),
            Step("combine", {"method": "maximum"}, save="maximum.tif"),
        ]
    )
    recipe.run(cells(), folder=tmp_path)
    for name, method in (("mean.png", None), ("maximum.tif", "maximum")):
        steps = Recipe.from_json(read_recipe(tmp_path / name)).steps
        assert [step.operator for step in steps] == ["register", "combine"]
        assert steps[1].options.get("method") == method


def test_nothing_is_computed_when_a_file_would_be_overwritten(tmp_path):
    (tmp_path / "clip_rejected.tif").write_text("mine")
    recipe = Recipe([Step("sigma_clip", save="clip_{image}.tif")])

    def tick(*_):
        raise AssertionError("the work has begun")

    with pytest.raises(FileExistsError, match=r"clip_rejected\.tif exists"):
        recipe.run(cells(), folder=tmp_path, run=Run(tick=tick))
    assert (tmp_path / "clip_rejected.tif").read_text() == "mine"
    recipe.run(cells(), folder=tmp_path, overwrite=True)


def test_cancelling_writes_nothing(tmp_path):
    def tick(done, total, what):
        if done > total / 2:
            raise Cancelled

    recipe = Recipe([Step("register"), Step("sigma_clip", save="a.tif")])
    with pytest.raises(Cancelled):
        recipe.run(cells(), folder=tmp_path, run=Run(tick=tick))
    assert not list(tmp_path.iterdir())


def test_a_hyperstack_is_stacked_along_the_axis_of_the_step(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (2, 3, 8, 40, 44), np.uint8)
    hyper = Hyperstack.wrap(data, axes="tczyx")
    assert Step("focus_stack").with_stacked_axis(hyper).axis == "z"
    assert Step("focus_stack", axis="t").with_stacked_axis(hyper).axis == "t"
    assert Step("combine").with_stacked_axis(hyper).axis == "t"
    recipe = Recipe([Step("combine", axis="z", save="mean.tif")])
    result = recipe.run(hyper, folder=tmp_path)["combine"]
    np.testing.assert_array_equal(result, np.rint(data.mean(axis=2)).astype(np.uint8))
    again = read(tmp_path / "mean.tif")
    assert [axis.name for axis in again.axes] == ["t", "c", "y", "x"]
    np.testing.assert_array_equal(np.asarray(again), result)


def test_an_axis_that_is_not_there_is_refused():
    stack = Stack.wrap(np.zeros((3, 5, 6)))
    with pytest.raises(ValueError, match="there is no axis 'z'; the frames lie along 'frame'"):
        Step("combine", axis="z").apply(stack)


@pytest.mark.parametrize("save", ["/elsewhere.tif", "../elsewhere.tif", "a/../../b.tif"])
def test_a_recipe_writes_nowhere_else(save):
    with pytest.raises(ValueError, match="leads out of the folder of results"):
        Step("combine", save=save)


def test_targets_are_checked_before_the_work(tmp_path):
    def tick(*_):
        raise AssertionError("the work has begun")

    with pytest.raises(ValueError, match=r"mean\.bmp cannot be written"):
        Recipe([Step("combine", save="mean.bmp")]).run(cells(), folder=tmp_path, run=Run(tick=tick))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (Step("combine", {"method": "sum"}, save="sum.png"), "float64"),
        (Step("focus_stack", save="f_{image}.png"), "float32"),
        (Step("register", save="moved.png"), "9 frames"),
        (Step("register", save="there"), "exists"),
        (Step("combine", save="mean"), "mean.tif"),
        (Step("combine", save="there"), "add a suffix"),
        (Step("combine", axis="z", save="a.tif"), "no axis 'z'"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_work(step, message, tmp_path):
    def tick(*_):
        raise AssertionError("the work has begun")

    write(tmp_path / "there", cells())
    before = sorted(tmp_path.rglob("*"))
    for steps in ([step], [Step("combine", save="sub/first.tif"), step]):
        with pytest.raises((ValueError, OSError), match=message):
            Recipe(steps).run(cells(), folder=tmp_path, run=Run(tick=tick))
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        Recipe([Step("combine", save="a.tif")]).run(cells(), folder=tmp_path / "none")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
@pytest.mark.parametrize("channels", [(), (3,), (5,)])
@pytest.mark.parametrize("axes", ["tyx", "tzyx", "tczyx"])
def test_images_are_of_the_type_that_ispredicted_image(dtype, channels, axes):
    data = np.ones((*(3, 2, 2)[: len(axes) - 2], 24, 26, *channels)).astype(dtype)
    wrapped = Stack.wrap(data) if axes == "tyx" else Hyperstack.wrap(data, axes=axes)
    steps = [Step("combine", {"method": m}) for m in ("mean", "sum", "minimum", "maximum")]
    for step in (*steps, Step("sigma_clip", {"sigma": 1.2}), Step("focus_stack")):
        for name, image in images_of(step.apply(wrapped)).items():
            foreseen, shape = predicted_image(step, name, step.with_stacked_axis(wrapped))
            assert foreseen == image.dtype, (step.operator, name)
            assert shape[: image.ndim] == image.shape


@pytest.mark.filterwarnings("ignore:.*cannot be clipped")
def test_a_step_may_save_in_a_folder_of_its_own(tmp_path):
    recipe = Recipe([Step("combine", save="a/b/mean.tif"), Step("sigma_clip", save="c.tif")])
    recipe.run(cells(), folder=tmp_path)
    assert (tmp_path / "a" / "b" / "mean.tif").is_file()


@pytest.mark.filterwarnings("ignore:.*cannot be clipped")
def test_all_images_are_written_or_none(tmp_path, monkeypatch):
    def full(path, image, **how):
        if image.dtype == np.uint16 and image.max() == 0:
            raise OSError(f"{path} could not be written (No space left on device)")
        return write(path, image, **how)

    monkeypatch.setattr(results, "write", full)
    recipe = Recipe([Step("sigma_clip", save="clip_{image}.tif")])
    still = Stack.wrap(np.full((3, 20, 20), 7, np.uint8))
    with pytest.raises(OSError, match=r"clip_rejected\.tif could not be written \(No space"):
        recipe.run(still, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_alpha_stays_alpha(tmp_path):
    data = np.full((4, 20, 24, 4), 255, np.uint8)
    data[:, :5, :, 3] = 0
    Recipe([Step("combine", save="a.tif")]).run(Stack.wrap(data, rgb=True), folder=tmp_path)
    assert read(tmp_path / "a.tif").alpha
    bands = replace(Stack.wrap(data[..., :2]), alpha=True)
    given = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            results, "write", lambda path, image, **how: given.append(how) or path.touch()
        )
        Recipe([Step("combine", save="b.tif")]).run(bands, folder=tmp_path)
        Recipe([Step("combine", save="c.tif")]).run(cells(), folder=tmp_path)
    assert [how["alpha"] for how in given] == [True, False]


def test_one_single_frame_is_refused():
    with pytest.raises(ValueError, match="'frame' has one frame only, frame 0: two or more"):
        Step("register").apply(cells().select([0]))
    hyper = Hyperstack.wrap(np.zeros((1, 3, 5, 6), np.uint8), axes="tzyx")
    with pytest.raises(ValueError, match="the axis 't' has one frame only"):
        Step("combine").apply(hyper)
    assert Step("combine", axis="z").apply(hyper).shape == (1, 5, 6)


def test_where_to_measure_needs_a_place():
    with pytest.raises(ValueError, match="measure_at names c; the frames lie along one axis"):
        Step("register", measure_at={"c": 1}).apply(cells())


def test_a_binary_file_is_no_recipe(tmp_path):
    (tmp_path / "r.json").write_bytes(bytes(range(128, 256)))
    with pytest.raises(ValueError, match=r"r\.json: this is no recipe"):
        Recipe.load(tmp_path / "r.json")


def test_a_step_saves_the_transforms_that_it_measured(tmp_path):
    step = Step("register", {"transform": "translation"}, transforms="moves.csv")
    plain = {
        "operator": "register",
        "options": {"transform": "translation"},
        "transforms": "moves.csv",
    }
    assert step.to_json() == plain
    assert Step.from_json(plain) == step
    stack = ns.samples.drifting_cells(frames=3, size=(64, 72), shift=2)[0]
    recipe = Recipe([step, Step("combine", save="mean.tif")])
    found = recipe.run(stack, folder=tmp_path)["register"].transforms
    saved = ns.Transforms.load(tmp_path / "moves.csv")
    np.testing.assert_allclose(saved.matrices, found.matrices, atol=1e-6)
    with pytest.raises(FileExistsError, match="exists already"):
        Recipe([step]).run(stack, folder=tmp_path)
    script = recipe.to_script()
    assert "register.transforms.save('moves.csv')" in script


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"operator": "combine", "transforms": "a.csv"}, "transforms are measured by register"),
        ({"operator": "register", "transforms": "a.tif"}, "transforms are written as .json"),
        ({"operator": "register", "transforms": "../a.csv"}, "leads out of the folder"),
        ({"operator": "register", "transforms": "a.csv", "measure_each": True}, "at one position"),
        ({"operator": "register", "transforms": 3}, "transforms must be a text"),
    ],
)
def test_transforms_that_cannot_be_saved_are_refused(more, said):
    with pytest.raises(ValueError, match=said):
        Step.from_json(more)


def test_slabs_are_foreseen_and_one_slab_is_enough(tmp_path):
    stack = ns.samples.focus_series(frames=5, size=(64, 72))[0]
    steps = [
        Step("focus_slabs", {"method": "pyramid", "frames": 3}, save="slabs.tif"),
        Step("focus_stack", {"method": "pyramid"}, save="fused.tif"),
    ]
    results = Recipe(steps).run(stack, folder=tmp_path)
    assert ns.read(tmp_path / "slabs.tif").shape == (2, 64, 72)
    np.testing.assert_array_equal(
        results["focus_stack"].image,
        ns.focus_stack(ns.focus_slabs(stack, method="pyramid", frames=3), method="pyramid").image,
    )
    short = Recipe([Step("focus_slabs"), Step("focus_stack", {"method": "pyramid"})]).run(stack)
    assert len(short["focus_slabs"]) == 1
    assert short["focus_stack"].image.shape == (64, 72)
