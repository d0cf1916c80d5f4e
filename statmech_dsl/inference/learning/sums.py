"""Log Z and means of the statistics of couplings, by summing over all states.

The energy is E_0 + sum_a c_a S_a. Energies E_0 and statistics S of all states are computed once; then each
log Z(c) is one matrix product. Sums over hidden sites, given what was seen, have the same form: one
segment of states for each state seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.inference.posed import Posed
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.solvers.enumeration import chunks
from statmech_dsl.solvers.evaluate import energies
from statmech_dsl.solvers.slopes import slopes
from statmech_dsl.solvers.system import Values, discrete_system

FEW_STATISTICS = 8
"""Up to so many statistics, states that agree in all of them are counted and kept once."""
MAX_NUMBERS = 2**25
"""Statistics of all states, in numbers: 256 MB."""
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
    bits = sum(
        len(r.tables[v.free]) * math.log2(len(v.domain.values or (0,))) for v in r.ir.variables
    )
    entries = sum(len(r.tables[name]) for name in posed.couplings)
    at_once = bits + (math.log2(entries) if entries > FEW_STATISTICS else 0)
    if bits > math.log2(MAX_STATES) or at_once > math.log2(MAX_NUMBERS):
        return f"it would visit 2^{bits:.4g} states with {entries} statistics each"
    return None


def model_sums(posed: Posed) -> Sums:
    """The sum over all states of the model: of its energies alone."""
    r = posed.recovered
    own = tuple(f for f in r.ir.families if f.tempered)
    return _sums(replace(r.ir, families=own), [(r.tables, r.clamped)], np.ones(1), posed.couplings)


def data_sums(posed: Posed) -> Sums:
    """For each state seen the sum over what is hidden; without hidden sites, the mean state."""
    r = posed.recovered
    if not posed.hidden:
        off = _without(r.tables, posed.couplings)
        total = np.add(*energies(r.ir, off, posed.states())).mean(keepdims=True)
        each = slopes(r.ir, off, posed.states(), posed.couplings)
        mean = np.concatenate([s.mean(axis=0) for s in each.values()])[None]
        return Sums(total, mean, np.zeros(1), np.zeros(1, int), np.ones(1))
    seen, counts = _distinct(posed)
    states = posed.states()
    places = [_clamped_to(posed, states, k) for k in seen]
    return _sums(r.ir, places, counts / counts.sum(), posed.couplings)


def _distinct(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of states that differ in what was seen, and how often each occurs."""
    parts = []
    for x in posed.data.values():
        known = np.repeat(x.known, x.values.shape[1] // x.known.shape[1], axis=1)
        parts += [np.where(known, x.values, 0), x.known]
    _, first, counts = np.unique(
        np.concatenate(parts, axis=1), axis=0, return_index=True, return_counts=True
    )
    return first, counts


def _clamped_to(posed: Posed, states: Values, k: int) -> tuple[Tables, Mapping]:
    """Tables and clamped sites of the model in which what was seen in state k cannot move."""
    r = posed.recovered
    tables, clamped = dict(r.tables), dict(r.clamped)
    for name, x in posed.data.items():
        v = r.ir.variable(name)
        clamped[name] = (x.known[k], states[name][:, k])
        tables[v.free] = np.flatnonzero(~x.known[k]).astype(np.uint32)
    return tables, clamped


def _without(tables: Tables, couplings: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Tables in which couplings are 0: what is left of the energy is E_0."""
    return dict(tables) | {name: np.zeros_like(tables[name]) for name in couplings}


def _sums(
    ir: ModelIR,
    places: list[tuple[Tables, Mapping]],
    weights: np.ndarray,
    couplings: tuple[str, ...],
) -> Sums:
    """Visit all states of each place."""
    energy, statistics, log_number, starts = [], [], [], [0]
    for tables, clamped in places:
        off = _without(tables, couplings)
        visited = [_of_states(ir, off, x, couplings) for x in _states(ir, off, clamped)]
        e, s = (np.concatenate(part) for part in zip(*visited, strict=True))
        number = np.zeros(len(e))
        if s.shape[1] <= FEW_STATISTICS:
            levels = np.column_stack([e, s]).round(10)  # equal but for rounding
            _, first, counts = np.unique(levels, axis=0, return_index=True, return_counts=True)
            e, s, number = e[first], s[first], np.log(counts)
        energy.append(e)
        statistics.append(s)
        log_number.append(number)
        starts.append(starts[-1] + len(e))
    return Sums(
        np.concatenate(energy),
        np.concatenate(statistics),
        np.concatenate(log_number),
        np.array(starts[:-1]),
        weights,
    )


def _states(ir: ModelIR, tables: Tables, clamped: Mapping) -> Iterator[Values]:
    return chunks(discrete_system(ir, tables, clamped))


def _of_states(
    ir: ModelIR, tables: Tables, x: Values, couplings: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """E_0 and the statistics of some states that are not forbidden."""
    energy = np.add(*energies(ir, tables, x))
    each = np.concatenate(list(slopes(ir, tables, x, couplings).values()), axis=1)
    allowed = np.isfinite(energy)
    return energy[allowed], each[allowed]
