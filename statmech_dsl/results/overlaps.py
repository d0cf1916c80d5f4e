"""Overlaps between the copies of a chain: how alike two replicas of one temperature are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from statmech_dsl.compiled import compiled
from statmech_dsl.engine.sampler import Sampler
from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.model import ModelIR, Tables


@dataclass(eq=False)
class Overlaps:
    """Overlaps of all pairs of copies, draw by draw, [temperature, chain, pair] each.

    q = (1/N) sum_i s_i^1 s_i^2 for numbers. Vectors have the tensor q_mn = (1/N) sum_i s_im^1 s_in^2, whose
    size sqrt(sum_mn q_mn^2) does not change if a copy is rotated as a whole. The link overlap is the mean
    of (s_i . s_j)^1 (s_i . s_j)^2 over the pairs i, j that share a term of two sites.
    """

    sampler: Sampler
    copies: int
    found: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        model, tables = self.sampler.program.model, self.sampler.tables
        self._pairs = np.array(list(combinations(range(self.copies), 2)))
        self._bonds = {v.name: bonds(model, tables, v.name) for v in model.variables}

    def record(self, values: Mapping[str, np.ndarray]) -> None:
        """Add a draw, from the values of each variable, [temperature, ladder, row]."""
        prefix = len(values) > 1
        for name, x in values.items():
            domain, (i, j) = self.sampler.program.model.variable(name).domain, self._bonds[name]
            x = x.reshape(len(x), -1, self.copies, x.shape[-1])
            a, b = x[:, :, self._pairs[:, 0]], x[:, :, self._pairs[:, 1]]
            shape = a.shape[:3]
            a, b = (y.reshape(-1, y.shape[-1]) for y in (a, b))
            q, link = overlaps(domain, a, b, i, j)
            stem = f"{name}_" if prefix else ""
            self.found.setdefault(f"{stem}overlap", []).append(q.reshape(shape))
            if len(i):
                self.found.setdefault(f"{stem}link_overlap", []).append(link.reshape(shape))

    def arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
        """Dimensions and values; pairs are a dimension where there are several."""
        out = {}
        for name, draws in self.found.items():
            x = np.stack(draws).transpose(2, 0, 1, 3)
            many = len(self._pairs) > 1
            out[name] = (
                ("chain", "draw", "T", "copy_pair") if many else ("chain", "draw", "T"),
                x if many else x[..., 0],
            )
        return out


def bonds(model: ModelIR, tables: Tables, variable: str) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sites of a variable that share a term of just these two, each pair once."""
    found = [np.zeros((2, 0), np.int64)]
    for f in model.energy_families:
        places = {(c.array, c.index) for c in f.columns if c.kind == "state"}
        names = sorted(index for array, index in places if array == variable and index)
        if len(places) == len(names) == 2:
            found.append(np.stack([tables[index] for index in names]).astype(np.int64))
    pairs = np.sort(np.concatenate(found, axis=1), axis=0)
    pairs = np.unique(pairs[:, pairs[0] != pairs[1]], axis=1)
    return pairs[0], pairs[1]


def overlaps(
    domain: Domain, a: np.ndarray, b: np.ndarray, i: np.ndarray, j: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Overlap and link overlap of the states in each row of a and b."""
    x, y = domain.vectors(a), domain.vectors(b)
    if x.shape[2] == 1:
        return _scalar_overlaps(x[..., 0], y[..., 0], i, j)
    tensor = np.einsum("pim,pin->pmn", x, y) / x.shape[1]
    link = ((x[:, i] * x[:, j]).sum(axis=2) * (y[:, i] * y[:, j]).sum(axis=2)).sum(axis=1)
    return np.sqrt((tensor**2).sum(axis=(1, 2))), link / max(len(i), 1)


@compiled
def _scalar_overlaps(x, y, i, j):
    n_pairs, n = x.shape
    q, link = np.zeros(n_pairs), np.zeros(n_pairs)
    product = np.empty(n)
    for p in range(n_pairs):
        for k in range(n):
            product[k] = x[p, k] * y[p, k]
        q[p] = product.sum() / n
        for k in range(len(i)):
            link[p] += product[i[k]] * product[j[k]]
        link[p] /= max(len(i), 1)
    return q, link
