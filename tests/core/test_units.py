"""Units: what the spellings of files mean, and that napari understands each."""

import pint
import pytest

from napari_stack.core.units import long_name, metres, plain_unit, seconds, spelled

MEANT = {
    "um": "µm μm um \\u00B5m micron Microns MICROMETER micrometres UM",
    "nm": "nm NM nanometer Nanometres",
    "angstrom": "A Å \u212b angstrom Angstroms ångström",
    "pixel": "pixel pixels px PX voxel slice arbitrary a.u. units ? a",
    "s": "s sec SEC Seconds second S",
    "ms": "ms msec millisecond Milliseconds",
    "min": "min minute Minutes",
    "h": "h hr hours H",
    "day": "d day days",
    "inch": 'in inch Inches "',
    "m": "m Meter metre M",
    "point": "pt",
    "thou": "thou mil",
    "degree": "deg °",
}


PAIRS = [(meant, text) for meant, texts in MEANT.items() for text in texts.split()]


@pytest.mark.parametrize(("meant", "text"), PAIRS)
def test_spellings(meant: str, text: str) -> None:
    assert plain_unit(f" {text}\0") == meant
    assert pint.Unit(plain_unit(text)) == pint.Unit(meant)


@pytest.mark.parametrize("text", ["reference frame", "", "  ", "fluorescence units", "1/cm", "\\u"])
def test_free_texts_are_pixels(text: str) -> None:
    assert plain_unit(text) == "pixel"


def test_sizes() -> None:
    assert (metres("cm"), metres("Angstrom"), metres("s")) == (0.01, 1e-10, None)
    assert (seconds("ms"), seconds("hours"), seconds("um")) == (0.001, 3600, None)


def test_all_lengths_and_times_are_those_of_pint() -> None:
    for unit in (
        "pm",
        "nm",
        "um",
        "mm",
        "km",
        "inch",
        "mile",
        "angstrom",
        "parsec",
        "point",
        "thou",
    ):
        assert metres(unit) == pytest.approx(pint.Quantity(1, unit).to("meter").magnitude, 1e-6)
    for unit in ("ns", "us", "min", "h", "day"):
        assert seconds(unit) == pytest.approx(pint.Quantity(1, unit).to("second").magnitude)


def test_names_of_ngff() -> None:
    names = [long_name(unit) for unit in ("µm", "sec", "h", "day", "A", "in", "point", "?")]
    assert names == ["micrometer", "second", "hour", "day", "angstrom", "inch", None, None]


def test_an_unknown_unit_is_left_as_it_is() -> None:
    assert (spelled("furlong"), spelled("nanometer")) == ("furlong", "nm")
