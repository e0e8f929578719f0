"""Drafts of recipes: steps switched off, and steps in words."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.describe import describe
from napari_stack.recipe.draft import Draft


def test_a_draft_passes_over_what_is_off():
    steps = (Step("register", name="moved"), Step("balance"), Step("combine", input="balance"))
    draft = Draft(steps)
    assert draft.recipe() == Recipe([steps[0], Step("balance", name="balance"), steps[2]])
    assert draft.switched(1, False).recipe().steps[1] == Step("combine", input="moved")
    without = draft.switched(0, False).switched(1, False).recipe()
    assert without == Recipe([Step("combine")])
    branch = Draft((steps[0], Step("combine", input="moved"), Step("balance", input="moved")))
    assert branch.switched(0, False).recipe() == Recipe([Step("combine"), Step("balance")])
    first = Draft((Step("register"), Step("balance", name="b"), Step("combine", input="register")))
    with pytest.raises(ValueError, match="'combine' would take its frames from 'b' now"):
        first.switched(0, False).recipe()
    with pytest.raises(ValueError, match="all steps are switched off"):
        Draft((Step("combine"),), (False,)).recipe()
    with pytest.raises(ValueError, match="sigma must be"):
        Draft((Step("sigma_clip"),)).with_options(0, {"sigma": -1.0})


def test_steps_in_words():
    method = ns.Features(ratio=0.8)
    step = Step("register", {"method": method}, measure_at={"c": 1}, name="moved")
    assert describe(step) == (
        "moved (register): method = features (ratio = 0.8), measured at c = 1"
    )
    mask = Step("repair_hot_pixels", {"mask": np.ones((2, 2), bool)}, measure_each=True)
    assert describe(mask) == "repair hot pixels: mask = an image, measured everywhere"
    assert describe(Step("combine", {"method": "mean"}, input="moved")) == "combine: of moved"
