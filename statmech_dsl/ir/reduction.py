"""How the instances of a family are added up: backends agree in it bit for bit.

What all instances share, the scalar coefficients in front, multiplies their sum; so the spins of an
energy count in whole numbers, which are exact in any order. The instances themselves are taken in groups
of `GROUP` = 8: a group adds ((t0 + t1) + (t2 + t3)) + ((t4 + t5) + (t6 + t7)) to the sum, the last
instances, where they fill no group, are added one by one. So the lanes
of a vector need not wait for each other.

Where a family feeds the elements of a vector of sums, every instance counts with all its factors, and a
group whose instances feed several elements is added one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from statmech_dsl.ir.expr import Expr, const, slots_of
from statmech_dsl.ir.model import Family
from statmech_dsl.ir.notation import factors

GROUP = 8
"""Instances that are added together."""


def front_and_inner(f: Family) -> tuple[Expr, Expr]:
    """A family as a product: what all instances share, and what is added up.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import slot
    >>> from statmech_dsl.ir.model import Column
    >>> columns = (Column("state", "s", "i.0"), Column("coefficient", "c.0", None))
    >>> front_and_inner(Family("zeeman.0", "zeeman", slot(0) * slot(1), columns)) == (
    ...     slot(1),
    ...     slot(0),
    ... )
    True
    """
    if f.element is not None:
        return const(1.0), f.expr
    scalar = {k for k, c in enumerate(f.columns) if c.kind == "coefficient" and c.index is None}
    minus = f.expr.op == "neg"
    parts = factors(f.expr.args[0] if minus else f.expr)
    front = [x for x in parts if slots_of(x) <= scalar]
    inner = [x for x in parts if not slots_of(x) <= scalar]
    return _product([const(-1.0)] * minus + front), _product(inner)


def _product(parts: Sequence[Expr]) -> Expr:
    return reduce(lambda x, y: x * y, parts, const(1.0))


def tree(terms: list, plus: Callable[[Any, Any], Any]) -> Any:
    """The sum of a full group.

    Examples
    --------
    >>> tree(list("abcdefgh"), lambda x, y: f"({x}{y})")
    '(((ab)(cd))((ef)(gh)))'
    """
    while len(terms) > 1:
        terms = [plus(a, b) for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]
