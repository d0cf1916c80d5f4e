"""Local fields of the sites of a variable, as linear functions of couplings.

Where the energy is linear in its couplings c, the local fields of site i in state n are

    H_r[i, n] = F_r[i, n] + sum over o of M_r[i, o] B_r[o, n],

``B`` being functions of other sites and M a matrix, sparse or not, that c fills: ``-J s_i s_j`` gives
for each site the sum of its couplings times its neighbors. Few couplings take a table instead,

    H_r[i, n] = F_r[i, n] + sum over a of c_a T_ra[i, n],

whose equal rows are counted and evaluated once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

DENSE = 0.05
"""Share of the entries of a matrix above which it is multiplied as a dense one."""
CHUNK = 2**22
"""Entries of an array that is made at a time."""


@dataclass(frozen=True, eq=False)
class Block:
    """``M[site, other] += c[entry]``: what some terms add to field ``r``."""

    r: int
    B: np.ndarray
    site: np.ndarray
    other: np.ndarray
    entry: np.ndarray
    n_sites: int

    @property
    def shape(self) -> tuple[int, int]:
        """Of M."""
        return self.n_sites, len(self.B)

    @property
    def dense(self) -> bool:
        """Whether most of M is filled."""
        return len(self.site) > DENSE * self.n_sites * len(self.B)

    def times(self, c: np.ndarray) -> np.ndarray:
        """M B."""
        if self.dense:
            return self._full(self.site, self.other, c[self.entry]) @ self.B
        return csr_array((c[self.entry], (self.site, self.other)), self.shape) @ self.B

    def pull(self, G: np.ndarray, n_entries: int) -> np.ndarray:
        """Gradient by c of the sum of G M B."""
        if self.dense:
            each = (G @ self.B.T)[self.site, self.other]
        else:
            step = max(1, CHUNK // G.shape[1])
            parts = range(0, len(self.site), step)
            each = np.concatenate(
                [
                    np.einsum(
                        "mn,mn->m", G[self.site[k : k + step]], self.B[self.other[k : k + step]]
                    )
                    for k in parts
                ]
            )
        return np.bincount(self.entry, each, n_entries)

    def _full(self, row: np.ndarray, column: np.ndarray, x: np.ndarray) -> np.ndarray:
        size = self.n_sites * len(self.B)
        return np.bincount(row * len(self.B) + column, x, size).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class Fields:
    """All fields of the sites of a variable; ``constant`` [r, site, state] does not depend on couplings."""

    constant: np.ndarray
    blocks: Sequence[Block]
    n_entries: int

    def at(self, c: np.ndarray) -> np.ndarray:
        """Fields [r, site, state]."""
        H = self.constant.copy()
        for b in self.blocks:
            H[b.r] += b.times(c)
        return H

    def pull(self, G: np.ndarray) -> np.ndarray:
        """Gradient by c of the sum of G H."""
        out = np.zeros(self.n_entries)
        for b in self.blocks:
            out += b.pull(G[b.r], self.n_entries)
        return out


@dataclass(frozen=True, eq=False)
class Table:
    """Fields of rows: ``constant`` [r, row] and ``slopes`` [r, entry, row]."""

    constant: np.ndarray
    slopes: np.ndarray

    def at(self, c: np.ndarray) -> np.ndarray:
        """Fields [r, row]."""
        return self.constant + np.einsum("a,ran->rn", c, self.slopes)

    def pull(self, G: np.ndarray) -> np.ndarray:
        """Gradient by c of the sum of G H."""
        return np.einsum("rn,ran->a", G, self.slopes)


def tabulate(fields: Fields) -> Table:
    """The fields of all sites in all states, one row for each, by their slopes."""
    flat = len(fields.constant), -1
    units = np.eye(fields.n_entries)
    bare = Fields(np.zeros_like(fields.constant), fields.blocks, fields.n_entries)
    slopes = np.stack([bare.at(unit).reshape(flat) for unit in units], axis=1)
    return Table(fields.constant.reshape(flat), slopes)
