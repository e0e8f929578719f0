"""Steps that suit a kind of data and a goal."""

import itertools

import pytest

from napari_stack.recipe import Recipe
from napari_stack.recipe.planning import GOALS, Facts, Seen, plan_for, recipe_for

ALL = [(kind, goal) for kind, goals in GOALS.items() for goal in goals]
FIVE = Facts({"t": 4, "c": 2, "z": 5}, channel=1)


def operators(kind, goal, facts=None):
    return [step.operator for step in recipe_for(kind, goal, facts or Facts()).steps]


@pytest.mark.parametrize(("kind", "goal"), ALL)
def test_every_plan_is_a_recipe(kind, goal):
    for facts in (Facts({"frame": 9}), FIVE):
        recipe = recipe_for(kind, goal, facts)
        assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()
        everything = plan_for(kind, goal, facts).draft
        assert len(Recipe(everything.steps).steps) == len(everything.on)


def test_what_is_done():
    assert operators("focus series", "one sharp image") == ["register", "focus_stack"]
    assert operators("time-lapse", "a steady movie") == ["register"]
    assert operators("burst", "one clean image", Facts({"frame": 30})) == ["register", "sigma_clip"]
    assert operators("tiles", "even illumination") == ["correct_flat_field"]
    assert operators("burst", "even illumination", Facts(rgb=True)) == ["correct_vignetting"]
    assert operators("volume over time", "one sharp image", FIVE) == ["focus_stack"]


def test_the_order():
    order = ["repair_hot_pixels", "correct_flat_field", "correct_vignetting", "register",
             "balance", "correct_bleaching", "focus_stack", "sigma_clip", "combine"]  # fmt: skip
    for (kind, goal), fading in itertools.product(ALL, (False, True)):
        seen = Seen(frames=5, brightness=(9, 8, 7, 6, 5) if fading else ())
        steps = plan_for(kind, goal, Facts({"frame": 9}, seen=seen)).steps
        places = [order.index(planned.step.operator) for planned in steps]
        assert places == sorted(places)


def test_what_is_seen_decides():
    hot = Facts({"frame": 30}, seen=Seen(frames=9, hot=80.0))
    assert operators("burst", "one clean image", hot)[0] == "repair_hot_pixels"
    assert "80 pixels in a million" in plan_for("burst", "one clean image", hot).steps[0].why
    flicker = Facts({"t": 30}, seen=Seen(frames=5, brightness=(9, 8, 9, 8, 9)))
    assert operators("time-lapse", "a steady movie", flicker) == ["register", "balance"]
    fading = Facts({"t": 30}, seen=Seen(frames=5, brightness=(9, 8, 7, 6, 5)))
    assert operators("time-lapse", "a steady movie", fading) == ["register", "correct_bleaching"]
    planes = Facts({"z": 9}, seen=Seen(frames=5, brightness=(5, 9, 5)))
    assert operators("focus series", "one sharp image", planes) == ["register", "focus_stack"]


@pytest.mark.parametrize(
    ("count", "operator", "options"),
    [
        (3, "combine", {"method": "median"}),
        (8, "sigma_clip", {"centre": "median", "spread": "MAD"}),
        (40, "sigma_clip", {}),
    ],
)
def test_few_frames_are_averaged_robustly(count, operator, options):
    step = recipe_for("burst", "one clean image", Facts({"frame": count})).steps[-1]
    assert (step.operator, step.options) == (operator, options)


@pytest.mark.parametrize(
    ("kind", "rgb", "transform"),
    [
        ("time-lapse", False, "rigid"),
        ("focus series", True, "similarity"),
        ("burst", True, "homography"),
        ("burst", False, "rigid"),
    ],
)
def test_the_transform_fits(kind, rgb, transform):
    (step,) = (p.step for p in plan_for(kind, GOALS[kind][0], Facts({"frame": 9}, rgb)).steps
               if p.step.operator == "register")  # fmt: skip
    assert step.options == {"transform": transform}


def test_depth_is_a_distance_where_that_is_known():
    for spaced, options in ((False, {}), (True, {"depth_unit": "distance"})):
        facts = Facts({"z": 9}, spaced=spaced)
        fuse = plan_for("focus series", "one sharp image", facts).steps[-1]
        assert (fuse.step.operator, fuse.step.options) == ("focus_stack", options)
        assert ("distance" in fuse.why) is spaced


def test_several_axes():
    align, fuse = recipe_for("volume over time", "a steady movie", FIVE).steps
    assert (align.axis, align.measure_at) == ("t", {"z": "maximum", "c": 1})
    assert (fuse.operator, fuse.axis, fuse.measure_at) == ("focus_stack", "z", {"c": 1})
    drift = recipe_for("time-lapse", "a steady movie", Facts({"t": 9, "c": 2}, channel=0)).steps
    assert (drift[0].axis, drift[0].measure_at) == ("t", {"c": 0})


def test_tiles_are_not_joined():
    assert "not joined" in plan_for("tiles", "even illumination").remark
    assert not plan_for("burst", "one clean image").remark


def test_times_that_cannot_be_registered_are_kept_where_all_are_fused():
    def options(kind):
        return recipe_for(kind, "a steady movie", FIVE).steps[0].options

    assert options("volume over time")["failed"] == "keep"
    assert "failed" not in options("time-lapse")


def test_dark_corners_are_told_where_light_may_make_them():
    def why(corners):
        seen = Seen(frames=5, corners=corners)
        return plan_for("tiles", "even illumination", Facts({"p": 9}, seen=seen)).steps[1].why

    assert why(0.61) == "corners are 39% darker than the centre"
    assert why(0.0) == why(1.0) == ""
