"""Options that count only with some values of others: what their operators declare is true."""

import warnings

import numpy as np
import pytest

from napari_stack.core.counts_with import CountsWith, counting
from napari_stack.core.options import options_of
from napari_stack.core.results import images_of
from napari_stack.core.stack import Stack
from napari_stack.operators import CATALOGUE

#: Every operator, and every method of one, that has such an option.
OWNERS = {
    owner.__name__: owner
    for entry in CATALOGUE.own.values()
    for owner in (
        entry.function,
        *(method for option in entry.options.values() for method in option.methods.values()),
    )
    if any(option.counts_with for option in options_of(owner).values())
}

#: Options that only some numbers fit.
OTHERS = {
    "exposures": np.arange(1.0, 7.0), "kernel_size": 5, "blur": 5, "thresholds": "40",
    "smoothness": 9.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def frames():
    """Six noisy frames of unequal level, with an outlier in each."""
    random = np.random.default_rng(5)
    scene = random.normal(1000, 100, (32, 40))
    data = scene + random.normal(0, 60, (6, 32, 40)) + 100 * np.arange(6)[:, None, None]
    for number in range(6):
        data[number, 4 * number : 4 * number + 6, 5:25] += 900
    return Stack.wrap(np.clip(data, 0, 4095).astype(np.uint16))


@pytest.mark.parametrize("name", OWNERS)
def test_conditions_name_options_and_values_that_there_are(name):
    options = options_of(OWNERS[name])
    for option in options.values():
        for condition in option.counts_with:
            other = options[condition.option]
            assert [v for v in condition.values if other.validation_error(v)] == []
            assert option.name not in _chain(options, condition)


def _chain(options, condition):
    """Names of all options on which a condition rests."""
    other = options[condition.option]
    rest = (name for one in other.counts_with for name in _chain(options, one))
    return {other.name, *rest}


def test_what_counts_follows_from_the_values_and_from_each_other():
    options = OWNERS["repair_hot_pixels"]
    known = options_of(options)
    mask = np.zeros((2, 2))
    assert "exposures" not in counting(known, {})
    assert "exposures" in counting(known, {"kind": "warm"})
    assert counting(known, {"kind": "warm", "mask": mask}) == {"mask", "method", "kernel_size"}
    assert "sigma" in counting(options_of(OWNERS["sigma_clip"]), {"method": "auto", "grow": 2.0})
    assert known["exposures"].help.endswith("Counts only with kind warm or all.")
    assert known["blur"].help.endswith("Counts only without mask.")
    told = options_of(OWNERS["sigma_clip"])["sigma"].help
    assert told.endswith("Counts only with method sigma or linear fit, or with grow.")


@pytest.mark.parametrize("kind", [float, int, bool, np.float32, np.int64, np.bool_])
def test_numbers_of_numpy_are_on_or_off_as_others_are(kind):
    assert [CountsWith("grow").met(kind(value)) for value in (0, 1)] == [False, True]


def test_a_method_given_with_options_counts_by_its_name():
    by_detector = CountsWith("method", ("features",))
    method = CATALOGUE["register"].options["method"].methods["features"]
    assert by_detector.met(method(detector="ORB"))
    assert not by_detector.met("intensity")


def without(options, option, most):
    """Give values of other options with which one does not count, at most so many."""
    (first, *_) = option.counts_with
    other = options[first.option]
    if first.values == (None,):
        yield {other.name: np.eye(32, 40, dtype=np.uint8) + 1}
    elif first.values:
        yield from [{other.name: c} for c in other.choices if not first.met(c)][:most]
    else:
        yield {other.name: other.choices[0] if other.choices else type(other.default)()}


def another(option):
    """Return another value than the default."""
    if option.name in OTHERS:
        return OTHERS[option.name]
    if option.kind is bool:
        return not option.default
    if option.choices:
        return next(c for c in option.choices if c != option.default)
    return option.default + option.bounds.step


def images(function, stack, values):
    """Run, and return all that comes out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few frames, of a scene that stays
        made = function(stack, **values)
    return {"frames": np.asarray(made)} if isinstance(made, Stack) else images_of(made)


OPERATORS = [name for name in OWNERS if name in CATALOGUE and name != "focus_slabs"]


@pytest.mark.parametrize("name", OPERATORS)
def test_what_does_not_count_changes_nothing(name, frames):
    function = OWNERS[name]
    options = options_of(function)
    most = 9 if name == "sigma_clip" else 1  # others take longer, and look at nothing else
    for option in options.values():
        for values in without(options, option, most) if option.counts_with else ():
            assert option.name not in counting(options, values)
            plain = images(function, frames, values)
            changed = images(function, frames, {**values, option.name: another(option)})
            assert plain.keys() == changed.keys()
            for part, image in plain.items():
                np.testing.assert_array_equal(image, changed[part], f"{values}, {option.name}")


CHOSEN = {
    "sigma": 1.2, "iterations": 1, "sigma_low": 1.0, "sigma_high": 1.0, "centre": "median",
    "spread": "MAD",
}  # fmt: skip


@pytest.mark.parametrize("method", CATALOGUE["sigma_clip"].options["method"].choices)
def test_what_counts_with_a_clip_changes_its_image(method, frames):
    options = CATALOGUE["sigma_clip"].options
    function = CATALOGUE["sigma_clip"].function
    begun = {"method": method, "sigma": 1.5} if method != "auto" else {"method": method}
    plain = images(function, frames, begun)["image"]
    for name in counting(options, begun) & CHOSEN.keys():
        changed = images(function, frames, {**begun, name: CHOSEN[name]})["image"]
        assert not np.array_equal(plain, changed), name
