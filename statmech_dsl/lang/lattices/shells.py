"""Neighbor shells of an infinite lattice, from its unit cell alone."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from statmech_dsl.lang.lattices.cells import Cell, Offset

TOLERANCE = 1e-6  # between distances; neighbors are at distance 1


class Step(NamedTuple):
    """From basis site `source` of a cell to basis site `target` of the cell `offset` away."""

    source: int
    target: int
    offset: Offset


def step_vectors(cell: Cell, steps: list[Step]) -> np.ndarray:
    """Return the displacements ``(offset + basis[target] - basis[source]) @ vectors``, as rows.

    Examples
    --------
    >>> from statmech_dsl.lang.lattices.cells import SQUARE
    >>> step_vectors(SQUARE, [Step(0, 0, (1, -1))])
    array([[ 1., -1.]])
    """
    basis = np.array(cell.basis)
    sources, targets, offsets = (np.array(column) for column in zip(*steps, strict=True))
    return (offsets + basis[targets] - basis[sources]) @ np.array(cell.vectors)


def shell_steps(cell: Cell, shell: int, farthest: float) -> list[Step]:
    """Return the steps of the shell-th shortest length, each pair of opposite steps once.

    A step goes up the basis, or within one sublattice in the direction whose first nonzero
    component is positive; axis 0 comes first.

    Parameters
    ----------
    cell
        The unit cell.
    shell
        1 for nearest neighbors, 2 for the next, and so on.
    farthest
        Give up beyond this distance.

    Returns
    -------
    list of Step
        Empty if the shell lies beyond `farthest`.

    Examples
    --------
    >>> from statmech_dsl.lang.lattices.cells import SQUARE
    >>> [step.offset for step in shell_steps(SQUARE, 1, farthest=10)]
    [(1, 0), (0, 1)]
    >>> [step.offset for step in shell_steps(SQUARE, 2, farthest=10)]
    [(1, 1), (1, -1)]
    """
    # Cells more than `radius` away along some axis are at least this many plane spacings away.
    spacing = (1 / np.linalg.norm(np.linalg.inv(cell.vectors), axis=0)).min()
    spread = np.ptp(cell.basis, axis=0).max()
    radius, complete = 0, 0.0
    while complete <= farthest + TOLERANCE:
        radius += 1
        complete = (radius + 1 - spread) * spacing
        steps = _steps_within(cell, radius)
        lengths = np.linalg.norm(step_vectors(cell, steps), axis=1)
        shells = np.sort(lengths[lengths < complete - TOLERANCE])
        shells = shells[np.diff(shells, prepend=0.0) > TOLERANCE]
        if len(shells) >= shell:
            near = abs(lengths - shells[shell - 1]) < TOLERANCE
            return [step for step, here in zip(steps, near, strict=True) if here]
    return []


def _steps_within(cell: Cell, radius: int) -> list[Step]:
    offsets = radius - np.indices((2 * radius + 1,) * cell.dim).reshape(cell.dim, -1).T
    offsets = [tuple(offset) for offset in offsets.tolist()]
    ahead = offsets[: len(offsets) // 2]  # the first nonzero component is positive
    return [
        Step(source, target, offset)
        for source, target in combinations_with_replacement(range(len(cell.basis)), 2)
        for offset in (ahead if source == target else offsets)
    ]
