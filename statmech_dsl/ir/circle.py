"""Points on a circle from uniform numbers, for draws: cheaper than sine and cosine of any angle."""

from __future__ import annotations

from statmech_dsl.ir.expr import Expr, call, const

_HALF_SINE = (
    3.1415926535896355,
    -5.167712779988062,
    2.5501640359115667,
    -0.599264434017997,
    0.08214479530514417,
    -0.007364007727684439,
    0.00044749509187930214,
)
"""Chebyshev series of sin(pi t) / t in t^2 up to 1/4, as a polynomial."""


def half_sine(t: Expr) -> Expr:
    """sin(pi t) to 2^-42, for |t| <= 1/2.

    With s = sin(a / 2), cos a is ``1 - 2 s^2`` and sin a is ``2 s sqrt(1 - s^2)``.

    Examples
    --------
    >>> from statmech_dsl.ir.expr import evaluate, read
    >>> round(evaluate(half_sine(read("t")), (), {"t": 1 / 6}), 12)
    0.5
    """
    w = call("sqr", t)
    pairs = [const(a) + b * w for a, b in zip(_HALF_SINE[::2], _HALF_SINE[1::2], strict=False)]
    p = const(_HALF_SINE[-1])
    for pair in reversed(pairs):  # short chains of operations: a processor works on several at once
        p = pair + call("sqr", w) * p
    return t * p
