"""Epochs in one compiled call, where the parameters are the couplings between two layers and their fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.inference.learning.base import Task
from statmech_dsl.inference.learning.chains import LayerChains
from statmech_dsl.inference.learning.layer import Layer
from statmech_dsl.inference.learning.phases import Phases
from statmech_dsl.inference.learning.products import Product
from statmech_dsl.inference.learning.restricted_kernel import LANES, encode_all, epoch, room
from statmech_dsl.ir.model import Tables

EPOCHS = 1 << 20
"""Of the numbers that seed random streams."""


@dataclass(frozen=True, eq=False)
class Restricted:
    """A restricted Boltzmann machine of two variables, fitted by momentum.

    Couplings, then the fields of the visible and of the hidden layer, lie in one array with the signs of -E:
    ``fixed + signs * x[places]``, where ``fitted``. ``pulls`` are l1 and l2 of the three parts.
    """

    task: Task
    chains: LayerChains
    visible: Layer
    hidden: Layer
    data: np.ndarray
    codes: np.ndarray
    places: np.ndarray
    signs: np.ndarray
    fixed: np.ndarray
    fitted: np.ndarray
    pulls: np.ndarray

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
        parameters, moving = self._array(x) + self.fixed, self._array(velocity)
        (v,), (h,) = self.visible.sizes, self.hidden.sizes
        states = self.chains.values
        low, high = self.hidden.levels[h]
        hidden = np.ascontiguousarray(states[h].T == high, np.int8)
        seed = np.random.SeedSequence([self.task.seed, EPOCHS + number])
        first = np.cumsum([0, *self._sizes[:-1]])
        rates = np.array([*(rate * self.fitted[first]), momentum], np.float32)
        pairs = [self.visible.levels[v], self.hidden.levels[h]]
        levels = np.array([y for low, high in pairs for y in (low, high - low)], np.float32)
        seen, largest = epoch(
            self.data,
            self.codes,
            order,
            batch,
            k,
            restart,
            self._parts(parameters),
            self._parts(moving),
            hidden,
            seed.generate_state(3 * LANES),
            levels,
            rates,
            self.pulls,
        )
        self.chains.values = {v: seen.T, h: (low + (high - low) * hidden.T).astype(np.float32)}
        return self._vector(parameters), self._vector(moving), float(largest)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """Of the three parts."""
        (n,), (m,) = self.visible.sizes.values(), self.hidden.sizes.values()
        return n * m, n, m

    def _array(self, x: np.ndarray) -> np.ndarray:
        return np.where(self.fitted, self.signs * x[self.places], 0.0).astype(np.float32)

    def _vector(self, array: np.ndarray) -> np.ndarray:
        out = np.empty(int(self.fitted.sum()))
        out[self.places[self.fitted]] = (self.signs * array)[self.fitted]
        return out

    def _parts(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views of the array: a matrix and two vectors."""
        W, a, b = np.split(array, np.cumsum(self._sizes)[:-1])
        return W.reshape(len(a), len(b)), a, b


def restricted(task: Task, phases: Phases, scale: np.ndarray) -> Restricted | None:
    """The machine of a task; None if it is another model."""
    visible, hidden, chains = phases.visible, phases.hidden, phases.chains
    if visible is None or hidden is None or not isinstance(chains, LayerChains):
        return None
    if len(visible.sizes) != 1 or len(hidden.sizes) != 1 or (scale != 1).any():
        return None
    found, products = task.space.signed_order(), _products(visible, hidden)
    if found is None or products is None or not all(_plain(p, task) for p in products):
        return None
    (v,), (h,) = visible.sizes, hidden.sizes
    shapes = (visible.sizes[v], hidden.sizes[h]), (visible.sizes[v], 1), (hidden.sizes[h], 1)
    places, signs = found
    names = task.posed.couplings
    ends = np.cumsum([len(task.posed.recovered.tables[name]) for name in names])

    def whole(of_tables: np.ndarray, others: Tables) -> np.ndarray:
        """The array, given all entries of the couplings one after another."""
        tables = dict(others) | dict(zip(names, np.split(of_tables, ends[:-1]), strict=True))
        parts = [
            np.zeros(shape) if p is None else _turned(p, tables, v)
            for p, shape in zip(products, shapes, strict=True)
        ]
        return -np.concatenate([part.ravel() for part in parts])

    tables = task.posed.recovered.tables
    nothing = {name: np.zeros(len(x)) for name, x in tables.items()}
    numbered = whole(signs * (places + 1.0), nothing)
    at = np.abs(numbered).astype(int) - 1
    fitted = at >= 0
    if fitted.sum() != task.space.size:
        return None
    cuts = np.cumsum([a * b for a, b in shapes])[:-1]
    pulls = []
    for part, used in zip(np.split(at, cuts), np.split(fitted, cuts), strict=True):
        for penalty in (task.l1, task.l2):
            values = np.unique(penalty[part[used]])
            if len(values) > 1 or 0 < used.sum() < len(used):
                return None
            pulls.append(values[0] if len(values) else 0.0)
    data = np.ascontiguousarray(task.posed.states()[v].T, np.float32)
    codes = room(*data.shape)
    encode_all((data == visible.levels[v][1]).astype(np.int8), codes)
    return Restricted(
        task,
        chains,
        visible,
        hidden,
        data,
        codes,
        np.maximum(at, 0),
        np.sign(numbered).astype(np.float32),
        whole(np.zeros(int(ends[-1])), tables).astype(np.float32),
        fitted,
        np.array(pulls, np.float32),
    )


def _products(visible: Layer, hidden: Layer) -> tuple[Product | None, ...] | None:
    """Couplings of the layers, fields of the visible and of the hidden one; None if there are others."""
    pairs = [p for p, _ in hidden.terms if p.b]
    of_v = [p for p, _ in visible.terms if not p.b]
    of_h = [p for p, _ in hidden.terms if not p.b]
    if len(pairs) != 1 or len(of_v) > 1 or len(of_h) > 1:
        return None
    return pairs[0], of_v[0] if of_v else None, of_h[0] if of_h else None


def _plain(p: Product | None, task: Task) -> bool:
    """Whether fitted couplings stand in one term each, as they are but for a sign."""
    if p is None or p.table not in task.posed.couplings:
        return True
    return abs(p.factor) == 1 and len(np.unique(p.entry)) == p.n


def _turned(p: Product, tables: Tables, visible: str) -> np.ndarray:
    """The matrix of a product, the visible layer first."""
    C = p.matrix(tables)
    return C.T if p.b and p.a != visible else C
