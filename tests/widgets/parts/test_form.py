"""Options in a dock: the same names, defaults, bounds, texts and sentences as in the signature."""

import subprocess
import sys

import numpy as np
import pytest
from napari.components import ViewerModel

import napari_stack as ns
from napari_stack._widgets import BalanceDock, FocusStackDock, RegisterDock, SigmaClipDock
from napari_stack._widgets.parts.options.fields import ImageField
from napari_stack._widgets.parts.options.form import OptionsForm
from napari_stack._widgets.parts.options.inputs import ChoiceOrNumber, NumberInput
from napari_stack.operators import CATALOGUE
from support.docks import DOCKS, docked


def fields_of(dock):
    return {name: field for form in dock._forms for name, field in form.fields.items()}


@pytest.fixture
def dock(request, qtbot):
    dock = request.param(ViewerModel())
    qtbot.addWidget(dock)
    return dock


@pytest.mark.parametrize("dock", DOCKS.values(), indirect=True)
def test_the_options_are_those_of_the_operator(dock):
    options, fields = CATALOGUE[dock.operator].options, fields_of(dock)
    assert set(fields) == set(options)
    assert dock.options() == {}, "all are at their default"
    for name, option in options.items():
        field = fields[name]
        default = field.value if field.value is not None else option.default
        assert default == option.default
        text = field.native.toolTip().replace("&lt;", "<").replace("&gt;", ">")
        endless = option.bounds and option.bounds.max >= 1e5  # as good as no limit: not told
        told = option.text if endless else option.text_with_range
        assert text.replace("&amp;", "&") == f"<qt>{told.replace('``', '')}</qt>"
        if isinstance(field, NumberInput):
            bounds = (field.native.minimum(), field.native.maximum(), field.native.singleStep())
            assert bounds == (option.bounds.min, option.bounds.max, option.bounds.step)
            if special := field.native.specialValueText():  # it does nothing unless one asks for it
                assert option.default == option.bounds.min
                assert field.native.text() == special


@pytest.mark.parametrize(
    ("dock", "texts"),
    [
        (SigmaClipDock, {"sigma_low": "as sigma", "sigma_high": "as sigma"}),
        (FocusStackDock, {"denoise": "off", "sharpen": "off"}),
        (BalanceDock, {"intensity_max": "no limit"}),
    ],
    indirect=["dock"],
)
def test_numbers_that_do_nothing_say_so(dock, texts):
    fields = fields_of(dock)
    assert {name: fields[name].native.text() for name in texts} == texts


@pytest.mark.parametrize("dock", [RegisterDock], indirect=True)
def test_values_come_back(dock):
    values = {
        "transform": "translation",
        "method": ns.Features(detector="ORB", ratio=0.8125),
        "reference": 3,
        "channel": 0,
        "framing": "common",
        "region": np.ones((4, 4), bool),
    }
    dock.set_options(values)
    assert dock.options() == values
    dock.set_options({"method": "intensity", "reference": "last", "region": "mask.tif"})
    back = dock.options()
    assert (back["method"], back["reference"], str(back["region"])) == (
        "intensity", "last", "mask.tif",
    )  # fmt: skip
    dock.set_options({"method": "features"})
    assert dock.options()["method"] == "features", "a method by name has its defaults"
    dock.reset()
    assert dock.options() == {}


@pytest.mark.parametrize("dock", [SigmaClipDock], indirect=True)
def test_every_digit_of_a_number_is_kept(dock):
    dock.set_options({"sigma": 2.123456})
    assert dock.options() == {"sigma": 2.123456}
    dock.set_options({"sigma": 3})
    assert dock.options() == {"sigma": 3.0}


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (SigmaClipDock, {"sigma": 1000.0}),
        (SigmaClipDock, {"sigma": "much"}),
        (SigmaClipDock, {"iterations": 2.5}),
        (SigmaClipDock, {"iterations": 3, "sigma": float("nan")}),
        (SigmaClipDock, {"sugma": 1.0}),
        (RegisterDock, {"reference": "best"}),
        (RegisterDock, {"transform": "magic"}),
        (RegisterDock, {"region": 7}),
        (FocusStackDock, {"method": "wizard"}),
    ],
)
def test_out_of_range_is_refused_with_the_sentence_of_the_engine(kind, values, qtbot):
    dock = kind(ViewerModel())
    qtbot.addWidget(dock)
    stack = ns.Stack.wrap(np.zeros((3, 64, 64), np.uint8))
    with pytest.raises(ValueError, match=kind.operator) as by_dock:
        dock.set_options(values)
    with pytest.raises(ValueError, match=kind.operator) as by_step:
        ns.Step(kind.operator, values).apply(stack)
    assert str(by_dock.value) == str(by_step.value)
    assert dock.options() == {}, "nothing is set"


@pytest.mark.parametrize("dock", [RegisterDock], indirect=True)
def test_panel_of_the_chosen_method(dock, qtbot):
    form = dock._forms[0]
    panels = form.panels["method"]
    assert set(panels) == {"intensity", "phase", "fourier", "imreg_dft", "features"}
    for chosen in ("auto", "features", "intensity"):
        dock.set_options({"method": chosen})
        shown = [name for name, panel in panels.items() if not panel.native.isHidden()]
        assert shown == [chosen] * (chosen != "auto")


@pytest.mark.parametrize("dock", [RegisterDock], indirect=True)
def test_kinds_of_fields(dock):
    fields = fields_of(dock)
    assert isinstance(fields["reference"], ChoiceOrNumber)
    assert isinstance(fields["region"], ImageField)
    reference = fields["reference"]
    assert reference._number.native.isHidden()
    reference.value = 5
    assert not reference._number.native.isHidden()


