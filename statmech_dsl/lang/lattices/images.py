"""The shortest of all periodic images of a displacement."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np

TOLERANCE = 1e-9  # so that rounding does not decide between images that are equally near


def shortest(displacements: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the shortest image of each displacement under sums of the periods.

    Exact for orthogonal periods, and for up to two periods of any shape. Where images are equally
    short, which of them is returned is arbitrary.

    Parameters
    ----------
    displacements
        Vectors along the last axis, shape (..., dim).
    periods
        Period vectors as rows, shape (k, dim), linearly independent; k may be 0.

    Examples
    --------
    >>> shortest(np.array([3.0, 1.0]), np.array([[4.0, 0.0], [0.0, 4.0]]))
    array([-1.,  1.])
    """
    if not len(periods):
        return displacements
    periods = _reduced(periods)
    cells = np.rint(displacements @ np.linalg.pinv(periods))
    rounded = best = displacements - cells @ periods
    if orthogonal(periods):
        return rounded
    # With two reduced periods the nearest image is at most one of each from the rounded one.
    for shift in product((-1, 0, 1), repeat=len(periods)):
        image = rounded + np.array(shift) @ periods
        shorter = (image**2).sum(-1) < (best**2).sum(-1) - TOLERANCE
        best = np.where(shorter[..., None], image, best)
    return best


def orthogonal(vectors: np.ndarray) -> bool:
    """Whether all rows are at right angles.

    Examples
    --------
    >>> orthogonal(np.array([[2.0, 0.0], [0.0, 3.0]]))
    True
    """
    gram = vectors @ vectors.T
    return np.allclose(gram, np.diag(np.diag(gram)))


def _reduced(periods: np.ndarray) -> np.ndarray:
    """Lagrange's reduction: shorten each period by multiples of the others while that helps."""
    periods = periods.copy()
    shortened = True
    while shortened:
        shortened = False
        for a, b in permutations(range(len(periods)), 2):
            multiple = periods[a] @ periods[b] / (periods[b] @ periods[b])
            if abs(multiple) > 0.5 + TOLERANCE:
                periods[a] -= np.rint(multiple) * periods[b]
                shortened = True
    return periods
