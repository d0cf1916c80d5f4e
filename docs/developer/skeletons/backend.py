"""A backend in NumPy: one operation for all replicas at a time, site after site."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from statmech_dsl import rng
from statmech_dsl.backends.base import Backend, Measures, record, swept_energy
from statmech_dsl.ir.draws import AT_ONCE, Attempts, Let, meaning
from statmech_dsl.ir.expr import Expr, read
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, LoweredPass, Move, Program, Tally
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.ir.ops import NUMBERS
from statmech_dsl.ir.reduction import GROUP, front_and_inner, tree
from statmech_dsl.ir.state import State

# The meaning of each operation, lifted to arrays. Every backend has to give the same bits: NumPy's
# arithmetic does, its exp and log do not.
EXACT = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "neg": np.negative}
LIFTED = {
    real: {name: np.vectorize(f, otypes=[real]) for name, f in ops.items()} | EXACT
    for real, (_, ops) in NUMBERS.items()
}
UNIFORM = {"float64": rng.uniform, "float32": rng.uniform_single}


def evaluate(e: Expr, slots: list, env: dict, real: str = "float64") -> Any:
    """Value of an expression in a precision, a number or an array over replicas."""
    match e.op:
        case "const":
            return np.asarray(e.attr, real)
        case "slot":
            return np.asarray(slots[e.attr], real)
        case "read":
            return np.asarray(env[e.attr], real)
        case "table":
            return env[e.attr](evaluate(e.args[0], slots, env))
    return LIFTED[real][e.op](*(evaluate(x, slots, env, real) for x in e.args))


class NumpyKernels:
    """Runs a program; the packed state is a plain `State`."""

    def __init__(self, program: Program, tables: Tables, n_replicas: int, n_threads: int) -> None:
        self.program, self.tables = program, tables

    def pack(self, state: State) -> State:
        """Copy the state."""
        return state.copy()

    def unpack(self, packed: State) -> State:
        """Copy the state."""
        return packed.copy()

    def set_beta(self, packed: State, beta: np.ndarray, params: np.ndarray | None = None) -> None:
        """Give the replicas other inverse temperatures, and the parameters that were tuned at them."""
        packed.beta = np.array(beta, float)
        packed.params = packed.params if params is None else params.copy()

    def take(self, packed: State, rows: np.ndarray) -> None:
        """Give replica r the values that replica ``rows[r]`` has."""
        packed.values = {name: x[rows] for name, x in packed.values.items()}

    def accepted(self, packed: State) -> np.ndarray:
        """Moves that each replica has accepted so far, shape (passes, replicas)."""
        return packed.accepted.copy()

    def values(self, packed: State, variable: str) -> np.ndarray:
        """Values of a variable, shape (replicas, rows)."""
        return packed.values[variable]

    def source(self) -> str:
        """There is none."""
        return "NumPy runs the program; no source is printed"

    def energy(self, packed: State) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        sums = self._sums(self.program.model, packed)
        totals = np.zeros((2, 1, packed.n_replicas))
        for f in self.program.model.energy_families:
            self._add(f, packed, sums, totals[0 if f.tempered else 1])
        return totals[0, 0], totals[1, 0]

    def measure(self, packed: State) -> Measures:
        """Both energies, and the elements of all sums of ``program.measured``."""
        sums = self._sums(self.program.measured, packed)
        elements = np.concatenate([np.zeros((0, packed.n_replicas)), *sums.values()])
        return *self.energy(packed), elements.T

    def swept_energy(self, packed: State, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then; a sweep may know it for less."""
        return swept_energy(self, packed, n)

    def record(self, packed: State, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times; a loop serves until one kernel does it all."""
        return record(self, packed, draws, thin)

    def sweep(self, packed: State, n: int) -> None:
        """Do n sweeps in place."""
        for _ in range(n):
            sums = self._sums(self.program.model, packed)
            env = {
                f"coefficient.{k}": float(x.flat[0]) for k, x in self.tables.items() if x.size == 1
            }
            env |= {"beta": packed.beta, "law": _lookup(packed)}
            if self.program.needs_energy:
                env["energy"] = self.energy(packed)[0]
            first = 0
            for number, p in enumerate(self.program.passes):
                env |= {q.name: packed.params[first + k] for k, q in enumerate(p.params)}
                first += len(p.params)
                for rank in range(len(self.tables[p.order])):
                    self._visit(number, p, rank, packed, sums, env)
            packed.sweep += 1

    # ---- what the slots of an expression read ---------------------------------------------------

    def _slot(self, c: Column, where: Any, packed: State, sums: dict) -> Any:
        index = 0 if c.index is None else int(self.tables[c.index][where])
        if c.kind == "coefficient":
            return float(self.tables[c.array][index])
        if c.kind == "sum":
            return sums[c.array][index]
        components = self.program.model.variable(c.array).domain.components
        return packed.values[c.array][:, index * components + c.component].astype(float)

    def _slots(self, f: Family, m: int, packed: State, sums: dict) -> list:
        return [self._slot(c, None if c.index is None else m, packed, sums) for c in f.columns]

    def _sums(self, model: ModelIR, packed: State) -> dict[str, np.ndarray]:
        """Sums of a model from scratch, each of shape (elements, replicas)."""
        sums = {s.name: np.zeros((s.size, packed.n_replicas)) for s in model.sums}
        for f in model.families:
            if f.feeds is not None:
                self._add(f, packed, sums, sums[f.feeds])
        return sums

    def _add(self, f: Family, packed: State, sums: dict, total: np.ndarray) -> None:
        """Add the instances of a family, in the order that `ir.reduction` prescribes."""
        front, inner = front_and_inner(f)
        n = f.n_instances(self.tables)
        t = [evaluate(inner, self._slots(f, m, packed, sums), {}) for m in range(n)]
        element = np.zeros(n, int) if f.element is None else self.tables[f.element]
        added = np.zeros((1, packed.n_replicas)) if f.element is None else total
        for m in range(0, n, GROUP):
            group, to = t[m : m + GROUP], element[m : m + GROUP]
            if len(group) == GROUP and len(set(to)) == 1:
                group = [tree(group, np.add)]
            for e, x in zip(to, group, strict=False):
                added[e] += x
        if f.element is None:
            total[0] += evaluate(front, self._slots(f, 0, packed, sums), {}) * added[0]

    def _incidences(self, role: Any, rank: int) -> list:
        if role.degree is not None:
            return [(d, rank) for d in range(role.degree)]
        start = self.tables[role.pointer]
        return list(range(int(start[rank]), int(start[rank + 1])))

    # ---- one site of all replicas ---------------------------------------------------------------

    def _visit(
        self, number: int, p: LoweredPass, rank: int, packed: State, sums: dict, base: dict
    ) -> None:
        n = self.program.model.variable(p.variable).domain.components
        site, rows = int(self.tables[p.order][rank]), packed.values[p.variable]
        env = base | {f"sum.{name}": x[0].copy() for name, x in sums.items() if len(x) == 1}
        env |= {f"old.{k}": rows[:, site * n + k].astype(float) for k in range(n)}
        slot, new, bumps, value_of = 0, [], [], partial(evaluate, real=p.real)
        for s in p.body:
            match s:
                case Accumulate(names, gathers):
                    env |= {name: np.zeros(packed.n_replicas, p.real) for name in names}
                    for g in gathers:
                        for where in self._incidences(g.role, rank):
                            slots = [self._slot(c, where, packed, sums) for c in g.role.columns]
                            for name, e in g.terms:
                                env[name] = env[name] + value_of(e, slots, env)
                case Let(name, e):
                    env[name] = value_of(e, [], env)
                case Tally(e):
                    packed.accepted[number] += np.int64(value_of(e, [], env))
                case Move(e):
                    base["energy"] = base["energy"] + value_of(e, [], env)
                case Bump(role, target, e):
                    for where in self._incidences(role, rank):
                        slots = [self._slot(c, where, packed, sums) for c in role.columns]
                        element = 0 if target.index is None else self.tables[target.index][where]
                        bumps.append((target.array, int(element), value_of(e, slots, env)))
                case Assign(value):
                    new = [value_of(e, [], env) for e in value]
                case _:
                    words = [self._word(p, rank, packed, slot + k) for k in range(s.words)]
                    slot += s.words
                    if isinstance(s, Attempts):
                        self._attempts(s, words, p, rank, packed, env)
                    else:
                        self._draw(s, words, env, p.real)
        for k, x in enumerate(new):
            rows[:, site * n + k] = x
        for name, element, change in bumps:
            sums[name][element] += change

    def _word(self, p: LoweredPass, rank: int, packed: State, slot: int) -> np.ndarray:
        address = (packed.replicas, packed.sweep, p.stream, packed.seed)
        return np.asarray(UNIFORM[p.real](rng.rank_words(rank, p.words, *address)[slot]))

    def _draw(self, s: Any, u: list, env: dict, real: str) -> None:
        """Bind the name of a draw; `meaning` says how it follows from its uniforms."""
        m = meaning(s, tuple(read(f"u.{k}") for k in range(s.words)))
        env |= {f"u.{k}": x for k, x in enumerate(u)}
        for let in m.lets:
            env[let.name] = evaluate(let.expr, [], env, real)
        env[s.name] = evaluate(m.result, [], env, real)

    def _attempts(
        self, s: Attempts, first: list, p: LoweredPass, rank: int, packed: State, env: dict
    ) -> None:
        """Repeat until every replica has accepted; each keeps its first accepted result."""
        result, waiting = np.zeros(packed.n_replicas), np.ones(packed.n_replicas, bool)
        attempt, n, value_of = 0, s.words // AT_ONCE, partial(evaluate, real=p.real)
        while waiting.any():
            attempt += 1
            if attempt <= AT_ONCE:  # words of the site's stream
                u = first[n * (attempt - 1) : n * attempt]
            else:
                stream = p.stream + rng.STREAM_STRIDE * attempt
                words = rng.philox(rank, packed.replicas, packed.sweep, stream, packed.seed)
                u = [UNIFORM[p.real](w) for w in words]
            for q in s.body:
                if isinstance(q, Let):
                    env[q.name] = value_of(q.expr, [], env)
                else:
                    self._draw(q, [u.pop(0) for _ in range(q.words)], env, p.real)
            done = waiting & (value_of(s.accept, [], env) != 0)
            result[done] = np.broadcast_to(value_of(s.result, [], env), done.shape)[done]
            waiting &= ~done
        env[s.name] = result


def _lookup(state: State) -> Any:
    """Tabulated function of the energy: the nearest bin, held within the table."""
    low, inverse, last = state.law_range[0], 1.0 / state.law_range[1], len(state.law_table) - 1
    return lambda e: state.law_table[
        np.clip(np.rint((e - low) * inverse), 0, last).astype(np.int64)
    ]


NUMPY = Backend("numpy", lambda: None, NumpyKernels)
