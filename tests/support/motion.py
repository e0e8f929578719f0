"""Matrices of frames that tests move."""

import numpy as np

SIZE = (96, 112)


def turning(shift=(5.0, -3.0), degrees=4.0, scale=1.02):
    """Matrix of a similarity about the centre of a frame."""
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    centre = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2])
    matrix[:2, 2] = centre + shift - matrix[:2, :2] @ centre
    return matrix
