"""Which errors the user can mend."""

import errno

import pytest

from napari_stack.core.errors import MissingPackageError, UserError, is_mendable


@pytest.mark.parametrize(
    "error",
    [
        UserError("sigma must be a number"),
        MissingPackageError("plots need matplotlib"),
        FileExistsError("out.tif exists"),
        PermissionError(errno.EACCES, "Permission denied", "out.tif"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EINVAL, "Invalid argument", "a?b.tif"),
        OSError("image file is truncated"),
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        MemoryError("Unable to allocate 3 TiB"),
    ],
)
def test_what_the_user_can_mend(error):
    assert is_mendable(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("operands could not be broadcast together"),
        TypeError("a bug"),
        ImportError("cannot import name"),
        OSError(errno.EBADF, "Bad file descriptor"),
        OSError(errno.EINVAL, "Invalid argument"),
    ],
)
def test_what_is_a_fault_of_the_program(error):
    assert not is_mendable(error)
