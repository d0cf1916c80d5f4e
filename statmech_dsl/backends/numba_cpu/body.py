"""What the statements of a pass read, and where loops over lanes begin and end."""

from __future__ import annotations

from collections.abc import Iterable

from statmech_dsl.backends.numba_cpu.spell import EXPENSIVE
from statmech_dsl.ir.draws import Attempts, Bernoulli, Categorical, Let, Normal
from statmech_dsl.ir.expr import Expr, reads_of, walk
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, Move, Statement, Tally

Lines = list[str]


def indent(lines: Iterable[str], levels: int = 1) -> Lines:
    """Lines moved to the right."""
    return ["    " * levels + line for line in lines]


_COSTS = dict.fromkeys(EXPENSIVE, 1.0) | {"sqrt": 0.5, "div": 0.5}
"""Operations that take long, in units of an elementary function."""


def groups_of(body: tuple[Statement, ...], whole: bool = False) -> list:
    """Statements that share a loop over lanes as lists; the others by themselves.

    Unless loops are left ``whole``, each has about one elementary function: in a longer chain of
    operations a processor has no room to work on several vectors at once.
    """
    out: list = []
    load = 0.0
    for s in body:
        if isinstance(s, Accumulate | Attempts | Bump):
            out.append(s)
            continue
        cost = _cost(s)
        if out and isinstance(out[-1], list) and (whole or load + cost <= 1.0):
            out[-1].append(s)
            load += cost
        else:
            out.append([s])
            load = cost
    return out


def _cost(s: Statement) -> float:
    if isinstance(s, Categorical | Bernoulli | Normal):
        return 1.0
    return sum(_COSTS.get(x.op, 0.0) for x in {x for e in expressions_of(s) for x in walk(e)})


def expressions_of(s) -> list[Expr]:
    """Expressions that a statement evaluates."""
    match s:
        case Accumulate():
            return [e for g in s.gathers for _, e in g.terms]
        case Attempts():
            return [s.accept, s.result, *(e for q in s.body for e in expressions_of(q))]
        case Let(_, e) | Tally(e) | Move(e) | Bump(_, _, e):
            return [e]
        case Assign(value):
            return list(value)
        case _:
            return [*getattr(s, "log_weights", ()), *([s.log_p] if hasattr(s, "log_p") else [])]


def crossing(groups: list) -> set[str]:
    """Names bound in one group and read in another, and all accumulators."""
    home: dict[str, int] = {}
    found: set[str] = set()
    for number, group in enumerate(groups):
        statements = group if isinstance(group, list) else [group]
        for s in statements:
            for e in expressions_of(s):
                found |= {n for n in reads_of(e) if home.get(n, number) != number}
            if isinstance(s, Accumulate):
                found |= set(s.names)
            elif isinstance(s, Attempts):
                found |= {s.name} | outliving(s)
            elif hasattr(s, "name"):
                home[s.name] = number  # type: ignore[union-attr]
    return found


def outliving(s: Attempts) -> set[str]:
    """Names bound in an attempt that the result reads."""
    return reads_of(s.result) & {q.name for q in s.body}
