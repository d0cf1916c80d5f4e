"""What the statements of a pass read, and where loops over lanes begin and end."""

from __future__ import annotations

from collections.abc import Iterable

from statmech_dsl.ir.draws import Attempts, Let
from statmech_dsl.ir.expr import Expr, reads_of
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, Move, Statement, Tally

Lines = list[str]


def indent(lines: Iterable[str], levels: int = 1) -> Lines:
    """Lines moved to the right."""
    return ["    " * levels + line for line in lines]


def groups_of(body: tuple[Statement, ...]) -> list:
    """Statements that share a loop over lanes as lists; the others by themselves."""
    out: list = []
    for s in body:
        if isinstance(s, Accumulate | Attempts | Bump):
            out.append(s)
        elif out and isinstance(out[-1], list):
            out[-1].append(s)
        else:
            out.append([s])
    return out


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
