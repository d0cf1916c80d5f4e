"""Free motion of a site: what Hamiltonian moves do between two kicks of the force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from statmech_dsl.ir.draws import Let, Value
from statmech_dsl.ir.expr import Expr, call, const, read


@dataclass(frozen=True)
class Motion:
    """Expressions over ``x.c`` and ``p.c``, position and momentum, and ``step``, a time.

    ``tangent`` is the momentum without what would leave the manifold of the values. ``position`` and
    ``momentum`` are those after the time, None for a momentum that stays; ``body`` binds what both read
    besides, ``landing`` what the position reads.
    """

    tangent: Value
    position: Value
    momentum: Value | None = None
    body: tuple[Let, ...] = ()
    landing: tuple[Let, ...] = ()


STRAIGHT = read("x.0") + read("step") * read("p.0")
"""Where a point on a line is after the time."""


def on_sphere(n: int) -> Motion:
    """Great circles (Byrne and Girolami 2013); the position is normalized anew."""
    x = tuple(read(f"x.{c}") for c in range(n))
    p = tuple(read(f"p.{c}") for c in range(n))
    speed, inverse, c, s = (read(a) for a in ("speed", "inverse", "cosine", "sine"))
    ahead = tuple(read(f"ahead.{k}") for k in range(n))
    body = (
        Let("speed", call("sqrt", _dot(p, p))),
        Let("resting", call("lt", speed, 1e-150)),
        Let("inverse", call("where", read("resting"), const(0.0), 1.0 / speed)),
        Let("angle", speed * read("step")),
        Let("cosine", call("cos", read("angle"))),
        Let("sine", call("sin", read("angle"))),
    )
    landing = (
        *(Let(f"ahead.{k}", x[k] * c + p[k] * (inverse * s)) for k in range(n)),
        Let("scale", 1.0 / call("sqrt", _dot(ahead, ahead))),
    )
    return Motion(
        tuple(p[k] - x[k] * _dot(x, p) for k in range(n)),
        tuple(a * read("scale") for a in ahead),
        tuple(p[k] * c - x[k] * (speed * s) for k in range(n)),
        body,
        landing,
    )


def _dot(a: Value, b: Value) -> Expr:
    return reduce(lambda u, v: u + v, (p * q for p, q in zip(a, b, strict=True)))
