"""Sums over rows are those of both ways, and of the definition."""

import numpy as np

from napari_stack.operators.registration.nonrigid.row_sum_kernels import (
    SUMS,
    sum_rows,
    sum_shifted_rows,
)


def sums(add, back, offsets, spoil=True):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:40, :50]
    template = (5 + np.sin(x / 4) * np.cos(y / 5)).astype(np.float32)
    values = (template + rng.normal(0, 0.1, template.shape)).astype(np.float32)
    counts = np.ones(values.shape, bool)
    if spoil:
        counts[3, 10:20] = False
        template[20, 25] = np.nan
    smooth = 0.9 * template + 0.2  # a template of another kind, for its slopes alone
    out = np.empty((40, SUMS))
    add(values, counts, template, smooth, back, offsets, out)
    return out, values, template, smooth


def test_a_shift_is_summed_as_any_matrix_is():
    back = np.eye(3)
    back[:2, 2] = 2.3, -1.6
    offsets = np.random.default_rng(1).normal(0, 1, (40, 2))
    one, *_ = sums(sum_rows, back, offsets)
    two, *_ = sums(sum_shifted_rows, back, offsets)
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-3)
    assert one[:, 0].min() == 0
    assert one[:, 0].max() > 40


def test_rows_at_rest_are_summed_by_the_definition():
    out, values, template, smooth = sums(sum_rows, np.eye(3), np.zeros((40, 2)), spoil=False)
    row = 7
    v, t = values[row, 1:48].astype(float), template[row, 1:48].astype(float)
    gx = (smooth[row, 2:49] - smooth[row, :47]).astype(float) / 2
    gy = (smooth[row + 1, 1:48] - smooth[row - 1, 1:48]).astype(float) / 2
    wanted = [len(t), t.sum(), v.sum(), t @ t, t @ v, v @ v, gx.sum(), gy.sum(), v @ gx, v @ gy,
              t @ gx, t @ gy, gx @ gx, gx @ gy, gy @ gy]  # fmt: skip
    np.testing.assert_allclose(out[row], wanted, rtol=1e-5, atol=1e-5)
