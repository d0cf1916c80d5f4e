"""All outcomes of a visit: the reference interpreter with every draw replaced by each of its values."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from statmech_dsl.backends.reference import Reference, Values
from statmech_dsl.ir.draws import Attempts, Draw, meaning
from statmech_dsl.ir.expr import Expr, evaluate, read, reads_of
from statmech_dsl.ir.kernel import LoweredPass
from statmech_dsl.ir.state import State


def branches(
    reference: Reference, state: State, p: LoweredPass, rank: int, x: Values
) -> list[tuple[tuple[float, ...], float]]:
    """All values that a visit can assign, each with its probability; beta is that of the first replica."""
    sums = reference.running_sums(x)
    base = reference.environment(state, 0, x)
    base |= {f"sum.{k}": v[0] for k, v in sums.items() if len(v) == 1}
    base |= {q.name: q.start for q in p.params}
    found, prefixes = [], [()]
    while prefixes:
        path = _Path(prefixes.pop(), prefixes)
        new, _ = reference.visit(p, rank, x, sums, dict(base), path.decide)
        found.append((new, path.probability))
    return found


Known = dict[tuple[int, bytes], list[tuple[tuple[float, ...], float]]]
"""The branches of a rank at values that were met before."""


def outcomes(
    reference: Reference, state: State, p: LoweredPass, x: Values, known: Known
) -> Iterator[tuple[Values, float]]:
    """All values after a whole pass, one rank after the other, each with its probability."""
    v = p.variable
    reached = {x[v].tobytes(): (x, 1.0)}
    for rank in range(len(reference.tables[p.order])):
        moved: dict[bytes, tuple[Values, float]] = {}
        for y, before in reached.values():
            here = rank, b"".join(values.tobytes() for values in y.values())
            if here not in known:
                known[here] = branches(reference, state, p, rank, y)
            for new, probability in known[here]:
                z = y | {v: y[v].copy()}
                z[v][reference.rows(p, rank)] = new
                key = z[v].tobytes()
                moved[key] = z, before * probability + moved.get(key, (z, 0.0))[1]
        reached = moved
    yield from reached.values()


class _Path:
    """One run through a body's draws: given choices first, then the first outcome of every draw.

    The other outcomes of the later draws are left in ``todo``.
    """

    def __init__(self, prefix: tuple[int, ...], todo: list[tuple[int, ...]]) -> None:
        self.prefix, self.todo = prefix, todo
        self.chosen: tuple[int, ...] = ()
        self.probability = 1.0

    def decide(self, s: Draw | Attempts, slot: int, env: dict) -> float:
        assert not isinstance(s, Attempts), "a rejection loop has no finite list of outcomes"
        m = meaning(s, tuple(read(f"u.{k}") for k in range(s.words)))
        assert m.outcomes is not None, "a continuous draw has no finite list of outcomes"
        for q in m.lets:
            if not any(name.startswith("u.") for name in reads_of(q.expr)):
                env[q.name] = evaluate(_ideal(q.expr), (), env)
        depth = len(self.chosen)
        if depth < len(self.prefix):
            choice = self.prefix[depth]
        else:
            choice = 0
            self.todo += [(*self.chosen, k) for k in range(1, len(m.outcomes))]
        self.chosen = (*self.chosen, choice)
        value, probability = m.outcomes[choice]
        self.probability *= evaluate(probability, (), env)
        return value


@lru_cache(maxsize=1024)
def _ideal(e: Expr) -> Expr:
    """With exact exponentials: decided probabilities differ by up to 2^-32, which is tested apart."""
    args = tuple(_ideal(x) for x in e.args)
    return Expr("exp2" if e.op == "weight2" else e.op, args, e.attr)
