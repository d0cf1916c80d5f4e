"""The notations: plain text and LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from statmech_dsl.ir.notation import Level, Notation, Symbol, Template

# ---- plain text ----------------------------------------------------------------------------------


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
    times=" ",
    times_number=" * ",
    power="{}^{}",
    function="{}({})",
    templates={
        "()": Template("({})"),
        "div": Template("{} / {}", Level.PRODUCT, (Level.NEGATIVE, Level.POWER)),
        "abs": Template("|{}|"),
    },
    relations={"eq": "=", "ne": "!=", "lt": "<", "le": "<="},
    truth="[{}]",
    cases="({1} if {0} else {2})",
)

# ---- LaTeX ---------------------------------------------------------------------------------------

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
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
    times=" ",
    times_number=r" \cdot ",
    power="{}^{{{}}}",
    function=r"\operatorname{{{}}}\left({}\right)",
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
    cases=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
)
