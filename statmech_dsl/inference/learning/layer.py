"""A layer of two-valued sites that do not depend on each other, given all else: the hidden units of an RBM."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from statmech_dsl.inference.learning.products import Product, product_of
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.solvers.system import Values


@dataclass(frozen=True, eq=False)
class Layer:
    """Some variables, and the terms that lead to them from other ones.

    The energy is sum_i y_i f_i(x) and what does not depend on y, where the field f is linear in the rest x.
    """

    sizes: dict[str, int]
    levels: dict[str, tuple[float, float]]
    terms: tuple[tuple[Product, bool], ...]
    """With whether the layer is the first side of a product."""

    def couplings(self, tables: Tables, dtype: type = np.float64) -> dict[str, list]:
        """Of each variable: the constant field, and (other variable, matrix) of the others."""
        out: dict[str, list] = {name: [np.zeros((n, 1), dtype)] for name, n in self.sizes.items()}
        for p, first in self.terms:
            c = p.matrix(tables).astype(dtype, copy=False)
            mine, other, c = (p.a, p.b, c) if first else (p.b, p.a, c.T)
            if other:
                out[mine].append((other, c))
            else:
                out[mine][0] = out[mine][0] + c
        return out

    def fields(self, couplings: dict[str, list], values: Values) -> Values:
        """Energy of a high value less that of a low one, for each site and state."""
        out = {}
        for name, (constant, *pairs) in couplings.items():
            low, high = self.levels[name]
            f = pairs[0][1] @ values[pairs[0][0]] if pairs else 0.0
            for other, c in pairs[1:]:
                f = f + c @ values[other]
            f = f + constant
            out[name] = f if high - low == 1.0 else (high - low) * f
        return out

    def means(self, couplings: dict[str, list], values: Values) -> Values:
        """Expectations of the layer, given the rest."""
        out = {}
        for name, f in self.fields(couplings, values).items():
            low, high = self.levels[name]
            p = expit(-f)
            out[name] = p if (low, high) == (0.0, 1.0) else low + (high - low) * p
        return out

    def draw(self, means: Values, rng: np.random.Generator) -> Values:
        """A state of the layer with these expectations."""
        out = {}
        for name, mean in means.items():
            low, high = map(mean.dtype.type, self.levels[name])
            u = rng.random(mean.shape, dtype=mean.dtype.type)
            out[name] = np.where(u * (high - low) < mean - low, high, low)
        return out

    def log_sums(self, couplings: dict[str, list], values: Values) -> np.ndarray:
        """Logarithm of the sum of weights over the states of the layer, for each state of the rest."""
        total: np.ndarray | float = 0.0
        for name, f in self.fields(couplings, values).items():
            low, high = self.levels[name]
            total = total + (np.logaddexp(0.0, -f) - low / (high - low) * f).sum(axis=0)
        return np.asarray(total)


def layer(ir: ModelIR, tables: Tables, names: Collection[str]) -> Layer | None:
    """The layer of whole variables; None if its sites depend on each other, or on more than couplings."""
    levels = {v.name: v.domain.values or () for v in ir.variables if v.name in names}
    free = all(len(tables[v.free]) == v.n_sites for v in ir.variables if v.name in names)
    if not names or not free or any(len(x) != 2 for x in levels.values()):
        return None
    terms = []
    for f in ir.families:
        if not any(f.reads(name) for name in names):
            continue
        p = product_of(f, ir, tables)
        if p is None or (p.a in names and p.b in names) or not p.dense:
            return None
        terms.append((p, p.a in names))
    sizes = {v.name: v.n_sites for v in ir.variables if v.name in names}
    pairs = {name: (float(min(x)), float(max(x))) for name, x in levels.items()}
    return Layer(sizes, pairs, tuple(terms))
