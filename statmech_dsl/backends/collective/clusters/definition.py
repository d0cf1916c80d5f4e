"""What a cluster move means: plain loops, and all outcomes with their probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from statmech_dsl import rng
from statmech_dsl.backends.collective.base import Ledger, Seat, Values
from statmech_dsl.backends.collective.clusters import improved
from statmech_dsl.ir.clusters import GHOST, Clusters, Tie, axis_lets
from statmech_dsl.ir.elementary import LOG2E, weight2
from statmech_dsl.ir.expr import evaluate
from statmech_dsl.ir.state import State

CERTAIN = 1.0 - 2.0**-32
"""Largest probability of a tie: thresholds of 32 bits hold no more."""
Image = dict[str, float] | np.ndarray
"""How sites are reflected: names that an axis binds, or a row of `Clusters.mirrors`."""


def decided_weight(log_free: float) -> float:
    """The weight that a tie is decided with."""
    return weight2(log_free * LOG2E)


class ClusterDefinition:
    """Makes the moves of one `Clusters`, one tie after the other."""

    def __init__(self, seat: Seat) -> None:
        self.move_, self.tables = seat.move, seat.tables
        self.model = seat.program.model
        variable = self.model.variable(self.move_.variable)
        self.components = variable.domain.components
        values = variable.domain.values
        self.lowest = int(values[0]) if values else 0
        self.values = np.asarray(values or (), np.int64)
        self.free = seat.tables[variable.free]
        self.offsets = self.move_.offsets(seat.tables)
        self.ledger = Ledger(self.move_.reports)

    def source(self) -> str:
        """There is none."""
        return "the reference backend ties sites together one pair after the other; it prints no source"

    def move(self, state: State, n: int) -> None:
        """Make the moves of n sweeps in place."""
        sums = self.ledger.open(state.n_replicas, n * self.move_.times)
        for r, number in enumerate(state.replicas):
            x = {name: rows[r] for name, rows in state.values.items()}
            for t in range(state.sweep, state.sweep + n):
                for k in range(self.move_.times):
                    counters = (int(number), t, k, state.seed)
                    self._make(x, float(state.beta[r]), counters, sums[r])

    def _make(
        self, x: Values, beta: float, counters: tuple[int, int, int, int], sums: np.ndarray
    ) -> None:
        replica, t, k, seed = counters
        move: Clusters = self.move_

        def words(block: int) -> tuple:
            return rng.move_words(block, replica, t, move.stream, k, seed)

        low, high, choice, place = words(0)
        key = low | high << 32
        seed_site, which = GHOST, 0
        if move.one:
            chosen = place * (len(self.free) + 1) >> 32
            if chosen == len(self.free):
                return
            seed_site = int(self.free[chosen])
        if move.mirrors is None:
            image: Image = self._axis(words)
        else:
            rows = self._rows(x, seed_site)
            if not len(rows):
                return
            which = int(rows[choice * len(rows) >> 32])
            image = self._mirror(which)
        label = list(range(len(self._own(x)) // self.components)) + [GHOST]
        for number, sites, p in self._ties(x, beta, image, decided_weight):
            if self._tied(number, min(p, CERTAIN), key, counters):
                _join(label, *sites)
        if move.reports:
            sums += self._report(x, label, image, which, seed_site)
        free = [int(s) for s in self.free]
        if move.one:
            home = label[seed_site]
            self._reflect(x, [s for s in free if home != GHOST and label[s] == home], image)
            return
        for root in {label[s] for s in free} - {GHOST}:
            word = rng.keyed_word(key, self.offsets[-1] + root)
            cluster = [s for s in free if label[s] == root]
            if move.recolor:
                self._own(x)[cluster] = self.values[word * len(self.values) >> 32]
            elif word < 1 << 31:
                self._reflect(x, cluster, image)

    def _tied(self, number: int, p: float, key: int, counters: tuple[int, int, int, int]) -> bool:
        """Whether a tie is there, which has probability p."""
        return bool(rng.uniform(rng.keyed_word(key, number)) < p)

    def _own(self, x: Values) -> np.ndarray:
        return x[self.move_.variable]

    # ---- reflections ------------------------------------------------------------------------------

    def _rows(self, x: Values, seed_site: int) -> np.ndarray:
        """Rows of mirrors to pick from."""
        if not self.move_.one:
            return np.arange(len(self.tables[self.move_.mirrors]))
        row = self.tables[self.move_.picks][int(self._own(x)[seed_site]) - self.lowest]
        return row[1 : 1 + row[0]]

    def _mirror(self, row: int) -> np.ndarray:
        return self.tables[self.move_.mirrors][row]

    def _axis(self, words) -> dict[str, float]:
        """Names that the axis of a reflection binds; its words are those of the blocks from 1 on."""
        lets, n = axis_lets(self.move_.reflection)
        env = {f"u.{k}": float(rng.uniform(words(1 + k // 4)[k % 4])) for k in range(n)}
        for q in lets:
            env[q.name] = evaluate(q.expr, (), env)
        return env

    def _names(self, x: Values, site: int, image: Image) -> dict[str, float]:
        """Present and reflected value of a site, by name."""
        n = self.components
        env = {f"old.{k}": float(self._own(x)[site * n + k]) for k in range(n)}
        if isinstance(image, np.ndarray):
            return env | {"new.0": float(image[int(env["old.0"]) - self.lowest])}
        full = image | env
        for q in self.move_.reflection.image:
            full[q.name] = evaluate(q.expr, (), full)
        value = self.move_.reflection.value
        return env | {f"new.{k}": evaluate(e, (), full) for k, e in enumerate(value)}

    def _reflect(self, x: Values, sites: list[int], image: Image) -> None:
        n = self.components
        for site in sites:
            names = self._names(x, site, image)
            self._own(x)[site * n : site * n + n] = [names[f"new.{k}"] for k in range(n)]

    def _report(
        self, x: Values, label: Sequence[int], image: Image, which: int, seed_site: int
    ) -> np.ndarray:
        """What a move tells of a state, once sites are tied together; ``which`` is the row of mirrors."""
        move: Clusters = self.move_
        odd = [self._odd(x, site, image, which) for site in range(len(label) - 1)]
        if not move.one:
            held = {label[s] for s in self.tables[move.held or ""]}
            home = [GHOST if k in held else k for k in label]
            width = sum(r.size or 1 for r in move.reports)
            return improved.of_all(odd, home, self.tables.get(move.forward or ""), width)
        share = 1.0
        if move.mirrors is not None:
            share = len(self._rows(x, seed_site)) / len(self.tables[move.mirrors])
        return np.array([share * improved.of_one(odd, label, seed_site)])

    def _odd(self, x: Values, site: int, image: Image, which: int) -> float:
        """What changes its sign in a site's value."""
        if isinstance(image, np.ndarray):
            return float(self.tables[self.move_.odd][which, int(self._own(x)[site]) - self.lowest])
        n = self.components
        env = image | {f"old.{k}": float(self._own(x)[site * n + k]) for k in range(n)}
        for q in self.move_.reflection.image:
            env[q.name] = evaluate(q.expr, (), env)
        return evaluate(self.move_.reflection.odd, (), env)

    # ---- ties -------------------------------------------------------------------------------------

    def _ties(
        self, x: Values, beta: float, image: Image, weight: Callable[[float], float]
    ) -> Iterator[tuple[int, tuple[int, int], float]]:
        """All ties in order: number, two sites, or a site and the ghost, and the probability."""
        for tie, offset in zip(self.move_.ties, self.offsets, strict=False):
            for m in range(tie.count(self.tables)):
                first, second = self._sites(tie, m)
                env = self._names(x, first, image) | {"beta": beta}
                log_free = evaluate(tie.log_free, self._slots(tie, m, second, x), env)
                yield offset + m, (first, second), 1.0 - weight(log_free)

    def _sites(self, tie: Tie, m: int) -> tuple[int, int]:
        first, *rest = (int(self.tables[name][m]) for name in tie.sites)
        return first, rest[0] if rest else GHOST

    def _slots(self, tie: Tie, m: int, second: int, x: Values) -> list[float]:
        n, out = self.components, []
        if second != GHOST:
            out += [float(self._own(x)[second * n + k]) for k in range(n)]
        for c in tie.columns:
            index = 0 if c.index is None else int(self.tables[c.index][m])
            if c.kind == "coefficient":
                out.append(float(self.tables[c.array][index]))
            else:
                n_other = self.model.variable(c.array).domain.components
                out.append(float(x[c.array][index * n_other + c.component]))
        return out

    # ---- all outcomes -----------------------------------------------------------------------------

    def branches(self, state: State, x: Values) -> Iterator[tuple[Values, float]]:
        """All outcomes of one move with exact probabilities."""
        beta, free = float(state.beta[0]), [int(s) for s in self.free]
        if not self.move_.one:
            rows = self._rows(x, GHOST)
            for row in rows:
                for label, p in self._partitions(x, beta, self._mirror(row)).items():
                    for y, q in self._all_clusters(x, label, self._mirror(row)):
                        yield y, p * q / len(rows)
            return
        share = 1 / (len(free) + 1)
        yield x, share
        for site in free:
            rows = self._rows(x, site)
            if not len(rows):
                yield x, share
            for row in rows:
                image = self._mirror(row)
                for label, p in self._partitions(x, beta, image).items():
                    y, home = _copy(x), label[site]
                    moved = [s for s in free if home != GHOST and label[s] == home]
                    self._reflect(y, moved, image)
                    yield y, p * share / len(rows)

    def _partitions(self, x: Values, beta: float, image: Image) -> dict[tuple[int, ...], float]:
        """Probability of every way in which sites are tied together."""
        reached = {(*range(len(self._own(x))), GHOST): 1.0}
        for _, sites, p in self._ties(x, beta, image, math.exp):
            if p <= 0:
                continue
            new: dict[tuple[int, ...], float] = {}
            for label, before in reached.items():
                joined = _joined(label, sites)
                new[joined] = new.get(joined, 0.0) + before * p
                new[label] = new.get(label, 0.0) + before * (1 - p)
            reached = new
        return reached

    def _all_clusters(
        self, x: Values, label: tuple[int, ...], image: Image
    ) -> Iterator[tuple[Values, float]]:
        free = [int(s) for s in self.free]
        roots = sorted({label[s] for s in free} - {GHOST})
        choices = range(len(self.values)) if self.move_.recolor else (0, 1)
        for chosen in product(choices, repeat=len(roots)):
            y = _copy(x)
            for root, choice in zip(roots, chosen, strict=True):
                cluster = [s for s in free if label[s] == root]
                if self.move_.recolor:
                    self._own(y)[cluster] = self.values[choice]
                elif choice:
                    self._reflect(y, cluster, image)
            yield y, len(choices) ** -len(roots)


def _copy(x: Values) -> Values:
    return {name: v.copy() for name, v in x.items()}


def _join(label: list[int], a: int, b: int) -> None:
    """Give both clusters the smaller label; the ghost's label is the smallest."""
    low, high = sorted((label[a], label[b]))
    if low != high:
        for k, x in enumerate(label):
            if x == high:
                label[k] = low


@lru_cache(maxsize=1 << 16)
def _joined(label: tuple[int, ...], sites: tuple[int, int]) -> tuple[int, ...]:
    out = list(label)
    _join(out, *sites)
    return tuple(out)
