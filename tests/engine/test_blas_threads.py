"""BLAS has one thread while runs last, and its own number again after the last of them."""

import numpy as np
import pytest
import scipy.linalg  # noqa: F401  (brings a BLAS of its own)
from threadpoolctl import threadpool_info, threadpool_limits

from napari_stack import Stack
from napari_stack.engine.blas_threads import one_blas_thread
from napari_stack.engine.run import Run

STACK = Stack.wrap(np.zeros((4, 4, 4), np.uint8))


@pytest.fixture(autouse=True)
def two_threads():
    """BLAS has threads to limit, however many processors there are."""
    if not threads():
        pytest.skip("this BLAS has no threads that can be told")
    with threadpool_limits(2, "blas"):
        yield


def threads(*_):
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_runs_limit_and_restore():
    assert Run(workers=2).each(threads, STACK, what="x") == [{1}] * 4
    assert threads() == {2}


def test_the_last_of_runs_side_by_side_restores():
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == {2}


def test_a_run_that_fails_restores():
    def fail(stack, index):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Run(workers=2).each(fail, STACK, what="x")
    assert threads() == {2}
