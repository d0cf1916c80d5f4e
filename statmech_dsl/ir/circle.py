"""Points on a circle from uniform numbers, for draws: cheaper than sine and cosine of any angle."""

from __future__ import annotations

from statmech_dsl.ir.expr import Expr, call, const
from statmech_dsl.ir.ops import Real

_HALF_SINE = {
    "float64": (
        3.1415926535896355,
        -5.167712779988062,
        2.5501640359115667,
        -0.599264434017997,
        0.08214479530514417,
        -0.007364007727684439,
        0.00044749509187930214,
    ),
    "float32": (
        3.141592640181576,
        -5.167710090202498,
        2.5500776578654576,
        -0.5982921495240018,
        0.07765939053891548,
    ),
}
"""Polynomials in t^2 up to 1/4 that are near sin(pi t) / t everywhere."""


def half_sine(t: Expr, real: Real = "float64") -> Expr:
    """sin(pi t) for |t| <= 1/2, to 2^-42 in float64 and to 2^-22 in float32.

    With s and c, sine and cosine of a / 2, cos a is ``1 - 2 s^2`` and sin a is ``2 s c``.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import evaluate, read
    >>> round(evaluate(half_sine(read("t")), (), {"t": 1 / 6}), 12)
    0.5
    """
    w = call("sqr", t)
    series = _HALF_SINE[real]
    pairs = [const(a) + b * w for a, b in zip(series[::2], series[1::2], strict=False)]
    p = const(series[-1])
    for pair in reversed(pairs):  # short chains of operations: a processor works on several at once
        p = pair + call("sqr", w) * p
    return t * p


def half_cosine(t: Expr, real: Real = "float64") -> Expr:
    """cos(pi t) as precisely: ``sqrt(1 - s^2)`` would lose half of the digits near |t| = 1/2.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import evaluate, read
    >>> round(evaluate(half_cosine(read("t")), (), {"t": -1 / 3}), 12)
    0.5
    """
    return half_sine(0.5 - call("abs", t), real)
