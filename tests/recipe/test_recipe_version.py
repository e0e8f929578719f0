"""Recipes say the version of their format; newer ones are refused."""

import pytest

from napari_stack import Recipe, Step
from napari_stack.recipe.version import NEWEST

STEPS = [{"operator": "combine"}]


def plain(version):
    return {"format": "napari-stack recipe", "version": version, "steps": STEPS}


@pytest.mark.parametrize("version", [1, "1", "1.0"])
def test_what_is_known_is_read(version):
    assert Recipe.from_json(plain(version)) == Recipe([Step("combine")])


def test_what_is_written_is_read_by_version_0_1():
    assert Recipe([Step("combine")]).to_json() == plain(1)


@pytest.mark.parametrize("version", [2, "1.1", "1.10", "2.0", f"{NEWEST[0]}.{NEWEST[1] + 1}"])
def test_a_newer_one_is_refused_with_what_to_do(version):
    with pytest.raises(ValueError, match=rf"version {version}, of a newer .* 1.0 .*update"):
        Recipe.from_json(plain(version))


@pytest.mark.parametrize("version", [None, 0, -1, 1.0, True, "one", "1.x", "", [1], "1.0\n"])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(ValueError, match="whole number from 1"):
        Recipe.from_json(plain(version))
