"""Kinds of transforms: their unknowns, the equations of these, and matrices made of them."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_stack.core.matrices import Matrix, centre_of

Transform = Literal["translation", "rigid", "similarity", "affine", "homography"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)


#: Displacement (x, y) of a point for one unit of each unknown, as powers (k, l) of its place
#: (px, py) about the centre in half diagonals: {(k, l): factor}.
_Field = tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]
_SHIFT: list[_Field] = [({(0, 0): 1}, {}), ({}, {(0, 0): 1})]
_GROWTH: list[_Field] = [({(1, 0): 1}, {(0, 1): 1})]
_TURN: list[_Field] = [({(0, 1): -1}, {(1, 0): 1})]
_LINEAR: list[_Field] = [({(1, 0): 1}, {}), ({(0, 1): 1}, {}), ({}, {(1, 0): 1}), ({}, {(0, 1): 1})]
_KEYSTONE: list[_Field] = [({(2, 0): 1}, {(1, 1): 1}), ({(1, 1): 1}, {(0, 2): 1})]
_FIELDS: dict[Transform, list[_Field]] = {
    "translation": _SHIFT,
    "rigid": _SHIFT + _TURN,
    "similarity": _SHIFT + _GROWTH + _TURN,
    "affine": _SHIFT + _LINEAR,
    "homography": _SHIFT + _LINEAR + _KEYSTONE,
}

#: Powers that displacements are made of, and where products of two of them are in the sums.
POWERS = [(k, m) for k in range(3) for m in range(3 - k)]
_LINES = [(0, 0), (1, 0), (0, 1)]
_SUM_K = np.add.outer([k for k, _ in POWERS], [k for k, _ in POWERS])
_SUM_L = np.add.outer([m for _, m in POWERS], [m for _, m in POWERS])
_AT = (np.array([k for k, _ in POWERS]), np.array([m for _, m in POWERS]))


def _table(fields: list[_Field]) -> NDArray[np.float64]:
    """Factors (2, unknown, power) of the displacements."""
    table = np.zeros((2, len(fields), len(POWERS)))
    for number, field in enumerate(fields):
        for axis, factors in enumerate(field):
            for power, factor in factors.items():
                table[axis, number, POWERS.index(power)] = factor
    return table


_TABLES = {transform: _table(fields) for transform, fields in _FIELDS.items()}


def equations(
    sums: NDArray[np.float64], transform: Transform
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make the normal matrix (n + 2, n + 2) and right-hand side of the unknowns, gain and offset.

    Parameters
    ----------
    sums : ndarray (17, 5, 5), float64
        From `moments`.
    transform : str
        One of `TRANSFORMS`.
    """
    x, y = _TABLES[transform]
    xx, xy, yy = sums[:3, _SUM_K, _SUM_L]
    xv, yv, x1, y1, xr, yr = sums[3:9, _AT[0], _AT[1]]
    count = len(x)
    normal = np.empty((count + 2, count + 2))
    cross = x @ xy @ y.T
    normal[:count, :count] = x @ xx @ x.T + cross + cross.T + y @ yy @ y.T
    normal[:count, count] = normal[count, :count] = x @ xv + y @ yv
    normal[:count, count + 1] = normal[count + 1, :count] = x @ x1 + y @ y1
    vv, v, one, vr, r = sums[9:14, 0, 0]
    normal[count:, count:] = [[vv, v], [v, one]]
    return normal, np.concatenate([x @ xr + y @ yr, [vr, r]])


def affine_fields(transform: Transform) -> NDArray[np.float64]:
    """Displacement (2, unknowns, 3) for one unit of each unknown, as factors of 1, px and py.

    Not of a homography, which needs higher powers.
    """
    return np.ascontiguousarray(_TABLES[transform][:, :, [POWERS.index(p) for p in _LINES]])


def unknowns_of(transform: Transform) -> NDArray[np.float64]:
    """Return unit vectors (n, n) of the unknowns of a transform, the shifts first."""
    return np.eye(_TABLES[transform].shape[1])


def growth_of(transform: Transform) -> NDArray[np.float64]:
    """Unknowns (n,) of a growth that moves corners by one pixel; zeros where there is none."""
    x, y = _TABLES[transform]
    growth: NDArray[np.float64] = np.maximum(x[:, POWERS.index((1, 0))], y[:, POWERS.index((0, 1))])
    return growth


