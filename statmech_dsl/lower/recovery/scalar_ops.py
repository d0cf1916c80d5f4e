"""PyTensor's scalar operations in terms of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import pytensor.scalar.basic as ps
import pytensor.scalar.math as psm

from statmech_dsl.errors import NonLocalEnergyError
from statmech_dsl.ir.expr import Expr, call, const

_HALF_ULP_IS_ONE_HALF = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to even


def _of(op: str) -> Callable[..., Expr]:
    return lambda *a: call(op, *a)


def _any_number(op: str) -> Callable[..., Expr]:
    return lambda *a: reduce(lambda x, y: call(op, x, y), a)


def _never(x: Expr) -> Expr:
    """What is asked of a number that is infinite; states and couplings are finite."""
    return const(0)


def _equal(x: Expr, y: Expr) -> Expr:
    for a, b in ((x, y), (y, x)):
        if a.op == "const" and math.isinf(a.attr):  # type: ignore[arg-type]
            return call("eq", b.args[0], const(0)) if b.op == "log" else const(0)
    return call("eq", x, y)


def exp(x: Expr) -> Expr:  # noqa: D103
    return call("exp", x)


def log(x: Expr) -> Expr:  # noqa: D103
    return call("log", x)


def negation(x: Expr) -> Expr:
    """Logical not."""
    return 1.0 - x


def power(x: Expr, n: float) -> Expr:
    """Fixed power of x; whole numbers by multiplication, so that no logarithm is needed."""
    if n < 0:
        return 1.0 / power(x, -n)
    if n == 0:
        return const(1.0)
    if n == 0.5:
        return call("sqrt", x)
    if n != int(n) or n > 64:
        return exp(n * log(x))
    half = power(x, n // 2)
    square = call("sqr", half) if n > 1 else const(1.0)
    return x * square if n % 2 else square


def general_power(x: Expr, y: Expr, whole: bool) -> Expr:
    """Varying power of x; ``whole``: y is a whole number, so that x may be negative."""
    if not whole:
        return exp(y * log(x))
    odd = remainder(y, const(2.0))
    sign = call("where", call("lt", x, const(0)), 1.0 - 2.0 * odd, const(1))
    return exp(y * log(call("abs", x))) * sign


def floor_divide(x: Expr, y: Expr) -> Expr:  # noqa: D103
    return call("floor", x / y)


def remainder(x: Expr, y: Expr) -> Expr:
    """Remainder with the sign of the divisor, as in Python."""
    return x - y * floor_divide(x, y)


def truncate(x: Expr) -> Expr:  # noqa: D103
    return call("sign", x) * call("floor", call("abs", x))


def tanh(x: Expr) -> Expr:
    """Odd to the last bit, without overflow."""
    t = exp(-2.0 * call("abs", x))
    return call("sign", x) * ((1.0 - t) / (1.0 + t))


def softplus(x: Expr) -> Expr:
    """log(1 + exp(x)), without overflow."""
    return call("max", x, const(0)) + log(1.0 + exp(-call("abs", x)))


def log_gamma(x: Expr) -> Expr:
    """Logarithm of Gamma(x) for a positive number: Stirling's series at x + 8, brought back by a product."""
    z = x + 8.0
    w = 1.0 / call("sqr", z)
    series = reduce(lambda tail, c: c + w * tail, reversed(_STIRLING))
    rising = reduce(lambda a, b: a * b, [x + float(k) for k in range(8)])
    return (z - 0.5) * log(z) - z + 0.5 * math.log(2 * math.pi) + series / z - log(rising)