def test_any_kind_of_option(qtbot):
    """Kinds that no operator has yet."""

    def operator(stack, *, flag: bool = True, text: str = "a", some: int = 3, run=None):
        """Do something.

        Parameters
        ----------
        stack : Stack
        flag : bool
            Yes or no, <b> & co.
        text : str
            Some text.
        some : int
            A number without bounds.
        run : Run
        """

    form = OptionsForm(operator, list)
    qtbot.addWidget(form.native)
    assert form.values() == {}
    form.set_values({"flag": False, "text": "b", "some": 12345})
    assert form.values() == {"flag": False, "text": "b", "some": 12345}
    assert form.fields["flag"].native.toolTip() == "<qt>Yes or no, &lt;b&gt; &amp; co.</qt>"


def test_opening_docks_imports_no_kernels():
    code = (
        "import gc, sys, napari_stack._widgets as w; from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication; app = QApplication([])\n"
        "names = [name for name in w.__all__ if name != 'OperatorDock']\n"
        "docks = [getattr(w, name)(ViewerModel()) for name in names]\n"
        "kernels = [n for n in sys.modules if n.endswith('kernels') and 'napari_stack' in n]\n"
        # napari itself imports numba
        "assert 'cv2' not in sys.modules and not kernels, kernels\n"
        "from napari_stack.operators import CATALOGUE; assert len(docks) > len(CATALOGUE)\n"
        # PyQt stumbles at exit over windows that nobody closed
        "del docks; gc.collect()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_words_for_no_image():
    form = OptionsForm(CATALOGUE["correct_flat_field"].function, list)
    assert form.fields["flat"]._choice.native.currentText() == "from the frames"
    assert form.fields["dark"]._choice.native.currentText() == "none"
    assert form.values() == {}


def test_changed_options_are_counted(viewer, cells):
    viewer.add_image(cells, rgb=False)
    dock = docked(viewer, RegisterDock)
    assert dock.more.text().endswith("More options")
    dock.set_options({"framing": "common", "border": "reflect", "transform": "rigid"})
    assert dock.more.text().endswith("More options (2 changed)")
    dock.more.expand(animate=False)
    assert dock.more.text() == "\N{BLACK DOWN-POINTING SMALL TRIANGLE} More options (2 changed)"
    dock.reset()
    assert dock.more.text().endswith("More options")


def test_a_limit_that_limits_nothing_is_called_so(viewer, qtbot):
    dock = docked(viewer, RegisterDock)
    shift = dock._forms[1].fields["largest_shift"]
    assert shift._choice.value == "no limit"
    assert dock.options() == {}
    dock.set_options({"largest_shift": 12.5})
    assert dock.options() == {"largest_shift": 12.5}
    assert shift._choice.value == "number"
    dock.reset()
    assert (shift._choice.value, shift.value) == ("no limit", 100_000.0)
    shift._choice.value = "number"
    assert 0 < dock.options()["largest_shift"] < 100_000


def test_changed_options_are_marked(viewer, qtbot):
    dock = docked(viewer, RegisterDock)
    label = dict(zip(dock._forms[0].options, dock._forms[0].labels, strict=True))["transform"]
    assert not label.font().italic()
    dock.set_options({"transform": "rigid"})
    assert label.font().italic()
    dock.reset()
    assert not label.font().italic()


def shown(form):
    """Names of the options in view."""
    return {name for name, field in form.fields.items() if not field.native.isHidden()}


def test_options_that_a_method_ignores_are_hidden_and_left_out(viewer):
    dock = docked(viewer, SigmaClipDock)
    main, rest = dock._forms
    assert shown(main) == {"method", "sigma", "iterations"}
    dock.set_options({"sigma": 3.0, "centre": "median", "grow": 1.0})
    dock.set_options({"method": "min max"})
    assert shown(main) == {"method", "sigma"}, "rejection that grows is measured in sigmas"
    main.fields["method"].value = "min max"
    rest.fields["grow"].value = 0.0
    assert shown(main) == {"method"}
    assert {"centre", "spread", "sigma_low"}.isdisjoint(shown(rest))
    assert dock.options() == {"method": "min max"}
    assert dock.more.text().endswith("More options")
    main.fields["method"].value = "sigma"
    assert dock.options() == {"sigma": 3.0, "centre": "median"}, "what was set is there again"


def test_options_inside_a_method_follow_each_other(qtbot):
    form = OptionsForm(ns.Features, list)
    qtbot.addWidget(form.native)
    assert {"index", "trees", "checks"}.isdisjoint(shown(form))
    form.set_values({"matcher": "flann"})
    assert {"index", "trees", "checks"} <= shown(form)
    form.set_values({"index": "k-means"})
    assert "trees" not in shown(form)


@pytest.mark.parametrize("name", ["Focus Slabs", "Find Hot Pixels"])
def test_a_row_that_counts_again_is_in_view(viewer, name):
    operator = name.lower().replace(" ", "_")
    dock = docked(viewer, DOCKS[operator])
    key, value, follower = {
        "focus_slabs": ("prefer", "near", "near"), "find_hot_pixels": ("kind", "warm", "exposures"),
    }[operator]  # fmt: skip
    fields = fields_of(dock)
    dock.set_options({key: value})
    assert not fields[follower].native.isHidden()
    dock.reset()
    assert fields[follower].native.isHidden()
