"""Expressions for people: two notations, plain text and LaTeX, and one function that writes in either."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
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

    ``total`` spells the sign of a sum over index letters that run through a set of instances (which has a
    name if it needs one); ``function`` an operation without a template of its own; ``relations`` the
    comparisons, ``truth`` their value (0 or 1); ``times`` stands before a digit; ``cases`` is a choice.
    """

    symbol: Callable[[Symbol], str]
    number: Callable[[float], str]
    total: Callable[[str, str], str]
    function: str
    power: str
    templates: dict[str, Template]
    relations: dict[str, str]
    truth: str
    times: str
    cases: str


Leaf = Callable[[Expr], Symbol | str]
"""Names slots and bound names."""


def render(e: Expr, notation: Notation, leaf: Leaf, least: Level = Level.SUM) -> str:
    """Write an expression with few parentheses, and in parentheses if it binds less than ``least``."""
    text, level = _write(e, notation, leaf)
    return text if level >= least else notation.templates["()"].text.format(text)


def _write(e: Expr, n: Notation, leaf: Leaf) -> tuple[str, Level]:
    def of(x: Expr, least: Level = Level.SUM) -> str:
        return render(x, n, leaf, least)

    level = Level.ATOM
    match e.op, e.args:
        case "const", _:
            text = n.number(e.attr)  # type: ignore[arg-type]
        case ("slot" | "read"), _:
            name = leaf(e)
            text = n.symbol(name) if isinstance(name, Symbol) else name
        case ("add" | "sub"), (x, y):
            least = Level.SUM if e.op == "add" else Level.NEGATIVE
            text, level = _sum(of(x), of(y, least), e.op), Level.SUM
        case "neg", (x,):
            text = "-" + of(x, Level.PRODUCT)
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


def _sum(x: str, y: str, op: str) -> str:
    if op == "add" and x.startswith("-") and not y.startswith("-"):
        x, y = y, x
    minus = y.startswith("-") != (op == "sub")
    return f"{x} {'-' if minus else '+'} {y.removeprefix('-')}"


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
        text += (n.times if y[0].isdigit() else " ") + y
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


# ---- plain text -----------------------------------------------------------------------------------------


def _text_symbol(s: Symbol) -> str:
    name = s.name.replace(".", "")
    return f"{name}_{s.subscript}" if s.subscript else name


def _text_total(letters: str, where: str) -> str:
    over = letters if len(letters) == 1 else f"<{letters}>"
    return f"sum_{{{over} in {where}}}" if where else f"sum_{over}"


TEXT = Notation(
    symbol=_text_symbol,
    number=lambda x: f"{x + 0.0:.6g}",  # -0.0 + 0.0 is 0
    total=_text_total,
    function="{}({})",
    power="{}^{}",
    templates={
        "()": Template("({})"),
        "div": Template("{} / {}", Level.PRODUCT, (Level.NEGATIVE, Level.POWER)),
        "abs": Template("|{}|"),
    },
    relations={"eq": "=", "ne": "!=", "lt": "<", "le": "<="},
    truth="[{}]",
    times=" * ",
    cases="({1} if {0} else {2})",
)

# ---- LaTeX ----------------------------------------------------------------------------------------------

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
    "phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
)


def upright(name: str) -> str:
    """A word of a user, safe in LaTeX."""
    return rf"\mathrm{{{re.sub(r'[^A-Za-z0-9.,:-]', lambda c: ESCAPES.get(c[0], ' '), name)}}}"


ESCAPES = {c: rf"\{c}" for c in "_%&#$"}


def _latex_symbol(s: Symbol) -> str:
    found = re.fullmatch(r"([A-Za-z]+)[._]?(\d*)", s.name)
    stem, number = found.groups() if found else (s.name, "")
    if stem in GREEK:
        stem = f"\\{stem}"
    elif len(stem) > 1:
        stem = upright(stem)
    below = ",".join(x for x in (number, s.subscript) if x)
    return f"{stem}_{{{below}}}" if below else stem


def _latex_number(x: float) -> str:
    if math.isinf(x):
        return r"-\infty" if x < 0 else r"\infty"
    mantissa, _, exponent = f"{x:.6g}".partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    sign = "-" if x < 0 else ""
    return sign + power if mantissa.lstrip("-") == "1" else rf"{mantissa} \cdot {power}"


def _latex_total(letters: str, where: str) -> str:
    over = letters if len(letters) == 1 else rf"\langle {letters} \rangle"
    return rf"\sum_{{{over} \in {where}}}" if where else rf"\sum_{{{over}}}"


def _latex_functions(names: Sequence[str]) -> dict[str, Template]:
    return {f: Template(rf"\{f}\left({{}}\right)") for f in names}


LATEX = Notation(
    symbol=_latex_symbol,
    number=_latex_number,
    total=_latex_total,
    function=r"\operatorname{{{}}}\left({}\right)",
    power="{}^{{{}}}",
    templates={
        "()": Template(r"\left({}\right)"),
        "div": Template(r"\frac{{{}}}{{{}}}", Level.POWER),
        "abs": Template(r"\left|{}\right|"),
        "sqrt": Template(r"\sqrt{{{}}}"),
        "floor": Template(r"\left\lfloor {} \right\rfloor"),
        "min": Template(r"\min\left({}, {}\right)"),
        "max": Template(r"\max\left({}, {}\right)"),
        "exp2": Template("2^{{{}}}", Level.POWER),
        "weight2": Template("2^{{{}}}", Level.POWER),
        "eq": Template(r"\delta_{{{}, {}}}"),
        **_latex_functions(("exp", "log", "sin", "cos")),
    },
    relations={"eq": "=", "ne": r"\neq", "lt": "<", "le": r"\leq"},
    truth=r"\left[{}\right]",
    times=r" \cdot ",
    cases=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
)
