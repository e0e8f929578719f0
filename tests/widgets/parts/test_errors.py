"""Errors in the words that the user reads."""

import pytest

from napari_stack._widgets.parts.run.errors import errors_shown, show_error
from napari_stack.core.errors import UserError, format_error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UserError("a frame is\n  missing"), "a frame is missing"),
        (FileNotFoundError(2, "No such file", "a.tif"), "a.tif: no such file"),
        (PermissionError(13, "Permission denied"), "permission denied"),
        (OSError("a.tif is damaged"), "a.tif is damaged"),
        (MemoryError(), "the memory does not suffice"),
        (KeyError("x"), "this is an error of the program: KeyError: 'x'"),
        (ValueError("odd"), "this is an error of the program: ValueError: odd"),
    ],
)
def test_an_error_in_one_line(error, text):
    assert format_error(error) == text


def test_what_can_be_mended_is_shown_and_faults_pass(notes):
    with errors_shown():
        raise UserError("choose a layer")
    lines = []
    with errors_shown(lines.append):
        raise FileExistsError("out.tif exists")
    with pytest.raises(ValueError, match="odd"), errors_shown(lines.append):
        raise ValueError("odd")
    assert notes == [("error", "choose a layer")]
    assert lines == ["out.tif exists"]


def test_a_sentence_says_what_it_is_about(notes):
    show_error(UserError("the folder is empty"), "run1, run2")
    assert notes == [("error", "run1, run2: the folder is empty")]
