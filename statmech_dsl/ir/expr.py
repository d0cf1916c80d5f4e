"""Scalar expressions: one frozen tree for factors, proposals, laws and draws.

Every value is a float64, or a float32 where a pass says so; a comparison gives 0.0 or 1.0. Leaves are
constants, slots (what a factor reads), names (what a statement has bound) and ``law`` nodes (log weights,
lowered later). `fold` keeps trees in a normal form, so that equal terms written in different ways compare
equal and every backend evaluates the same operations in the same order.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from statmech_dsl.ir.ops import COMMUTATIVE, EVEN, NUMBERS, OPS, Real


@dataclass(frozen=True, slots=True)
class Expr:
    """A node: an operation of `OPS` over ``args``, or a leaf that ``attr`` describes.

    ``const`` (float), ``slot`` (int), ``read`` (str: ``old.0``, ``beta`` or a bound name), ``law``
    (one argument: the log weight of the configuration whose local energy it is), ``table`` (one
    argument, attr: the name of a tabulated function of the energy).
    """

    op: str
    args: tuple[Expr, ...] = ()
    attr: float | int | str | None = None

    def __add__(self, other: Expr | float) -> Expr:
        return call("add", self, other)

    def __radd__(self, other: float) -> Expr:
        return call("add", other, self)

    def __sub__(self, other: Expr | float) -> Expr:
        return call("sub", self, other)

    def __rsub__(self, other: float) -> Expr:
        return call("sub", other, self)

    def __mul__(self, other: Expr | float) -> Expr:
        return call("mul", self, other)

    def __rmul__(self, other: float) -> Expr:
        return call("mul", other, self)

    def __truediv__(self, other: Expr | float) -> Expr:
        return call("div", self, other)

    def __rtruediv__(self, other: float) -> Expr:
        return call("div", other, self)

    def __neg__(self) -> Expr:
        return call("neg", self)


def const(value: float) -> Expr:
    """Leaf: a number."""
    return Expr("const", (), float(value))


def slot(k: int) -> Expr:
    """Leaf: what column k of a family reads."""
    return Expr("slot", (), k)


def read(name: str) -> Expr:
    """Leaf: the value bound to a name by an earlier statement."""
    return Expr("read", (), name)


def law(energy: Expr) -> Expr:
    """Log weight of the whole configuration whose local energy is ``energy``."""
    return Expr("law", (energy,))


def call(op: str, *args: Expr | float) -> Expr:
    """Apply an operation of `OPS`, folded.

    Examples
    --------
    >>> call("mul", 2.0, call("neg", slot(0))) == call("mul", slot(0), -2.0)
    True
    """
    return fold(Expr(op, tuple(a if isinstance(a, Expr) else const(a) for a in args)))


def _is(e: Expr, value: float) -> bool:
    return e.op == "const" and e.attr == value


def _order(e: Expr) -> tuple[int, str]:
    return (("const", "slot", "read").index(e.op) if not e.args and e.op != "law" else 3, repr(e))


def fold(e: Expr) -> Expr:
    """Normal form of one node whose arguments are folded already.

    Constants are evaluated (cosines and sines of quarter turns exactly), signs pulled outwards, arguments
    of commutative operations ordered.
    """
    if e.op not in OPS:
        return e
    a = e.args
    if all(x.op == "const" for x in a):
        if e.op in ("cos", "sin") and (turns := a[0].attr / (math.pi / 2)) in range(-4, 5):  # type: ignore[operator]
            return const((1.0, 0.0, -1.0, 0.0)[int(turns - (e.op == "sin")) % 4])
        return const(OPS[e.op](*(x.attr for x in a)))
    if e.op in EVEN and (opposite := _opposite(a[0])):
        return fold(Expr(e.op, (opposite,)))
    if e.op in COMMUTATIVE and _order(a[1]) < _order(a[0]):
        a = (a[1], a[0])
    if e.op in EVEN and a[0].op == "sub" and _order(a[0].args[1]) < _order(a[0].args[0]):
        a = (Expr("sub", a[0].args[::-1]),)
    rule = _RULES.get(e.op)
    return (rule(*a) if rule else None) or Expr(e.op, a)


def _opposite(x: Expr) -> Expr | None:
    """``-x`` where x has a sign that can be seen."""
    if x.op == "neg":
        return x.args[0]
    if x.op == "mul" and x.args[0].op == "const" and x.args[0].attr < 0:  # type: ignore[operator]
        return call("mul", -x.args[0].attr, x.args[1])  # type: ignore[operator]
    return None


def _fold_add(x: Expr, y: Expr) -> Expr | None:
    if _is(x, 0.0):
        return y
    if y.op == "neg":
        return call("sub", x, y.args[0])
    if x.op == "neg":
        return call("sub", y, x.args[0])
    return call("mul", 2.0, x) if x == y else None


def _fold_sub(x: Expr, y: Expr) -> Expr | None:
    if x == y:
        return const(0.0)
    if _is(y, 0.0):
        return x
    if _is(x, 0.0):
        return call("neg", y)
    if y.op == "neg":
        return call("add", x, y.args[0])
    if y.op == "const":
        return call("add", -y.attr, x)  # type: ignore[operator]
    return call("neg", call("add", x.args[0], y)) if x.op == "neg" else None


def _fold_mul(x: Expr, y: Expr) -> Expr | None:
    if x.op == "const":
        if x.attr == 0.0:
            return x
        if x.attr == 1.0:
            return y
        if x.attr == -1.0:
            return call("neg", y)
        if y.op == "neg":
            return call("mul", -x.attr, y.args[0])  # type: ignore[operator]
        if y.op == "mul" and y.args[0].op == "const":
            return call("mul", x.attr * y.args[0].attr, y.args[1])  # type: ignore[operator]
    for p, q in ((x, y), (y, x)):
        if p.op == "neg":
            return call("neg", call("mul", p.args[0], q))
        if p.op == "mul" and p.args[0].op == "const" and q.op != "const":
            return call("mul", p.args[0], call("mul", p.args[1], q))
    return call("sqr", x) if x == y else None


def _fold_neg(x: Expr) -> Expr | None:
    if x.op == "neg":
        return x.args[0]
    if x.op == "sub":
        return call("sub", x.args[1], x.args[0])
    if x.op == "mul" and x.args[0].op == "const":
        return call("mul", -x.args[0].attr, x.args[1])  # type: ignore[operator]
    return None


def _fold_div(x: Expr, y: Expr) -> Expr | None:
    if x.op == "neg":
        return call("neg", call("div", x.args[0], y))
    return x if _is(y, 1.0) else None


def _fold_where(c: Expr, x: Expr, y: Expr) -> Expr | None:
    if c.op == "const":
        return x if c.attr else y
    return x if x == y else None


def _fold_cos(x: Expr) -> Expr | None:
    """Shifts by multiples of pi/2, so that the probes of an angle share one sine and cosine."""
    quarter = _quarter_turns(x)
    return None if quarter is None else (_COS, _MINUS_SIN, _MINUS_COS, _SIN)[quarter[0]](quarter[1])


def _fold_sin(x: Expr) -> Expr | None:
    if opposite := _opposite(x):
        return call("neg", call("sin", opposite))
    quarter = _quarter_turns(x)
    return None if quarter is None else (_SIN, _COS, _MINUS_SIN, _MINUS_COS)[quarter[0]](quarter[1])


def _SIN(x: Expr) -> Expr:
    return call("sin", x)


def _COS(x: Expr) -> Expr:
    return call("cos", x)


def _MINUS_SIN(x: Expr) -> Expr:
    return call("neg", _SIN(x))


def _MINUS_COS(x: Expr) -> Expr:
    return call("neg", _COS(x))


def _quarter_turns(x: Expr) -> tuple[int, Expr] | None:
    """``x = rest + k pi/2`` with k in 0 .. 3, for a sum or difference with such a constant."""
    if x.op not in ("add", "sub") or x.args[0].op != "const":
        return None
    turns = x.args[0].attr / (math.pi / 2)  # type: ignore[operator]
    if turns != round(turns) or abs(turns) > 4:
        return None
    rest = x.args[1]
    return round(turns) % 4, rest if x.op == "add" else call("neg", rest)


def _fold_eq(x: Expr, y: Expr) -> Expr | None:
    return const(1.0) if x == y else None


_RULES: dict[str, Callable[..., Expr | None]] = {
    "add": _fold_add,
    "sub": _fold_sub,
    "mul": _fold_mul,
    "neg": _fold_neg,
    "div": _fold_div,
    "where": _fold_where,
    "eq": _fold_eq,
    "cos": _fold_cos,
    "sin": _fold_sin,
}


def substitute(e: Expr, replace: Callable[[Expr], Expr | None]) -> Expr:
    """Replace nodes for which ``replace`` gives an expression; the result is folded.

    Examples
    --------
    >>> substitute(slot(0) * slot(1), lambda x: const(-1) if x == slot(1) else None)
    Expr(op='neg', args=(Expr(op='slot', args=(), attr=0),), attr=None)
    """
    new = replace(e)
    if new is not None:
        return new
    if not e.args:
        return e
    return fold(Expr(e.op, tuple(substitute(x, replace) for x in e.args), e.attr))


def walk(e: Expr) -> Iterator[Expr]:
    """All nodes of a tree, the root first."""
    yield e
    for x in e.args:
        yield from walk(x)


def slots_of(e: Expr) -> set[int]:
    """Slots that an expression reads."""
    return {x.attr for x in walk(e) if x.op == "slot"}  # type: ignore[misc]


def reads_of(e: Expr) -> set[str]:
    """Names that an expression reads."""
    return {x.attr for x in walk(e) if x.op == "read"}  # type: ignore[misc]


def difference(e: Expr, new: dict[int, Expr], ref: dict[int, Expr]) -> Expr:
    """``e`` with slots at ``new`` minus ``e`` with slots at ``ref``, by the product and sum rules.

    Examples
    --------
    A two-state flip costs one multiplication:

    >>> difference(slot(0) * slot(1), {0: const(1)}, {0: const(-1)}) == 2.0 * slot(1)
    True
    """
    if slots_of(e).isdisjoint(new):
        return const(0.0)
    if e.op in ("add", "sub", "neg"):
        return call(e.op, *(difference(x, new, ref) for x in e.args))
    if e.op == "mul":
        for x, other in (e.args, e.args[::-1]):
            if slots_of(other).isdisjoint(new):
                return call("mul", other, difference(x, new, ref))
    if e.op == "div" and slots_of(e.args[1]).isdisjoint(new):
        return call("div", difference(e.args[0], new, ref), e.args[1])
    return call("sub", at_values(e, new), at_values(e, ref))


def at_values(e: Expr, values: dict[int, Expr]) -> Expr:
    """``e`` with some slots replaced."""
    return substitute(e, lambda x: values.get(x.attr) if x.op == "slot" else None)  # type: ignore[arg-type]


def renumber(e: Expr, new: dict[int, int]) -> Expr:
    """``e`` with its slots renumbered."""
    return at_values(e, {k: slot(n) for k, n in new.items()})


def canonical(e: Expr) -> Expr:
    """Sums and products in one order, whatever it was: equal up to rounding.

    Examples
    --------
    >>> x, y, z = slot(0), slot(1), slot(2)
    >>> canonical((x * y) * z) == canonical(y * (z * x))
    True
    """
    if e.op not in ("add", "mul"):
        return fold(Expr(e.op, tuple(canonical(x) for x in e.args), e.attr)) if e.args else e
    parts = sorted((canonical(x) for x in _chain(e, e.op)), key=repr)
    return reduce(lambda x, y: call(e.op, x, y), parts)


def _chain(e: Expr, op: str) -> Iterator[Expr]:
    """What is added up, or multiplied."""
    if e.op != op:
        yield e
        return
    for x in e.args:
        yield from _chain(x, op)


def evaluate(e: Expr, slots: Any, env: dict[str, Any], real: Real = "float64") -> Any:
    """Value of an expression: the definition that backends must reproduce bit for bit.

    ``env`` binds names to numbers, and names of tables to functions. In float32 every leaf is rounded,
    then every operation.
    """
    number, ops = NUMBERS[real]

    def of(x: Expr) -> Any:
        if x.op == "const":
            return number(x.attr)
        if x.op == "slot":
            return number(slots[x.attr])
        if x.op == "read":
            return number(env[x.attr])  # type: ignore[index]
        if x.op == "table":
            return env[x.attr](of(x.args[0]))  # type: ignore[index]
        return ops[x.op](*(of(y) for y in x.args))

    return of(e)


def digest(thing: Any) -> str:
    """Hash that is the same in every process (``hash()`` of a str is not)."""
    return hashlib.sha256(repr(thing).encode()).hexdigest()[:16]
