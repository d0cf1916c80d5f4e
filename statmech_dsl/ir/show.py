"""Models for people: expressions, families and the whole Hamiltonian, in text or LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from string import ascii_lowercase, ascii_uppercase

import numpy as np

from statmech_dsl.ir.expr import Expr, slots_of
from statmech_dsl.ir.model import Column, Family, ModelIR, Tables
from statmech_dsl.ir.notation import Level, Notation, Symbol, elide, factors, render
from statmech_dsl.ir.notations import LATEX, TEXT

SITE_LETTERS = ascii_lowercase[8:]
SUM_LETTERS = ascii_lowercase[:8]
MAX_TERMS = 20
"""Of longer formulas the first terms and the last are shown."""
Letters = dict[str, str]
"""An index letter for each index table."""


def expression(e: Expr, slots: Sequence[Symbol | str] = (), notation: Notation = TEXT) -> str:
    r"""An expression with its slots named; ``$0``, ``$1``, ... where no name is given.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import call, slot
    >>> expression(-(slot(0) * slot(1) * slot(2)), ["s_i", "s_j", Symbol("J", leading=True)])
    '-J s_i s_j'
    >>> expression(call("sqr", slot(0) - 2.0), [Symbol("phi", "i")], LATEX)
    '\\left(\\phi_{i} - 2\\right)^{2}'
    """

    def leaf(x: Expr) -> Symbol | str:
        if x.op == "read":
            return str(x.attr)
        return slots[x.attr] if x.attr < len(slots) else f"${x.attr}"  # type: ignore[operator,index]

    return render(e, notation, leaf)


# ---- names of what a family reads ----------------------------------------------------------------


def letters(columns: Sequence[Column], element: str | None = None) -> Letters:
    """Letters of the index tables: i, j, k, ... for sites; a, b, ... for elements of running sums.

    A coefficient has none of its own: it belongs to the instance, that is to all letters. Only
    where there are no others do instances have a number m.
    """
    found: Letters = {} if element is None else {element: "a"}
    for c in columns:
        if c.index is not None and c.index not in found and c.kind != "coefficient":
            alphabet = SITE_LETTERS if c.kind == "state" else SUM_LETTERS
            used = sum(x in alphabet for x in found.values())
            found[c.index] = alphabet[used % len(alphabet)]
    indexed = [c.index for c in columns if c.index is not None]
    return found or dict.fromkeys(indexed[:1], "m")


def symbols(
    columns: Iterable[Column], index: Letters, every: str, ir: ModelIR
) -> tuple[Symbol, ...]:
    """Names of what columns read.

    A coefficient that an instance has for itself gets ``every`` letter; several of one table are
    numbered.
    """
    per_instance: dict[str, dict[str, int]] = {}
    for c in columns:
        if c.kind == "coefficient" and c.index is not None and c.index not in index:
            known = per_instance.setdefault(c.array, {})
            known.setdefault(c.index, len(known) + 1)

    def name(c: Column) -> Symbol:
        below = index.get(c.index or "", "")
        if c.kind == "state":
            return Symbol(c.array, below + component_letter(c.component, ir, c.array))
        if c.kind == "sum":
            return sum_symbol(c.array, below)
        if c.index is not None and not below:
            known = per_instance[c.array]
            below = f"{every},{known[c.index]}" if len(known) > 1 else every
        return Symbol(c.array, below, leading=True)

    return tuple(name(c) for c in columns)


def component_letter(component: int, ir: ModelIR, variable: str) -> str:
    """Name of a component of a vector variable; empty for others."""
    n = ir.variable(variable).domain.components
    return "" if n == 1 else "xyz"[component] if n <= 3 else str(component + 1)


def sum_symbol(name: str, below: str = "") -> Symbol:
    """Name of a running sum; ``sum.0`` is S0."""
    return Symbol(name.replace("sum.", "S"), below)


# ---- the Hamiltonian -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A family in pieces: ``front`` times the sum of ``inner`` over the instances.

    ``names`` are those of the slots of ``inner``; ``tables`` tell what the letters run over.
    """

    front: str
    letters: str
    inner: Expr
    names: tuple[Symbol, ...]
    tables: tuple[str, ...]


def part(f: Family, ir: ModelIR, notation: Notation) -> Part:
    """Take what all instances of a family share out of the sum."""
    index = letters(f.columns, f.element)
    every = "".join(dict.fromkeys(index.values()))
    over = every if f.element is None else every.replace(index[f.element], "")
    names = symbols(f.columns, index, every, ir)
    if not over:
        return Part("", "", f.expr, names, (f.name,))
    minus = f.expr.op == "neg"
    scalar = {k for k, c in enumerate(f.columns) if c.index is None}
    everything = factors(f.expr.args[0] if minus else f.expr)
    shared = [x for x in everything if slots_of(x) <= scalar]
    inner = _product([x for x in everything if x not in shared])
    front = "-" if minus else ""
    if shared:
        front += render(_product(shared), notation, lambda x: names[x.attr], Level.NEGATIVE) + " "  # type: ignore[index]
    return Part(front, over, inner, names, tuple(index))


