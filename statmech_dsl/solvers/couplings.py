"""Factors of sites with two values each, as couplings of pairs of spins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from statmech_dsl.errors import InfeasibleError
from statmech_dsl.solvers.factors import Factor
from statmech_dsl.solvers.system import SMALLER

ROUNDING = 1e-13
"""Coefficients below this, relative to the largest of their factor, are zero."""


@dataclass(frozen=True, eq=False)
class Couplings:
    """``E = offset + sum_i fields[i] s_i + sum_{i<j} pairs[i, j] s_i s_j``.

    Each number is a pair: the part that T divides, and the part that it does not.
    """

    n_sites: int
    offset: np.ndarray
    fields: dict[int, np.ndarray]
    pairs: dict[tuple[int, int], np.ndarray]

    def with_ghost(self) -> Couplings:
        """Replace fields by couplings to one more spin; by symmetry Z is then twice as large."""
        ghost = {(i, self.n_sites): h for i, h in self.fields.items()}
        return Couplings(self.n_sites + bool(ghost), self.offset, {}, self.pairs | ghost)


def couplings(factors: Sequence[Factor], n_sites: int) -> Couplings:
    """Expand factors in products of spins, -1 for the first level of a site and +1 for the second.

    Raises
    ------
    InfeasibleError
        A site has more than two levels, a state is forbidden, or more than two spins occur in a product.
    """
    offset, fields, pairs = np.zeros(2), {}, {}
    for f in factors:
        if any(n > 2 for n in f.tempered.shape):
            raise InfeasibleError("planar needs sites of two values", mend=SMALLER)
        table = np.stack([f.tempered, f.fixed])
        if not np.isfinite(table).all():
            raise InfeasibleError("planar takes no forbidden states", mend=SMALLER)
        scale = abs(table).max(initial=0.0)
        for axis in range(1, table.ndim):
            if table.shape[axis] == 2:
                a, b = table.take([0], axis), table.take([1], axis)
                table = np.concatenate([a + b, b - a], axis) / 2
        for which in product(*map(range, table.shape[1:])):
            x = table[:, *which]
            sites = tuple(s for s, k in zip(f.sites, which, strict=True) if k)
            if not sites:
                offset += x
            elif abs(x).max() <= ROUNDING * scale:
                continue
            elif len(sites) == 1:
                fields[sites[0]] = fields.get(sites[0], 0.0) + x
            elif len(sites) == 2:
                pairs[sites] = pairs.get(sites, 0.0) + x
            else:
                raise InfeasibleError(
                    f"planar takes products of two spins, and there is one of {len(sites)}",
                    mend=SMALLER,
                )
    return Couplings(n_sites, offset, fields, pairs)
