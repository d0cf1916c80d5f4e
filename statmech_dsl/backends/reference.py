"""The reference backend: plain loops over replicas, sites and incidences. It defines what a program means."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from statmech_dsl import rng
from statmech_dsl.backends.base import Backend, Measures, record, swept_energy
from statmech_dsl.ir.bits import Bits, class_energies, kind_of, threshold
from statmech_dsl.ir.draws import AT_ONCE, Attempts, Draw, Let, meaning
from statmech_dsl.ir.expr import evaluate, read
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, LoweredPass, Move, Program, Role, Tally
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.ir.ops import Real
from statmech_dsl.ir.reduction import GROUP, front_and_inner, tree
from statmech_dsl.ir.state import State

Values = dict[str, np.ndarray]
"""Values of one replica: variable -> rows."""
Decide = Callable[[Draw | Attempts, int, dict], float]
"""The value of a draw whose first word is number ``slot`` of the site."""
UNIFORMS = {"float64": rng.uniform, "float32": rng.uniform_single}
"""How a random word becomes a number in (0, 1), in each precision."""


class Reference:
    """Interprets a program."""

    def __init__(self, program: Program, tables: Tables) -> None:
        self.program, self.tables = program, tables
        self._bit_sums = {s.family: s for s in program.bits.sums} if program.bits else {}

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
        return "the reference backend interprets the program; it prints no source"

    def energy(self, packed: State) -> tuple[np.ndarray, np.ndarray]:
        """Energy of each replica: what T divides, and what it does not."""
        pairs = [self.energies(_replica(packed, r)) for r in range(packed.n_replicas)]
        return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])

    def swept_energy(self, packed: State, n: int) -> np.ndarray:
        """Do n sweeps; what T divides of each replica's energy then."""
        return swept_energy(self, packed, n)

    def record(self, packed: State, draws: int, thin: int) -> Measures:
        """Do ``thin`` sweeps and measure, ``draws`` times."""
        return record(self, packed, draws, thin)

    def measure(self, packed: State) -> Measures:
        """Both energies, and the elements of all sums of ``program.measured``."""
        measured = self.program.measured
        rows = [self.add_up(measured, _replica(packed, r)) for r in range(packed.n_replicas)]
        n = sum(s.size for s in measured.sums)
        sums = np.array([sum(row.values(), []) for row in rows]).reshape(packed.n_replicas, n)
        return *self.energy(packed), sums

    @np.errstate(
        all="ignore"
    )  # float32 overflows where float64 does not; what became of it is looked at
    def sweep(self, packed: State, n: int) -> None:
        """Do n sweeps in place."""
        for r in range(packed.n_replicas):
            x = _replica(packed, r)
            for t in range(packed.sweep, packed.sweep + n):
                self._sweep_replica(packed, r, x, t)
        packed.sweep += n

    # ---- energies ---------------------------------------------------------------------------------

    def running_sums(self, x: Values) -> dict[str, list[float]]:
        """Running sums, from scratch."""
        return self.add_up(self.program.model, x)

    def add_up(self, ir: ModelIR, x: Values) -> dict[str, list[float]]:
        """The sums of a model."""
        sums = {s.name: [0.0] * s.size for s in ir.sums}
        for f in ir.families:
            if f.feeds is not None:
                self._add_family(f, x, sums, sums[f.feeds])
        return sums

    def energies(self, x: Values) -> tuple[float, float]:
        """Energy that T divides, and energy that it does not."""
        sums, total = self.running_sums(x), ([0.0], [0.0])
        for f in self.program.model.energy_families:
            self._add_family(f, x, sums, total[0 if f.tempered else 1])
        return total[0][0], total[1][0]

    def _add_family(self, f: Family, x: Values, sums: dict, total: list[float]) -> None:
        """Add the instances of a family, in the order of `ir.reduction`; those that are bits count."""
        front, inner = front_and_inner(f)
        n = f.n_instances(self.tables)
        t = [evaluate(inner, self._family_slots(f, m, x, sums), {}) for m in range(n)]
        if f.element is not None:
            _add_in_groups(t, self.tables[f.element].tolist(), total)
            return
        added = [0.0]
        if (counted := self._bit_sums.get(f.name)) is not None:
            base, unit = self.tables[counted.scale]
            added = [base + unit * round((math.fsum(t) - base) / unit)] if unit else [base]
        else:
            _add_in_groups(t, [0] * n, added)
        total[0] += evaluate(front, self._family_slots(f, 0, x, sums), {}) * added[0]

    def _family_slots(self, f: Family, m: int, x: Values, sums: dict) -> list[float]:
        return [self._slot(c, None if c.index is None else m, x, sums) for c in f.columns]

    def _slot(self, c: Column, where: int | tuple[int, ...] | None, x: Values, sums: dict) -> float:
        index = 0 if c.index is None else int(self.tables[c.index][where])
        if c.kind == "coefficient":
            return float(self.tables[c.array][index])
        if c.kind == "sum":
            return sums[c.array][index]
        return float(x[c.array][index * self._components(c.array) + c.component])

    def _components(self, variable: str) -> int:
        return self.program.model.variable(variable).domain.components

    # ---- one site ---------------------------------------------------------------------------------

    def rows(self, p: LoweredPass, rank: int) -> list[int]:
        """Rows of the values that a pass moves at a rank."""
        n = self._components(p.variable)
        return [int(self.tables[end][rank]) * n + k for end in p.ends for k in range(n)]

    def incidences(self, role: Role, rank: int) -> Iterator[int | tuple[int, int]]:
        """Where the tables of a role's columns hold the incidences of a rank."""
        if role.degree is not None:
            yield from ((d, rank) for d in range(role.degree))
        else:
            start = self.tables[role.pointer or ""]
            yield from range(int(start[rank]), int(start[rank + 1]))

    def visit(
        self, p: LoweredPass, rank: int, x: Values, sums: dict, env: dict, decide: Decide
    ) -> tuple[tuple[float, ...], list[tuple[str, int, float]]]:
        """Run a pass's body at a rank: the new value, and what it adds to running sums."""
        for k, row in enumerate(self.rows(p, rank)):
            env[f"old.{k}"] = float(x[p.variable][row])
        slot, new, bumps = 0, (), []
        value_of = partial(evaluate, real=p.real)
        for s in p.body:
            match s:
                case Accumulate(names, gathers):
                    env.update(dict.fromkeys(names, 0.0))
                    for g in gathers:
                        for where in self.incidences(g.role, rank):
                            slots = [self._slot(c, where, x, sums) for c in g.role.columns]
                            for name, e in g.terms:
                                env[name] += value_of(e, slots, env)
                case Let(name, e):
                    env[name] = value_of(e, (), env)
                case Tally(e):
                    env["tally"] = env.get("tally", 0.0) + value_of(e, (), env)
                case Move(e):
                    env["moved energy"] = value_of(e, (), env)
                case Bump(role, target, e):
                    for where in self.incidences(role, rank):
                        slots = [self._slot(c, where, x, sums) for c in role.columns]
                        element = 0 if target.index is None else self.tables[target.index][where]
                        bumps.append((target.array, int(element), value_of(e, slots, env)))
                case Assign(value):
                    new = tuple(value_of(e, (), env) for e in value)
                case _:
                    env[s.name] = decide(s, slot, env)
                    slot += s.words
        return new, bumps

    # ---- sampling ---------------------------------------------------------------------------------

    def environment(self, state: State, r: int, x: Values) -> dict:
        """Names that are bound before any statement of a pass."""
        env: dict = {"beta": float(state.beta[r])}
        env["law"] = _lookup(state.law_table, *state.law_range)
        env |= {f"coefficient.{k}": float(t.flat[0]) for k, t in self.tables.items() if t.size == 1}
        if self.program.needs_energy:
            env["energy"] = self.energies(x)[0]
        return env

    def _sweep_replica(self, state: State, r: int, x: Values, t: int) -> None:
        sums = self.running_sums(x)
        base = self.environment(state, r, x)
        n_params = 0
        for number, p in enumerate(self.program.passes):
            widths = {q.name: state.params[n_params + k, r] for k, q in enumerate(p.params)}
            n_params += len(p.params)
            for rank in p.times * [*range(len(self.tables[p.order]))]:
                env = base | widths | {f"sum.{k}": v[0] for k, v in sums.items() if len(v) == 1}
                decide = self._sampler(p, rank, int(state.replicas[r]), t, state.seed)
                new, bumps = self.visit(p, rank, x, sums, env, decide)
                self.apply(p, rank, x, sums, new, bumps)
                state.accepted[number, r] += int(env.get("tally", 0))
                if "moved energy" in env:
                    base["energy"] += env["moved energy"]

    def apply(self, p: LoweredPass, rank: int, x: Values, sums: dict, new: tuple, bumps) -> None:
        """Set a site and move the running sums."""
        x[p.variable][self.rows(p, rank)] = new
        for name, element, change in bumps:
            sums[name][element] += change

    def _sampler(self, p: LoweredPass, rank: int, replica: int, t: int, seed: int) -> Decide:
        if self.program.bits is not None:
            return self._comparison(self.program.bits, p, rank, replica, t, seed)
        words = rng.rank_words(rank, p.words, replica, t, p.stream, seed) if p.words else ()
        number = UNIFORMS[p.real]

        def decide(s: Draw | Attempts, slot: int, env: dict) -> float:
            u = tuple(float(number(int(w))) for w in words[slot : slot + s.words])
            if isinstance(s, Attempts):
                return _attempts(s, u, further, env, p.real)
            return _draw(s, u, env, p.real)

        def further(attempt: int) -> tuple[float, ...]:
            words = rng.philox(rank, replica, t, p.stream + rng.STREAM_STRIDE * attempt, seed)
            return tuple(float(number(int(w))) for w in words)

        return decide

    def _comparison(self, bits: Bits, p: LoweredPass, rank, replica, t, seed: int) -> Decide:
        """Draw one of two values as bit-sliced kernels do: by a threshold for the size of the energy."""
        kind = kind_of(bits.passes[p.stream], rank, self.tables)
        if bits.fold is None:
            u = rng.replica_bits(rank, replica, t, p.stream, seed)
        else:
            word, lane = divmod(rank, bits.fold)
            u = rng.site_bits(word, lane, replica, t, p.stream, seed)
        levels = self.tables[kind.energies]
        sizes = [0.0, *class_energies(kind, self.tables)]

        def decide(s: Draw | Attempts, slot: int, env: dict) -> float:
            n = int(np.argmin(np.abs(levels - env["e.1"])))
            assert math.isclose(levels[n], env["e.1"], rel_tol=1e-6, abs_tol=1e-6)
            unlikely = u < threshold(env["beta"], sizes[kind.classes[n]])
            return float(unlikely == kind.rises[n])

        return decide


