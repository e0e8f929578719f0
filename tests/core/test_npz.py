"""Arrays by name in an .npz file."""

import numpy as np
import pytest

from napari_stack.core.system.npz import write_npz


def test_an_npz_holds_what_is_given_and_nothing_else(tmp_path, monkeypatch):
    written = np.savez_compressed

    def of_numpy_1(file, *arrays, **named):
        """Before NumPy 2.1, every name is one of an array."""
        written(file, *arrays, **{"x" + name: value for name, value in named.items()})

    monkeypatch.setattr(np, "savez_compressed", of_numpy_1)
    values = {"format": "a text", "version": 1, "gains": np.arange(3.0), "failed": (True, False)}
    with (tmp_path / "a.npz").open("wb") as file:
        write_npz(file, values)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert set(found) == {"x" + name for name in values}
        for name, value in values.items():
            np.testing.assert_array_equal(found["x" + name], value)


def test_python_objects_are_refused(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file, pytest.raises(TypeError, match="unlike odd"):
        write_npz(file, {"fine": 1, "odd": object()})
