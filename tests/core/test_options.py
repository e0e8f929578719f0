"""Options: read from signatures, refused with one sentence, written as plain data."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
import pytest

from napari_stack.core.options import (
    Bounds,
    ImageSource,
    check,
    method_name,
    options_of,
    summary,
)
from napari_stack.core.options_json import options_from_json, options_to_json
from napari_stack.operators import CATALOGUE, Features, Intensity, Pyramid, register, sigma_clip
from napari_stack.operators.geometry.warp import apply_transforms
from napari_stack.operators.registration.register import measure_transforms


@dataclass(frozen=True)
class Fast:
    """A method.

    Parameters
    ----------
    steps : int
        Number of steps.
    """

    steps: Annotated[int, Bounds(1, 9)] = 3

    def __post_init__(self):
        check(type(self), vars(self))


def operator(
    stack,
    *,
    amount: Annotated[float, Bounds(0, 1, step=0.1, unit="px")] = 0.5,
    name: Literal["one", "two"] = "one",
    where: Annotated[int, Bounds(0, 10)] | Literal["middle"] = "middle",
    method: Literal["auto"] | Fast = "auto",
    flag: bool = False,
    mask: ImageSource = None,
    run: object = None,
) -> np.ndarray:
    """Do something.

    Parameters
    ----------
    amount : float
        How
        much.
    name, where : str
        Which.
    method : str
        How.
    flag : bool
        Whether.
    mask : array
        Here.
    run : object
        Not an option.
    """
    check(operator, locals())
    return np.zeros(3)


AMOUNT = "operator: amount must be a number in the range 0 to 1 px, "
WHERE = "operator: where must be 'middle' or a whole number in the range 0 to 10, "


def test_what_a_signature_tells():
    options = options_of(operator)
    assert list(options) == ["amount", "name", "where", "method", "flag", "mask"]
    assert options["amount"].help == "How much. Range: 0 to 1 px."
    assert (options["amount"].kind, options["amount"].default) == (float, 0.5)
    assert options["name"].choices == ("one", "two")
    assert (options["where"].kind, options["where"].choices) == (int, ("middle",))
    assert options["where"].bounds == Bounds(0, 10)
    assert options["method"].methods == {"fast": Fast}
    assert options["method"].choices == ("auto", "fast")
    assert options["mask"].kind is np.ndarray
    assert options_of(Fast)["steps"].bounds == Bounds(1, 9)
    assert summary(operator) == "Do something."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"amount": 2}, "operator: amount must be a number in the range 0 to 1 px, got 2"),
        ({"amount": float("nan")}, AMOUNT + "got nan"),
        ({"amount": "a"}, AMOUNT + "got 'a'"),
        ({"amount": True}, AMOUNT + "got True"),
        ({"amount": np.float64(3)}, AMOUNT + "got 3.0"),
        ({"amount": 10**400}, AMOUNT + f"got {10**400}"),
        ({"name": "three"}, "operator: name must be 'one' or 'two', got 'three'"),
        ({"where": 11}, WHERE + "got 11"),
        ({"where": 1.5}, WHERE + "got 1.5"),
        ({"method": "slow"}, "operator: method must be 'auto' or 'fast' or Fast(...), got 'slow'"),
        ({"flag": 1}, "operator: flag must be True or False, got 1"),
        ({"mask": 3}, "operator: mask must be an array or the path of an image, got int"),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_with_one_sentence(values, sentence):
    for call in (partial(operator, None, **values), partial(options_from_json, operator, values)):
        with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
            call()


def test_good_values_pass():
    operator(None, amount=np.float32(1), where=np.int64(3), flag=np.True_, mask="a.tif")
    operator(None, method="fast", mask=np.zeros(3))
    operator(None, method=Fast(9))


def test_a_method_refuses_its_own_bad_option():
    with pytest.raises(ValueError, match=r"Fast: steps must be a whole .* range 1 to 9, got 0"):
        Fast(0)
    with pytest.raises(ValueError, match="Fast: steps must be"):
        options_from_json(operator, {"method": {"name": "fast", "steps": 0}})


def test_an_unknown_option_is_refused_by_name():
    with pytest.raises(ValueError, match="operator has no option 'amont'; it takes amount, name"):
        options_from_json(operator, {"amont": 1})


def test_plain_data_holds_only_what_differs_and_comes_back():
    values = {"amount": 0.5, "where": 4, "method": Fast(5), "mask": "mask.tif"}
    plain = options_to_json(operator, values)
    assert plain == {"where": 4, "method": {"name": "fast", "steps": 5}, "mask": "mask.tif"}
    assert options_from_json(operator, plain) == {"where": 4, "method": Fast(5), "mask": "mask.tif"}


def test_an_array_cannot_stand_in_plain_data():
    with pytest.raises(ValueError, match="mask is an array, which a recipe cannot hold"):
        options_to_json(operator, {"mask": np.zeros((2, 2))})


def test_every_option_of_every_operator_has_a_text_and_a_range():
    for owner in [*(entry.function for entry in CATALOGUE.values()), Features, Intensity, Pyramid]:
        assert summary(owner)
        for option in options_of(owner).values():
            assert option.text.endswith("."), (owner, option)
            assert option.bounds or option.kind not in (int, float), (owner, option)
            assert option.validation_error(option.default) is None, (owner, option)


def test_a_correcting_operator_has_the_options_of_its_halves():
    halves = {**options_of(measure_transforms), **options_of(apply_transforms)}
    assert dict(options_of(register)) == halves
    with pytest.raises(TypeError, match=r"register\(\) got an unexpected keyword argument 'shift'"):
        register(None, shift=3)


def test_method_names():
    assert method_name(Pyramid) == "pyramid"
    assert options_of(sigma_clip)["sigma"].bounds.unit == "sigma"