def _attempts(
    s: Attempts, first: tuple[float, ...], further: Callable, env: dict, real: Real
) -> float:
    n = s.words // AT_ONCE
    for attempt in range(1, rng.MAX_ATTEMPTS + 1):
        u = first[n * (attempt - 1) : n * attempt] if attempt <= AT_ONCE else further(attempt)
        slot = 0
        for q in s.body:
            if isinstance(q, Let):
                env[q.name] = evaluate(q.expr, (), env, real)
            else:
                env[q.name] = _draw(q, u[slot : slot + q.words], env, real)
                slot += q.words
        if evaluate(s.accept, (), env, real) != 0.0:
            return evaluate(s.result, (), env, real)
    return math.nan


def _draw(s: Draw, u: tuple[float, ...], env: dict, real: Real) -> float:
    m = meaning(s, tuple(read(f"u.{k}") for k in range(s.words)))
    env |= {f"u.{k}": v for k, v in enumerate(u)}
    for q in m.lets:
        env[q.name] = evaluate(q.expr, (), env, real)
    return evaluate(m.result, (), env, real)


def _replica(state: State, r: int) -> Values:
    """Views of one replica's values."""
    return {name: v[r] for name, v in state.values.items()}


def _add_in_groups(terms: list[float], elements: list[int], total: list[float]) -> None:
    for m in range(0, len(terms), GROUP):
        group, to = terms[m : m + GROUP], elements[m : m + GROUP]
        if len(group) == GROUP and len(set(to)) == 1:
            group = [tree(group, operator.add)]
        for e, value in zip(to, group, strict=False):
            total[e] += value


def _lookup(table: np.ndarray, low: float, width: float) -> Callable[[float], float]:
    """Tabulated function of the energy: the nearest bin, held within the table."""
    inverse = 1.0 / width
    return lambda e: float(table[int(min(max(np.rint((e - low) * inverse), 0), len(table) - 1))])


REFERENCE = Backend(
    "reference", lambda: None, lambda program, tables, *_: Reference(program, tables), bits=True
)
