"""`LaterForm`: inputs of "More options" are made when they are first needed."""

import pytest

import napari_stack as ns
from napari_stack._widgets.parts.options.later_form import LaterForm


@pytest.fixture
def later(qapp):
    return LaterForm(ns.sigma_clip, list, ["centre", "spread"])


def test_nothing_is_made_before_it_is_needed(later):
    later.reset()
    later.reset_choices()
    later.align()
    later.refuse_incomplete()
    later.set_values({"centre": "mean"})  # as it is anyway
    assert later.values() == {}
    assert later.all_values() == {"centre": "mean", "spread": "standard deviation"}
    assert later.native.layout().count() == 0
    later.make()
    assert later.native.layout().count() == 1
    assert later.all_values() == {"centre": "mean", "spread": "standard deviation"}


def test_options_that_are_set_are_kept_and_told(later):
    told = []
    later.changed.connect(lambda: told.append(later.values()))
    later.set_values({"centre": "median"})
    assert told[-1] == later.values() == {"centre": "median"}
    later.fields["spread"].value = "MAD"
    assert told[-1] == {"centre": "median", "spread": "MAD"}
    later.reset()
    assert later.values() == {}
