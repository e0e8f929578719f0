"""Paths as they are typed: home folders, names that begin with a tilde, names that are too long."""

from pathlib import Path

import pytest

from napari_stack.core.system.home import at_home


def test_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert at_home("~") == Path.home()
    assert at_home("~/a.tif") == Path.home() / "a.tif"
    assert at_home(Path("b/~a.tif")) == Path("b/~a.tif")
    for name in ("~no such user.tif", "~$a.tif"):
        assert at_home(name) == Path(name)
        (tmp_path / name).touch()
        assert at_home(name) == Path(name)
    (tmp_path / "~root").touch()
    assert at_home("~root") == Path("~root")


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(ValueError, match=r"path with 'a+\.\.\.' is too long, 4000 letters in"):
        at_home("a" * 4000)
    assert at_home("a\0b") == Path("a\0b")
