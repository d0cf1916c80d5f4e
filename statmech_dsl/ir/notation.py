"""Expressions for people: what makes up a notation, and one function that writes in any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from statmech_dsl.ir.expr import Expr


class Level(IntEnum):
    """How tightly the outermost operation of a written expression binds."""

    SUM = 1
    NEGATIVE = 2
    PRODUCT = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True)
class Symbol:
    """A name as it stands in formulas; coefficients come first in a product."""

    name: str
    subscript: str = ""
    leading: bool = False


@dataclass(frozen=True)
class Template:
    """How an operation is written, how tightly that binds, and how tightly its arguments must."""

    text: str
    level: Level = Level.ATOM
    arguments: tuple[Level, ...] = (Level.SUM, Level.SUM)


@dataclass(frozen=True)
class Notation:
    """Spelling of symbols, numbers, sums and operations.

    ``total`` spells the sign of a sum over index letters, which run through a set that may have a
    name; ``times`` stands between factors, ``times_number`` before a digit; ``function`` spells an
    operation without a template of its own; ``relations`` are the comparisons, ``truth`` their
    value (0 or 1); ``cases`` is a choice.
    """

    symbol: Callable[[Symbol], str]
    number: Callable[[float], str]
    total: Callable[[str, str], str]
    times: str
    times_number: str
    power: str
    function: str
    templates: dict[str, Template]
    relations: dict[str, str]
    truth: str
    cases: str


Leaf = Callable[[Expr], Symbol | str]
"""Names slots and bound names."""


def render(e: Expr, notation: Notation, leaf: Leaf, least: Level = Level.SUM) -> str:
    """Write an expression; in parentheses if it binds less tightly than ``least``."""
    text, level = _write(e, notation, leaf)
    return text if level >= least else notation.templates["()"].text.format(text)


def _write(e: Expr, n: Notation, leaf: Leaf) -> tuple[str, Level]:
    def of(x: Expr, least: Level = Level.SUM) -> str:
        return render(x, n, leaf, least)

    level = Level.ATOM
    match e.op, e.args:
        case "const", _:
            text = n.number(e.attr)  # type: ignore[arg-type]
        case (("slot" | "read"), _):
            name = leaf(e)
            text = n.symbol(name) if isinstance(name, Symbol) else name
        case (("add" | "sub" | "neg"), _):
            text, level = _sum(e, of), Level.NEGATIVE if e.op == "neg" else Level.SUM
        case "mul", _:
            text, level = _product(e, n, leaf), Level.PRODUCT
        case "sqr", (x,):
            exponent = 2
            while x.op == "sqr":
                x, exponent = x.args[0], 2 * exponent
            text, level = n.power.format(of(x, Level.ATOM), exponent), Level.POWER
        case "where", (c, x, y):
            text = n.cases.format(condition(c, n, leaf), of(x), of(y))
        case op, _ if op in n.relations and op not in n.templates:
            text = n.truth.format(condition(e, n, leaf))
        case op, args:
            t = n.templates.get(op)
            if t is None:
                text = n.function.format(op, ", ".join(of(x) for x in args))
            else:
                written = (of(x, least) for x, least in zip(args, t.arguments, strict=False))
                text, level = t.text.format(*written), t.level
    return text, min(level, Level.NEGATIVE) if text.startswith("-") else level


def _sum(e: Expr, of: Callable[[Expr, Level], str]) -> str:
    """Terms in their order, but no minus sign in front if there is a plus sign behind it."""
    signed = []
    for minus, x in terms(e):
        text = of(x, Level.NEGATIVE)
        signed.append((minus != text.startswith("-"), text.removeprefix("-")))
    lead = next((k for k, (minus, _) in enumerate(signed) if not minus), 0)
    (minus, first), *rest = [signed.pop(lead), *signed]
    return "".join(["-" * minus + first, *(f" {'-' if m else '+'} {x}" for m, x in rest)])


def terms(e: Expr, minus: bool = False) -> list[tuple[bool, Expr]]:
    """Terms of a sum, each with whether it is subtracted."""
    if e.op == "neg":
        return terms(e.args[0], not minus)
    if e.op not in ("add", "sub"):
        return [(minus, e)]
    x, y = e.args
    return terms(x, minus) + terms(y, minus != (e.op == "sub"))


def _product(e: Expr, n: Notation, leaf: Leaf) -> str:
    """Numbers first, then coefficients, other symbols and all else, names in alphabetical order."""

    def place(x: Expr) -> tuple[int, str]:
        if x.op not in ("slot", "read"):
            return (0 if x.op == "const" else 3), ""
        named = leaf(x)
        return (1 if isinstance(named, Symbol) and named.leading else 2), render(x, n, leaf)

    first, *rest = sorted(factors(e), key=place)
    text = render(first, n, leaf, Level.NEGATIVE if first.op == "const" else Level.POWER)
    for x in rest:
        y = render(x, n, leaf, Level.POWER)
        text += (n.times_number if y[0].isdigit() else n.times) + y
    return text


def factors(e: Expr) -> list[Expr]:
    """Factors of a product."""
    return [y for x in e.args for y in factors(x)] if e.op == "mul" else [e]


def condition(c: Expr, notation: Notation, leaf: Leaf) -> str:
    """An expression as a statement that is true where it is not 0."""
    if c.op in notation.relations:
        left, right = (render(x, notation, leaf) for x in c.args)
        return f"{left} {notation.relations[c.op]} {right}"
    return render(c, notation, leaf)


def elide(items: list[str], kept: int = 4) -> list[str]:
    """The first few and the last of many: ``kept`` in all, or one more.

    Examples
    --------
    >>> elide(list("abcdefgh"))
    ['a', 'b', 'c', '...', 'h']
    """
    return items if len(items) <= kept + 1 else [*items[: kept - 1], "...", items[-1]]
