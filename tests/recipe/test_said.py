"""What results tell in plain words."""

import re
from dataclasses import replace

import numpy as np
import pytest

import napari_stack as ns
from napari_stack import Axis, Step, samples
from napari_stack.core.said import Outcome
from napari_stack.operators import CATALOGUE
from napari_stack.operators.inspection.summaries import (
    clipping,
    found_pixels,
    registration,
)
from napari_stack.recipe.said import said_of

SIZE = (96, 112)


def said(stack, operator, **options):
    step = Step(operator, options)
    return said_of(step, step.apply(stack))


def texts(*args, **options):
    return [one.text for one in said(*args, **options)]


def test_registration():
    shift = {"shift": 4.0, "rotation": 0.0, "scale": 0.0}
    stack, _ = samples.drifting_cells(4, SIZE, **shift)
    (text,) = texts(stack, "register", transform="translation")
    assert text.startswith("4 of 4 frames aligned, drift up to ")
    assert text.endswith(" px")
    turned, _ = samples.drifting_cells(4, SIZE, shift=1.0, rotation=2.0, scale=0.0)
    assert "turned by up to" in texts(turned, "register", transform="rigid")[0]


def test_frames_that_bend():
    stack, _ = samples.deforming(4, SIZE, 4, shift=2.0, period=90.0)
    (text,) = texts(stack, "register", transform="translation", nonrigid="smooth")
    bent = re.search(r", bent by up to ([\d.]+) px beyond that$", text)
    assert 1 < float(bent[1]) < 8


def test_drift_is_in_the_unit_of_the_pixels(hyper_stack):
    assert " um" in texts(hyper_stack, "register", transform="translation")[0]


def test_what_is_measured_at_each_place_is_told_of_the_first(hyper_stack):
    balanced = Step("balance", axis="t", measure_each=True)
    told = said_of(balanced, balanced.apply(hyper_stack))
    assert told[-1].text == "This is of c 0, z 0: others were measured for themselves"
    shared = Step("balance", axis="t")
    assert not any("others" in one.text for one in said_of(shared, shared.apply(hyper_stack)))


@pytest.fixture(scope="module")
def hyper_stack():
    return samples.hyperstack(3, 4, (64, 80))[0]


def test_failed_frames_come_with_a_remedy(noise):
    stack, _ = samples.drifting_cells(4, SIZE, shift=2.0, rotation=0.0, scale=0.0)
    frames = np.array(stack)
    frames[3] = noise(*SIZE)
    first, second = said(ns.Stack.wrap(frames), "register", transform="translation")
    assert first.text.startswith("3 of 4 frames aligned")
    assert second.options == {"failed": "interpolate"}
    kept = said(ns.Stack.wrap(frames), "register", transform="translation", failed="interpolate")
    assert len(kept) == 1
    frames[1:] = noise(3, *SIZE)
    _, stays = texts(ns.Stack.wrap(frames), "register", reference="first", failed="keep")
    assert stays == "Frames that failed stay where they are, and count"


def test_defective_pixels():
    frames = np.full((3, 20, 20), 100, np.uint16)
    frames[:, 4, 5] = 60_000
    repaired, missed = texts(ns.Stack.wrap(frames), "repair_hot_pixels")
    assert repaired == "1 defective pixel repaired (0.25%)"
    assert missed == "In 3 frames some that stand out by less than 6.3 times the noise are missed"
    assert texts(ns.Stack.wrap(frames), "find_hot_pixels") == ["1 defective pixel found (0.25%)"]
    frames[:, 4, 5] = 100
    assert texts(ns.Stack.wrap(frames), "repair_hot_pixels")[0] == "No defective pixels repaired"


def test_light():
    flat = np.ones((8, 8), np.float32)
    flat[:, :4] = 0.5
    frames = ns.Stack.wrap(np.full((3, 8, 8), 100, np.uint16))
    (text,) = texts(frames, "correct_flat_field", flat=flat)
    assert text == "The darkest places were 50% darker than the brightest"
    (text,) = texts(samples.flickering(4, (48, 64))[0], "balance")
    assert text.startswith("Brightness levelled by factors from 0.")
    (text,) = texts(samples.bleaching(6, (48, 64))[0], "correct_bleaching")
    assert text.startswith("Brightness had fallen to ")


def test_rejected_values_and_what_rejects_better():
    stack, _ = samples.cosmic_rays(10, (48, 64))
    first, second = said(stack, "sigma_clip", sigma=2.0)
    assert first.text.endswith("of all values rejected")
    assert second.text == "With 10 frames, median and MAD tell outliers better"
    assert len(said(stack, "sigma_clip", centre="median", spread="MAD")) == 1


def test_numbers_are_told_without_powers_of_ten():
    rejected = {"rejected_fraction": np.ones(2000), "rejected": 0, "image": 0}
    outcome = Outcome(None, rejected, {"method": "auto"})
    assert clipping(outcome)[0].text == "100% of all values rejected"
    still = ns.apply_transforms(
        ns.Stack.wrap(np.zeros((2, 8, 8))), ns.Transforms(np.eye(3) + np.full((2, 1, 1), 1e-14))
    )
    assert registration(Outcome(still, {}, {}))[0].text.endswith("drift up to 0 px")
    mask = np.zeros((4000, 6000), bool)
    mask[7, 7] = True
    text = found_pixels(Outcome(None, {"mask": mask}, {}))[0].text
    assert text == "1 defective pixel found (0.0000042%)"


def test_focus():
    (text,) = texts(samples.focus_series(5, SIZE)[0], "focus_stack")
    assert text.startswith("In focus from frame ")
    planes = samples.focus_series(5, SIZE)[0]
    planes = replace(planes, axes=(Axis("z", 2.0, "micrometer"), *planes.axes[1:]))
    step = Step("focus_stack", {"depth_unit": "distance"})
    text = said_of(step, step.apply(planes), planes)[0].text
    assert re.fullmatch(r"In focus over a depth of [4-8](\.\d+)? um", text), text
    hyper = samples.hyperstack(2, 4, (64, 80))[0]  # at several times and channels
    assert said_of(step, step.apply(hyper), hyper)[0].text.endswith(" um")
    even = ns.Stack.wrap(np.full((3, 64, 64), 9, np.uint8))
    assert texts(even, "focus_stack") == ["Nothing is sharper in one frame than in the others"]
    assert texts(even, "focus_stack", depth=False) == []


def test_what_is_offered_are_options_of_the_operator():
    stack, _ = samples.cosmic_rays(10, (48, 64))
    for one in said(stack, "sigma_clip", sigma=2.0):
        assert set(one.options) <= set(CATALOGUE["sigma_clip"].options)
        Step("sigma_clip", one.options)


@pytest.mark.filterwarnings("ignore:sigma_clip, method='auto'")
def test_of_other_methods_no_options_of_the_usual_clip_are_offered():
    stack, _ = samples.cosmic_rays(9, SIZE, shift=0)
    assert any("median and MAD" in text for text in texts(stack, "sigma_clip"))
    for method in ("auto", "linear fit"):
        assert not any(
            "median and MAD" in text for text in texts(stack, "sigma_clip", method=method)
        )


def test_where_a_table_was_measured_is_told(hyper_stack):
    for place, text in (({}, "c = 0, z = 2"), ({"c": 1, "z": "mean"}, "c = 1, mean over z")):
        step = Step("measure_quality", axis="t", measure_at=place)
        told = said_of(step, step.apply(hyper_stack), hyper_stack)
        assert told[-1].text == f"Measured at {text} only"
