"""Planar angle: XY spins, U(1) links."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.domains.base import Conditional, Domain, Proposal
from statmech_dsl.ir.draws import Attempts, Let, Uniform
from statmech_dsl.ir.expr import Expr, call, const, read

TWO_PI = 2 * math.pi


def wrap(angle: Expr) -> Expr:
    """Bring an angle into [-pi, pi)."""
    return angle - TWO_PI * call("floor", (angle + math.pi) * (1 / TWO_PI))


@dataclass(frozen=True)
class Angle(Domain):
    """theta in [-pi, pi)."""

    kind = "angle"
    label = "Angle"
    measure = "Lebesgue measure d theta"
    transform = "circular"

    @property
    def log_volume(self) -> float:  # noqa: D102
        return math.log(TWO_PI)

    def contains(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return (x >= -np.pi) & (x <= np.pi)

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:  # noqa: D102
        return rng.uniform(-np.pi, np.pi, n_sites)

    def cold(self, n_sites: int) -> np.ndarray:  # noqa: D102
        return np.zeros(n_sites)

    def proposal(self) -> Proposal:
        """Turn by a uniform angle of at most half a ``width``."""
        new = wrap(read("old.0") + read("width") * (read("step") - 0.5))
        return Proposal((Uniform("step"),), (new,), width=3.0)

    def conditional(self) -> Conditional:
        """Von Mises distribution by the envelope of Best and Fisher (1979).

        The log weight is ``kappa cos(x - mu)``; its two components follow from the values at 0, pi and
        +-pi/2. The formulas are arranged so that kappa = 0 needs no special case.
        """
        kx, ky = read("l.1") * -0.5, (read("l.2") - read("l.3")) * 0.5
        kappa, tau, rho = read("kappa"), read("tau"), read("rho")
        z, f, c = read("z"), read("f"), read("c")
        one = 1.0 + call("sqr", rho)
        body = (
            Let("kx", kx),
            Let("ky", ky),
            Let("kappa", call("sqrt", call("sqr", read("kx")) + call("sqr", read("ky")))),
            Let("tau", 1.0 + call("sqrt", 1.0 + 4.0 * call("sqr", kappa))),
            Let("wide", tau + call("sqrt", 2.0 * tau)),
            Let("rho", 2.0 * kappa / read("wide")),
            Attempts(
                "turn",
                (
                    Uniform("u1"),
                    Uniform("u2"),
                    Uniform("u3"),
                    Let("z", call("cos", math.pi * read("u1"))),
                    Let("f", (2.0 * rho + one * z) / (one + 2.0 * rho * z)),
                    Let("c", 0.25 * one * read("wide") - kappa * f),
                ),
                accept=call("lt", read("u2"), c * call("exp", 1.0 - c)),
                result=call("where", call("lt", read("u3"), const(0.5)), const(-1), const(1))
                * call("atan2", call("sqrt", call("max", const(0), 1.0 - call("sqr", f))), f),
            ),
        )
        probes = tuple((const(x),) for x in (0.0, math.pi, math.pi / 2, -math.pi / 2))
        new = wrap(call("atan2", read("ky"), read("kx")) + read("turn"))
        return Conditional("first harmonic", probes, body, (new,))
