"""Planar angle: XY spins, U(1) links."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.circle import half_cosine, half_sine
from statmech_dsl.ir.domains.base import Conditional, Continuous, Proposal, Reflection
from statmech_dsl.ir.draws import Attempts, Let, Uniform
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import Expr, call, const, read
from statmech_dsl.ir.motion import STRAIGHT, Motion

TWO_PI = 2 * math.pi
ROUNDING = 1e-6
"""The ends of the interval are rounded to float32."""


PROBES = tuple((const(x),) for x in (0.0, math.pi, math.pi / 2, -math.pi / 2))


def _components() -> tuple[Expr, Expr]:
    """Of the local field, whose log weight is ``kx cos x + ky sin x``, from the values at the probes."""
    return read("l.1") * -0.5, (read("l.2") - read("l.3")) * 0.5


def wrap(angle: Expr) -> Expr:
    """Bring an angle into [-pi, pi)."""
    return angle - TWO_PI * call("floor", (angle + math.pi) * (1 / TWO_PI))


@dataclass(frozen=True)
class Angle(Continuous):
    """theta in [-pi, pi)."""

    kind = "angle"
    label = "Angle"
    measure = "Lebesgue measure d theta"
    transform = "circular"

    @property
    def log_volume(self) -> float:  # noqa: D102
        return math.log(TWO_PI)

    def contains(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.abs(x) <= np.pi + ROUNDING

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:  # noqa: D102
        return rng.uniform(-np.pi, np.pi, n_sites)

    def cold(self, n_sites: int) -> np.ndarray:  # noqa: D102
        return np.zeros(n_sites)

    def vectors(self, x: np.ndarray) -> np.ndarray:
        """(cos theta, sin theta)."""
        return np.stack([np.cos(x), np.sin(x)], axis=-1)

    def proposal(self) -> Proposal:
        """Turn by a uniform angle of at most half a ``width``."""
        new = wrap(read("old.0") + read("width") * (read("step") - 0.5))
        return Proposal((Uniform("step"),), (new,), width=3.0)

    def motion(self) -> Motion:
        """Around the circle."""
        return Motion((read("p.0"),), (wrap(STRAIGHT),))

    def reflection(self) -> Reflection:
        """About any direction: ``theta -> 2 phi - theta``."""
        odd = 2**0.5 * call("sin", read("old.0") - math.pi * read("axis"))
        new = wrap(TWO_PI * read("axis") - read("old.0"))
        return Reflection((Uniform("axis"),), (), (new,), odd)

    def conditional(self) -> Conditional:
        """Von Mises distribution by the envelope of Best and Fisher (1979), with few operations.

        The log weight is ``kappa cos(x - mu)``; its two components follow from the values at 0, pi and
        +-pi/2. The envelope is what a uniform angle a becomes under a map of the circle to itself,

            cos phi = (kappa + h cos a) / (h + kappa cos a),  sin phi = sqrt(h) sin a / (h + kappa cos a)

        with ``h = 1/2 + sqrt(1/4 + kappa^2)``, so that ``h^2 - kappa^2 = h``. It is accepted with
        probability ``c exp(1 - c)``, ``c = h - kappa cos phi = h / (h + kappa cos a)``. Cosine and sine of
        a / 2 are polynomials, and with ``gap = h - kappa = h / (h + kappa)`` nothing cancels at large kappa.
        A kappa of 0 needs no special case but for mu.
        """
        kx, ky = _components()
        kappa, h, gap, s, c = (read(x) for x in ("kappa", "h", "gap", "s", "c"))
        turn, half = read("turn"), read("half")
        body = (
            Let("kx", kx),
            Let("ky", ky),
            Let("kappa", call("sqrt", call("sqr", read("kx")) + call("sqr", read("ky")))),
            Let("h", 0.5 + call("sqrt", 0.25 + call("sqr", kappa))),
            Let("gap", h / (h + kappa)),
            Attempts(
                "turn",
                (
                    Uniform("u1"),
                    Uniform("u2"),
                    Let("t", -0.5 + read("u1")),
                    Let("s", half_sine(read("t"), self.dtype)),
                    Let("c", h / (gap + 2.0 * kappa * call("sqr", s))),
                ),
                accept=call("lt", read("u2"), c * call("weight2", (1.0 - c) * LOG2E)),
                result=read("t"),
            ),
            Let("half", half_sine(turn, self.dtype)),
            Let("p", 2.0 * h * call("sqr", half) - gap),
            Let("q", 2.0 * half * half_cosine(turn, self.dtype) * call("sqrt", h)),
            Let("mx", call("where", call("eq", kappa, 0.0), const(1.0), read("kx"))),
        )
        p, q, mx, my = (read(x) for x in ("p", "q", "mx", "ky"))
        new = call("atan2", my * p + mx * q, mx * p - my * q)
        return Conditional("first harmonic", PROBES, body, (new,))

    def overrelaxed(self) -> Conditional:
        """Reflect about the direction of the local field; without one, about theta = 0."""
        kx, ky = _components()
        body = (Let("kx", kx), Let("ky", ky))
        new = wrap(2.0 * call("atan2", read("ky"), read("kx")) - read("old.0"))
        return Conditional("first harmonic", PROBES, body, (new,))