_STIRLING = tuple(
    const(c) for c in (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
)


def _sqrt_1_minus_square(x: Expr) -> Expr:
    return call("sqrt", 1.0 - call("sqr", x))


TABLE: dict[type, Callable[..., Expr]] = {
    ps.Add: _any_number("add"),
    ps.Sub: _of("sub"),
    ps.Mul: _any_number("mul"),
    ps.TrueDiv: _of("div"),
    ps.Neg: _of("neg"),
    ps.Reciprocal: lambda x: 1.0 / x,
    ps.Sqr: _of("sqr"),
    ps.Sqrt: _of("sqrt"),
    ps.Abs: _of("abs"),
    ps.Sign: _of("sign"),
    ps.Floor: _of("floor"),
    ps.Ceil: lambda x: -call("floor", -x),
    ps.Trunc: truncate,
    ps.RoundHalfToEven: lambda x: (x + _HALF_ULP_IS_ONE_HALF) - _HALF_ULP_IS_ONE_HALF,
    ps.RoundHalfAwayFromZero: lambda x: call("sign", x) * call("floor", call("abs", x) + 0.5),
    ps.IntDiv: floor_divide,
    ps.Mod: remainder,
    ps.Maximum: _any_number("max"),
    ps.Minimum: _any_number("min"),
    ps.Clip: lambda x, low, high: call("min", call("max", x, low), high),
    ps.Switch: _of("where"),
    ps.EQ: _equal,
    ps.NEQ: _of("ne"),
    ps.LT: _of("lt"),
    ps.LE: _of("le"),
    ps.GT: lambda x, y: call("lt", y, x),
    ps.GE: lambda x, y: call("le", y, x),
    ps.AND: _any_number("mul"),
    ps.OR: _any_number("max"),
    ps.XOR: _any_number("ne"),
    ps.Invert: negation,
    ps.IsNan: _never,
    ps.IsInf: _never,
    ps.Exp: exp,
    ps.Exp2: _of("exp2"),
    ps.Expm1: lambda x: exp(x) - 1.0,
    ps.Log: log,
    ps.Log2: lambda x: log(x) * (1 / math.log(2)),
    ps.Log10: lambda x: log(x) * (1 / math.log(10)),
    ps.Log1p: lambda x: log(1.0 + x),
    ps.Sin: _of("sin"),
    ps.Cos: _of("cos"),
    ps.Tan: lambda x: call("sin", x) / call("cos", x),
    ps.ArcTan2: _of("atan2"),
    ps.ArcTan: lambda x: call("atan2", x, const(1)),
    ps.ArcSin: lambda x: call("atan2", x, _sqrt_1_minus_square(x)),
    ps.ArcCos: lambda x: call("atan2", _sqrt_1_minus_square(x), x),
    ps.Sinh: lambda x: 0.5 * (exp(x) - exp(-x)),
    ps.Cosh: lambda x: 0.5 * (exp(x) + exp(-x)),
    ps.Tanh: tanh,
    ps.ArcSinh: lambda x: (
        call("sign", x) * log(call("abs", x) + call("sqrt", call("sqr", x) + 1.0))
    ),
    ps.ArcCosh: lambda x: log(x + call("sqrt", call("sqr", x) - 1.0)),
    ps.ArcTanh: lambda x: 0.5 * log((1.0 + x) / (1.0 - x)),
    psm.GammaLn: log_gamma,
    psm.Sigmoid: lambda x: 1.0 / (1.0 + exp(-x)),
    psm.Softplus: softplus,
    psm.Log1mexp: lambda x: log(1.0 - exp(x)),
}
"""A new operation is one line here."""

_LOGICAL = (ps.AND, ps.OR, ps.XOR, ps.Invert)


def translate(op: Any, arguments: Sequence[Expr], dtypes: Sequence[str]) -> Expr:
    """Expression for a scalar operation of arguments whose types are ``dtypes``.

    Raises
    ------
    NonLocalEnergyError
        There is no such expression.
    """
    if type(op) not in TABLE or (isinstance(op, _LOGICAL) and set(dtypes) != {"bool"}):
        kind = f"{op} of whole numbers" if isinstance(op, _LOGICAL) else str(op)
        raise NonLocalEnergyError(
            f"the operation {kind} has no counterpart in kernels",
            mend="build it from arithmetic, exp, log, sqrt, trigonometric functions, comparisons; "
            "of a discrete variable, tabulate it and write table[s]",
        )
    return TABLE[type(op)](*arguments)