def _product(parts: list[Expr]) -> Expr:
    return reduce(lambda x, y: Expr("mul", (x, y)), parts)


def total(parts: Sequence[Part], where: str, notation: Notation) -> str:
    """Parts with the same front and letters as one sum; ``where`` names the set they run over."""
    names: list[Symbol] = []
    added: list[Expr] = []
    for p in parts:
        added.append(_shift(p.inner, len(names)))
        names += p.names
    inner = reduce(lambda x, y: Expr("add", (x, y)), added)
    over = parts[0].letters
    least = Level.PRODUCT if over else Level.SUM
    text = render(inner, notation, lambda x: names[x.attr], least)  # type: ignore[index]
    return f"{parts[0].front}{notation.total(over, where)} {text}" if over else text


def _shift(e: Expr, by: int) -> Expr:
    attr = e.attr + by if e.op == "slot" else e.attr  # type: ignore[operator]
    return Expr(e.op, tuple(_shift(x, by) for x in e.args), attr)


def family(f: Family, ir: ModelIR, notation: Notation = TEXT) -> str:
    """A family as a sum over its instances, named as in the `hamiltonian`."""
    return total([part(f, ir, notation)], set_names(ir).get(f.name, ""), notation)


def hamiltonian(ir: ModelIR, notation: Notation = TEXT) -> list[tuple[str, str]]:
    """Left and right sides of the formulas that make up a model.

    H is what T divides, H_0 what it does not, and each running sum has a formula of its own.
    """
    named = set_names(ir)

    def add_up(families: Iterable[Family]) -> str:
        groups: dict[tuple, list[Part]] = {}
        for f in families:
            p = part(f, ir, notation)
            groups.setdefault((p.front, p.tables, named.get(f.name, "")), []).append(p)
        texts = elide([total(g, key[-1], notation) for key, g in groups.items()], MAX_TERMS)
        signed = [f"- {x[1:]}" if x.startswith("-") else f"+ {x}" for x in texts[1:]]
        return " ".join([*texts[:1], *signed]) or "0"

    tempered = [f for f in ir.energy_families if f.tempered]
    fixed = [f for f in ir.energy_families if not f.tempered]
    out = [("H", add_up(tempered))] if tempered or not fixed else []
    if fixed:
        out.append((notation.symbol(Symbol("H", "0")), add_up(fixed)))
    for s in ir.sums:
        feeding = ir.feeding(s.name)
        below = "a" if any(f.element for f in feeding) else ""
        out.append((notation.symbol(sum_symbol(s.name, below)), add_up(feeding)))
    return out


def set_names(ir: ModelIR) -> dict[str, str]:
    """Names A, B, ... for sets of instances that would look alike, by family.

    What feeds an element of a running sum is a set for each element: it has no name.
    """
    alike: dict[object, dict[tuple[str, ...], list[str]]] = {}
    for f in ir.families:
        index = letters(f.columns)
        if index and f.element is None:
            variables = frozenset(c.array for c in f.columns if c.index in index)
            kind = ("".join(index.values()), variables)
            alike.setdefault(kind, {}).setdefault(tuple(index), []).append(f.name)
    ambiguous = [fs for sets in alike.values() if len(sets) > 1 for fs in sets.values()]
    return {name: _capital(k) for k, families in enumerate(ambiguous) for name in families}


def _capital(k: int) -> str:
    return ascii_uppercase[k] if k < 26 else f"A{k}"


def latex(ir: ModelIR) -> str:
    """The Hamiltonian in LaTeX, with its running sums."""
    lines = hamiltonian(ir, LATEX)
    if len(lines) == 1:
        return " = ".join(lines[0])
    body = r" \\ ".join(f"{left} &= {right}" for left, right in lines)
    return rf"\begin{{aligned}} {body} \end{{aligned}}"


# ---- coefficients --------------------------------------------------------------------------------


def coefficients(ir: ModelIR, tables: Tables) -> dict[str, str]:
    """What each coefficient table holds: its value, or how many values in which range."""
    arrays = {c.array for f in ir.families for c in f.columns if c.kind == "coefficient"}
    return {name: describe(tables[name]) for name in sorted(arrays, key=lambda x: (len(x), x))}


def describe(x: np.ndarray) -> str:
    """The value of a scalar, number and range of more."""
    if x.size == 1:
        return TEXT.number(x.item())
    return f"{x.size} values from {TEXT.number(x.min())} to {TEXT.number(x.max())}"
