"""Epochs in one compiled call, where the parameters are the couplings between two layers and their fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.learning.chains import LayerChains
from statmech_dsl.inference.learning.layer import Layer
from statmech_dsl.inference.learning.phases import Phases
from statmech_dsl.inference.learning.products import Product
from statmech_dsl.inference.learning.restricted_kernel import LANES, epoch
from statmech_dsl.ir.model import Tables

EPOCHS = 1 << 20
"""Of the numbers that seed random streams."""


@dataclass(frozen=True, eq=False)
class Restricted:
    """A restricted Boltzmann machine of two variables, fitted by momentum.

    ``products`` are the couplings, the fields of the visible and those of the hidden layer, or None.
    """

    task: Task
    chains: LayerChains
    visible: Layer
    hidden: Layer
    products: tuple[Product, Product | None, Product | None]
    places: np.ndarray
    signs: np.ndarray
    data: np.ndarray

    def __call__(
        self,
        x: np.ndarray,
        velocity: np.ndarray,
        order: np.ndarray,
        number: int,
        batch: int,
        k: int,
        rate: float,
        momentum: float,
        restart: bool,
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Vector and velocity after an epoch, and the largest element of the last gradient."""
        tables = dict(self.task.posed.recovered.tables) | self.task.space.tables(x)
        parameters = self._matrices(tables)
        moving = self._matrices(self._as_tables(velocity), missing=0.0)
        (v,), (h,) = self.visible.sizes, self.hidden.sizes
        states = self.chains.values
        hidden = np.ascontiguousarray(states[h].T, np.float32)
        seed = np.random.SeedSequence([self.task.seed, EPOCHS + number])
        fitted = [p is not None and p.table in self.task.posed.couplings for p in self.products]
        rates = np.array([*(rate * np.array(fitted)), momentum], np.float32)
        seen, largest = epoch(
            self.data,
            order,
            batch,
            k,
            restart,
            parameters,
            moving,
            hidden,
            seed.generate_state(3 * LANES),
            self._levels(),
            rates,
            self._pulls(),
        )
        self.chains.values = {v: seen.T, h: hidden.T}
        return self._vector(parameters, x), self._vector(moving, velocity), float(largest)

    def _matrices(self, tables: Tables, missing: float | None = None) -> tuple[np.ndarray, ...]:
        """Couplings and fields as the kernel has them: with the signs of -E."""
        sizes = [next(iter(x.sizes.values())) for x in (self.visible, self.hidden)]
        out = []
        for p, shape in zip(self.products, (tuple(sizes), (sizes[0],), (sizes[1],)), strict=True):
            known = p is not None and (missing is None or p.table in tables)
            given = -p.matrix(tables) if p is not None and known else np.zeros(shape)
            turned = given.T if p is not None and p.b and p.a not in self.visible.sizes else given
            out.append(np.ascontiguousarray(turned, np.float32).reshape(shape))
        return tuple(out)

    def _vector(self, matrices: tuple[np.ndarray, ...], base: np.ndarray) -> np.ndarray:
        """The vector of some matrices."""
        tables = self._as_tables(base)
        for p, given in zip(self.products, matrices, strict=True):
            if p is None or p.table not in tables:
                continue
            turned = given.T if p.b and p.a not in self.visible.sizes else given
            tables[p.table][p.entry] = -turned.reshape(-1)[p.at].astype(float) / p.factor
        flat = np.concatenate(list(tables.values()))
        out = base.copy()
        out[self.places] = self.signs * flat
        return out

    def _as_tables(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The couplings that a vector stands for: its elements with signs, in another order."""
        flat = self.signs * x[self.places]
        names = self.task.posed.couplings
        sizes = [len(self.task.posed.recovered.tables[name]) for name in names]
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        return {name: part.copy() for name, part in zip(names, parts, strict=True)}

    def _levels(self) -> np.ndarray:
        pairs = [next(iter(x.levels.values())) for x in (self.visible, self.hidden)]
        return np.array([y for low, high in pairs for y in (low, high - low)], np.float32)

    def _pulls(self) -> np.ndarray:
        """Penalties l1 and l2 of couplings and fields."""
        l1, l2 = (self._as_tables(abs(x)) for x in (self.task.l1, self.task.l2))
        each = [
            (abs(l1[p.table][0]), abs(l2[p.table][0])) if p and p.table in l1 else (0.0, 0.0)
            for p in self.products
        ]
        return np.array(each, np.float32).reshape(-1)


def restricted(task: Task, phases: Phases, scale: np.ndarray) -> Restricted | None:
    """The machine of a task; None if it is another model."""
    visible, hidden, chains = phases.visible, phases.hidden, phases.chains
    if visible is None or hidden is None or not isinstance(chains, LayerChains):
        return None
    found = task.space.signed_order()
    if len(visible.sizes) != 1 or len(hidden.sizes) != 1 or found is None or (scale != 1).any():
        return None
    (v,), (h,) = visible.sizes, hidden.sizes
    by_kind: dict[frozenset[str], list[Product]] = {}
    fields_of_v = [p for p, _ in visible.terms if not p.b]
    for p in [p for p, _ in hidden.terms] + fields_of_v:
        by_kind.setdefault(frozenset({p.a, p.b} - {""}), []).append(p)
    kinds = frozenset({v, h}), frozenset({v}), frozenset({h})
    each = [by_kind.get(kind, []) for kind in kinds]
    grid = visible.sizes[v] * hidden.sizes[h]
    tables = task.posed.recovered.tables
    if len(each[0]) != 1 or each[0][0].n != grid or any(len(x) > 1 for x in each):
        return None
    for p in (p for x in each for p in x):
        if p.table in task.posed.couplings and (
            abs(p.factor) != 1 or len(np.unique(p.entry)) < p.n or len(tables[p.table]) != p.n
        ):
            return None
    for penalty in (task.l1, task.l2):
        values = {name: np.ptp(penalty[task.space.of(name)]) for name in task.space.names}
        if any(values.values()):
            return None
    data = np.ascontiguousarray(task.posed.states()[v].T, np.float32)
    first, second, third = (x[0] if x else None for x in each)
    assert first is not None
    return Restricted(task, chains, visible, hidden, (first, second, third), *found, data)
