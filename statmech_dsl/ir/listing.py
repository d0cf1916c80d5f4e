"""Passes for people: what happens at a site, as short pseudocode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

import numpy as np

from statmech_dsl.ir.draws import Attempts, Let
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.kernel import (
    Accumulate,
    Assign,
    Bump,
    LoweredPass,
    Move,
    Role,
    Statement,
    Tally,
)
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.ir.notation import Symbol, condition, elide, render
from statmech_dsl.ir.notations import TEXT
from statmech_dsl.ir.show import SITE_LETTERS, SUM_LETTERS, component_letter, sum_symbol, symbols

Lines = list[str]


def listing(p: LoweredPass, ir: ModelIR, tables: Tables) -> Lines:
    """What a pass does at a site i; its neighbors are j, k, ..."""
    lister = _Lister(p, ir, tables)
    return [f"for each free site i of {p.variable}:", *_indent(lister.lines(p.body))]


class _Lister:
    def __init__(self, p: LoweredPass, ir: ModelIR, tables: Tables) -> None:
        self.p, self.ir, self.tables = p, ir, tables
        domain = ir.variable(p.variable).domain
        self.own = [
            Symbol(p.variable, "i" + component_letter(k, ir, p.variable))
            for k in range(domain.components)
        ]

    def leaf(self, x: Expr) -> Symbol | str:
        kind, _, rest = str(x.attr).partition(".")
        match kind:
            case "old":
                return self.own[int(rest)]
            case "coefficient":
                return Symbol(rest, leading=True)
            case "sum":
                return sum_symbol(rest)
        return Symbol("beta", leading=True) if kind == "beta" else str(x.attr)

    def write(self, e: Expr, slots: Sequence[Symbol] = ()) -> str:
        return render(e, TEXT, lambda x: slots[x.attr] if x.op == "slot" else self.leaf(x))  # type: ignore[index]

    def lines(self, body: Iterable[Statement]) -> Lines:
        return [line for s in body for line in self.statement(s)]

    def statement(self, s: Statement) -> Lines:
        match s:
            case Accumulate(names, gathers):
                out = [f"{', '.join(elide(list(names)))} = 0"]
                for g in gathers:
                    slots = self.slots(g.role)
                    adds = [f"{n} += {self.write(e, slots)}" for n, e in g.terms]
                    out += _each(g.role, elide(adds))
                return out
            case Bump(role, target, e):
                slots = self.slots(role)
                name = slots[role.columns.index(target)]
                return _each(role, [f"{TEXT.symbol(name)} += {self.write(e, slots)}"])
            case Attempts(name, body, accept, result):
                tries = [*self.lines(body), f"until {condition(accept, TEXT, self.leaf)}"]
                return ["repeat:", *_indent(tries), f"{name} = {self.write(result)}"]
            case Let(name, e):
                return [f"{name} = {self.write(e)}"]
            case Assign(value):
                new = (self.write(e) for e in value)
                return [f"{TEXT.symbol(x)} = {e}" for x, e in zip(self.own, new, strict=True)]
            case Tally(e):
                return [f"accepted += {self.write(e)}"]
            case Move(e):
                return [f"energy += {self.write(e)}"]
            case draw:
                named = [f.name for f in fields(draw) if f.name != "name"]
                arguments = (f"{n} = {self.argument(getattr(draw, n))}" for n in named)
                return [f"{draw.name} ~ {type(draw).__name__}({', '.join(arguments)})"]

    def argument(self, x: Expr | tuple[Expr, ...] | int) -> str:
        """An argument of a draw."""
        if isinstance(x, tuple):
            return ", ".join(elide([self.write(e) for e in x]))
        return self.write(x) if isinstance(x, Expr) else str(x)

    def slots(self, role: Role) -> Sequence[Symbol]:
        """Names of what a role reads. Equal tables are one site: the components of a vector."""
        index: dict[str, str] = {}
        for c in role.columns:
            if c.index is not None and c.index not in index and c.kind != "coefficient":
                alphabet = SITE_LETTERS[1:] if c.kind == "state" else SUM_LETTERS
                same = (x for t, x in index.items() if x in alphabet and self._equal(t, c.index))
                used = len(set(alphabet) & set(index.values()))
                index[c.index] = next(same, alphabet[used % len(alphabet)])
        every = "".join(dict.fromkeys(["i", *index.values()]))
        return symbols(role.columns, index, every, self.ir)

    def _equal(self, a: str, b: str) -> bool:
        return np.array_equal(self.tables[a], self.tables[b])


def _indent(lines: Iterable[str]) -> Lines:
    return [f"    {line}" for line in lines]


def _each(role: Role, lines: Lines) -> Lines:
    """Lines that run for every incidence of a role."""
    if role.degree == 1:
        return lines
    head = (
        "for each incidence:" if role.degree is None else f"for each of {role.degree} incidences:"
    )
    return [f"{head} {lines[0]}"] if len(lines) == 1 else [head, *_indent(lines)]
