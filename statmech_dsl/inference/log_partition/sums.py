"""Log Z and means of the statistics of couplings, by summing over all states.

The energy is E_0 + sum_a c_a S_a. Energies E_0 and statistics S of all states are computed once; then each
log Z(c) is one matrix product. Sums over hidden sites, given what was seen, have the same form: one
segment of states for each state seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.inference.problem.posed import Posed
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.solvers.enumeration import chunks
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import Values, discrete_system

FEW_STATISTICS = 8
"""Up to so many statistics, states that agree in all of them are counted and kept once."""
MAX_NUMBERS = 2**25
"""Statistics of all states, in numbers: 256 MB."""
AT_ONCE = 64
"""States seen whose hidden states are visited together."""
MAX_STATES = 2**22
"""States that are visited."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Segments of states, and the weight of each segment in the mean over segments.

    ``energy`` (states,), ``statistics`` (states, entries of all tables), ``log_number`` (states,).
    """

    energy: np.ndarray
    statistics: np.ndarray
    log_number: np.ndarray
    starts: np.ndarray
    weights: np.ndarray

    def log_partition(self, couplings: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Mean log Z of the segments, the mean statistics, and the probabilities of the states."""
        logs = self.log_number - self.energy - self.statistics @ couplings
        lengths = np.diff(np.append(self.starts, len(logs)))
        top = np.maximum.reduceat(logs, self.starts)
        p = np.exp(logs - np.repeat(top, lengths))
        Z = np.add.reduceat(p, self.starts)
        p *= np.repeat(self.weights / Z, lengths)
        return float(self.weights @ (top + np.log(Z))), p @ self.statistics, p

    def covariance(self, couplings: np.ndarray) -> np.ndarray:
        """Covariance of the statistics within a segment, averaged over segments."""
        _, _, p = self.log_partition(couplings)
        each = np.add.reduceat(p[:, None] * self.statistics, self.starts, axis=0)
        means = each / self.weights[:, None]
        square = (self.statistics * p[:, None]).T @ self.statistics
        return square - (means * self.weights[:, None]).T @ means


def too_many(posed: Posed) -> str | None:
    """Why the states of a problem cannot all be visited; None if they can."""
    r = posed.recovered
    if kind := next(
        (
            v.domain.label
            for v in r.ir.variables
            if v.domain.values is None and len(r.tables[v.free])
        ),
        None,
    ):
        return f"{kind} variables are continuous, and it sums over all states"
    entries = sum(len(r.tables[name]) for name in posed.couplings)
    bits, hidden = 0.0, 0.0
    for v in r.ir.variables:
        each = math.log2(len(v.domain.values or (0,)))
        free = r.tables[v.free]
        seen = posed.data[v.name].known[:, free].sum(axis=1).min() if v.name in posed.data else 0
        bits += each * len(free)
        hidden += each * (len(free) - seen)
    every = bits + (math.log2(entries) if entries > FEW_STATISTICS else 0)
    beside = math.log2(posed.n_states) + hidden + math.log2(entries) if hidden else 0
    if bits > math.log2(MAX_STATES) or max(every, beside) > math.log2(MAX_NUMBERS):
        return f"it would visit 2^{bits:.4g} states with {entries} statistics each"
    return None


def model_sums(posed: Posed) -> Sums:
    """The sum over all states of the model: of its energies alone."""
    r, names = posed.recovered, posed.couplings
    own = replace(r.ir, families=tuple(f for f in r.ir.families if f.tempered))
    off = _without(r.tables, names)
    visited = [_of_states(own, off, x, names) for x in chunks(discrete_system(own, off, r.clamped))]
    e, s = (np.concatenate(part) for part in zip(*visited, strict=True))
    number = np.zeros(len(e))
    if s.shape[1] <= FEW_STATISTICS:
        levels = np.column_stack([e, s]).round(10)  # equal but for rounding
        _, first, counts = np.unique(levels, axis=0, return_index=True, return_counts=True)
        e, s, number = e[first], s[first], np.log(counts)
    return Sums(e, s, number, np.zeros(1, int), np.ones(1))


def data_sums(posed: Posed) -> Sums:
    """For each state seen the sum over what is hidden; without hidden sites, the mean state."""
    r = posed.recovered
    off = _without(r.tables, posed.couplings)
    if not posed.hidden:
        total, each = _of_states(r.ir, off, posed.states(), posed.couplings)
        mean = each.mean(axis=0, keepdims=True)
        return Sums(total.mean(keepdims=True), mean, np.zeros(1), np.zeros(1, int), np.ones(1))
    energy, statistics, starts, weights, end = [], [], [], [], 0
    for seen, counts in _alike(posed):
        at_once = [_given(posed, off, seen[a : a + AT_ONCE]) for a in range(0, len(seen), AT_ONCE)]
        e, s = (np.concatenate(part) for part in zip(*at_once, strict=True))
        energy.append(e)
        statistics.append(s)
        starts.append(end + np.arange(len(seen)) * (len(e) // len(seen)))
        weights.append(counts / posed.n_states)
        end += len(e)
    return Sums(
        np.concatenate(energy),
        np.concatenate(statistics),
        np.zeros(end),
        np.concatenate(starts),
        np.concatenate(weights),
    )


def _alike(posed: Posed) -> list[tuple[np.ndarray, np.ndarray]]:
    """Numbers of states that differ in what was seen, and how often each occurs, by which sites were seen."""
    masks = np.concatenate([x.known for x in posed.data.values()], axis=1)
    values = [
        np.where(np.repeat(x.known, x.values.shape[1] // x.known.shape[1], axis=1), x.values, 0)
        for x in posed.data.values()
    ]
    rows = np.concatenate([masks, *values], axis=1)
    _, first, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    _, kind = np.unique(masks[first], axis=0, return_inverse=True)
    return [(first[kind == k], counts[kind == k]) for k in range(kind.max() + 1)]


def _given(
    posed: Posed, off: dict[str, np.ndarray], which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """E_0 and statistics of all hidden states beside some states, of which the same sites were seen."""
    r, states = posed.recovered, posed.states()
    tables, clamped, seen = dict(off), dict(r.clamped), {}
    for name, x in posed.data.items():
        v, known = r.ir.variable(name), x.known[which[0]]
        clamped[name] = (known, states[name][:, which[0]])
        tables[v.free] = np.flatnonzero(~known).astype(np.uint32)
        seen[name] = np.flatnonzero(np.repeat(known, v.domain.components))
    parts = [
        {name: x.copy() for name, x in part.items()}
        for part in chunks(discrete_system(r.ir, tables, clamped))
    ]
    hidden = {name: np.concatenate([x[name] for x in parts], axis=1) for name in parts[0]}
    n = next(iter(hidden.values())).shape[1]
    every = {name: np.tile(x, len(which)) for name, x in hidden.items()}
    for name, rows in seen.items():
        every[name][rows] = np.repeat(states[name][np.ix_(rows, which)], n, axis=1)
    return _of_states(r.ir, off, every, posed.couplings)


def _without(tables: Tables, couplings: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Tables in which couplings are 0: what is left of the energy is E_0."""
    return dict(tables) | {name: np.zeros_like(tables[name]) for name in couplings}


def _of_states(
    ir: ModelIR, tables: Tables, x: Values, couplings: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """E_0, infinite where a state is forbidden, and the statistics of some states."""
    each = slopes(ir, tables, x, couplings)
    return np.add(*energies(ir, tables, x)), np.concatenate(list(each.values()), axis=1)
