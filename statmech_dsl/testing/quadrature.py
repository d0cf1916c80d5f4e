"""Points and weights that integrate over the values of one site."""

from __future__ import annotations

from math import pi

import numpy as np

from statmech_dsl.ir.domains import Domain

REACH = 12.0
"""The real line is cut here: a confining energy leaves nothing beyond."""


def nodes(domain: Domain, n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Midpoints of cells of the base measure and the logarithm of their measure.

    Parameters
    ----------
    domain : Domain
        A variable type.
    n : int
        Cells along each direction; its square where there is one direction only.

    Returns
    -------
    points : ndarray, shape (cells, components)
        Values of a site.
    log_measure : ndarray, shape (cells,)
        Logarithm of the measure of each cell.

    Examples
    --------
    The surface of the sphere is 4 pi:

    >>> from statmech_dsl.ir.domains import UnitVector
    >>> points, log_measure = nodes(UnitVector(3), n=100)
    >>> bool(np.isclose(np.exp(log_measure).sum(), 4 * np.pi))
    True
    """
    if domain.values is not None:
        return np.array(domain.values)[:, None], np.zeros(len(domain.values))
    cells = n * n
    if domain.transform == "sphere":
        return _sphere(domain.components, n if domain.components > 2 else cells)
    reach = pi if domain.transform == "circular" else REACH
    return _midpoints(reach, cells)[:, None], np.full(cells, np.log(2 * reach / cells))


def _midpoints(reach: float, cells: int) -> np.ndarray:
    return (2 * np.arange(cells) + 1 - cells) * (reach / cells)


def _sphere(components: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The last component z has the density (1 - z^2)^((components - 3) / 2) over smaller spheres."""
    if components == 2:
        angle = _midpoints(pi, n)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.full(n, np.log(2 * pi / n))
    rim, log_rim = _sphere(components - 1, n)
    z = _midpoints(1.0, n)
    log_z = np.log(2 / n) + 0.5 * (components - 3) * np.log1p(-(z**2))
    radius = np.sqrt(1 - z**2)[:, None, None] * rim
    points = np.concatenate([radius, np.broadcast_to(z[:, None, None], (n, len(rim), 1))], axis=-1)
    return points.reshape(-1, components), np.add.outer(log_z, log_rim).ravel()
