"""Free motion of a site: what Hamiltonian moves do between two kicks of the force."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from statmech_dsl.ir.draws import Let, Value
from statmech_dsl.ir.expr import Expr, call, const, read


@dataclass(frozen=True)
class Motion:
    """Expressions over ``x.c`` and ``p.c``, position and momentum, and ``step``, a time.

    ``tangent`` is the momentum without what would leave the manifold of the values. ``body`` binds what
    ``position`` and ``momentum``, those after the time, read besides; ``momentum`` is None where it does not change.
    """

    tangent: Value
    position: Value
    body: tuple[Let, ...] = ()
    momentum: Value | None = None


STRAIGHT = read("x.0") + read("step") * read("p.0")
"""Where a point on a line is after the time."""


def on_sphere(n: int) -> Motion:
    """Great circles (Byrne and Girolami 2013); the position is normalized anew."""
    x = tuple(read(f"x.{c}") for c in range(n))
    p = tuple(read(f"p.{c}") for c in range(n))
    speed, inverse, c, s = (read(a) for a in ("speed", "inverse", "cosine", "sine"))
    ahead = tuple(x[k] * c + p[k] * (inverse * s) for k in range(n))
    body = (
        Let("speed", call("sqrt", _dot(p, p))),
        Let("resting", call("lt", speed, 1e-150)),
        Let("inverse", call("where", read("resting"), const(0.0), 1.0 / speed)),
        Let("angle", speed * read("step")),
        Let("cosine", call("cos", read("angle"))),
        Let("sine", call("sin", read("angle"))),
        *(Let(f"ahead.{k}", e) for k, e in enumerate(ahead)),
        Let(
            "scale", 1.0 / call("sqrt", _dot(*([tuple(read(f"ahead.{k}") for k in range(n))] * 2)))
        ),
    )
    return Motion(
        tuple(p[k] - x[k] * _dot(x, p) for k in range(n)),
        tuple(read(f"ahead.{k}") * read("scale") for k in range(n)),
        body,
        tuple(p[k] * c - x[k] * (speed * s) for k in range(n)),
    )


def _dot(a: Value, b: Value) -> Expr:
    return reduce(lambda u, v: u + v, (p * q for p, q in zip(a, b, strict=True)))