def linear_terms(sums: NDArray[np.float64], transform: Transform) -> NDArray[np.float64]:
    """Sum (unknowns,) a field (x, y) along the displacements for one unit of each unknown.

    Parameters
    ----------
    sums : ndarray (2, 5, 5)
        Of x and y of the field, times px^k py^l.
    transform : str
        One of `TRANSFORMS`.
    """
    x, y = _TABLES[transform]
    across, down = sums[:, _AT[0], _AT[1]]
    return x @ across + y @ down


def quadratic_terms(sums: NDArray[np.float64], transform: Transform) -> NDArray[np.float64]:
    """Sum (unknowns, unknowns) a matrix field between the displacements of two unknowns.

    Parameters
    ----------
    sums : ndarray (2, 2, 5, 5)
        Of xx, xy, yx and yy of the field, times px^k py^l.
    transform : str
        One of `TRANSFORMS`.
    """
    table = _TABLES[transform]
    between = sums[:, :, _SUM_K, _SUM_L]
    return np.einsum("aup,abpq,bvq->uv", table, between, table)


def update_matrix(
    step: NDArray[np.float64], transform: Transform, shape: tuple[int, ...]
) -> Matrix:
    """Matrix of a displacement by the unknowns, in pixels at half a diagonal from the centre."""
    centre, radius = centre_of(shape), float(np.hypot(shape[1] - 1, shape[0] - 1) / 2)
    powers = _TABLES[transform].transpose(0, 2, 1) @ step / radius
    at = {power: powers[:, number] for number, power in enumerate(POWERS)}
    inner = np.eye(3)
    inner[:2, 0] += at[1, 0]
    inner[:2, 1] += at[0, 1]
    inner[:2, 2] = at[0, 0]
    inner[2, :2] = -at[2, 0][0], -at[0, 2][1]
    if transform == "rigid":
        inner[:2, :2] /= np.sqrt(np.linalg.det(inner[:2, :2]))
    to_pixels = np.array([[radius, 0, centre[0]], [0, radius, centre[1]], [0, 0, 1]])
    return to_pixels @ inner @ np.linalg.inv(to_pixels)


def update_of(matrices: Matrix, transform: Transform, shape: tuple[int, ...]) -> Matrix:
    """Unknowns (n, unknowns) of updates (n, 3, 3) next to none: `update_matrix` turned round."""
    centre, radius = centre_of(shape), float(np.hypot(shape[1] - 1, shape[0] - 1) / 2)
    to_pixels = np.array([[radius, 0, centre[0]], [0, radius, centre[1]], [0, 0, 1]])
    inner = np.linalg.inv(to_pixels) @ matrices @ to_pixels
    inner = inner / inner[:, 2:, 2:]
    table = np.zeros((unknowns_of(transform).shape[0], 3, 3))
    for number, (x, y) in enumerate(_TABLES[transform].swapaxes(0, 1)):
        at = {power: (x[k], y[k]) for k, power in enumerate(POWERS)}
        table[number, :2] = np.transpose([at[1, 0], at[0, 1], at[0, 0]])
        table[number, 2, :2] = -at[2, 0][0], -at[0, 2][1]
    known = np.linalg.pinv(table.reshape(len(table), 9).T)
    result: Matrix = radius * (inner - np.eye(3)).reshape(-1, 9) @ known.T
    return result


def nearest(matrix: Matrix, transform: Transform, shape: tuple[int, ...]) -> Matrix:
    """Matrix of this kind that moves the centre of a frame alike and the rest nearly so."""
    if transform in ("affine", "homography"):
        return matrix if transform == "homography" else np.vstack([matrix[:2], [0, 0, 1]])
    linear = matrix[:2, :2]
    turn = np.array([linear[0, 0] + linear[1, 1], linear[1, 0] - linear[0, 1]]) / 2
    if transform == "translation":
        turn = np.array([1.0, 0.0])
    elif transform == "rigid":
        turn = turn / max(float(np.hypot(*turn)), 1e-12)
    result, centre = np.eye(3), centre_of(shape)
    moved = matrix @ [*centre, 1.0]
    if not moved[2] > 0:
        return matrix
    result[:2, :2] = [[turn[0], -turn[1]], [turn[1], turn[0]]]
    result[:2, 2] = moved[:2] / moved[2] - result[:2, :2] @ centre
    return result
