"""Unit vector: Heisenberg and O(n) spins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.errors import DomainError
from statmech_dsl.ir.circle import half_cosine, half_sine
from statmech_dsl.ir.domains.base import Body, Conditional, Continuous, Proposal, Reflection
from statmech_dsl.ir.draws import Let, Normal, Uniform, old
from statmech_dsl.ir.expr import Expr, call, const, read
from statmech_dsl.ir.motion import Motion, on_sphere

SMALL_FIELD = {"float64": 1e-9, "float32": 0.125}
"""Local fields below which the distribution of the cosine is inverted by a series."""
ROUNDING = 5e-6
"""Deviation of a length from 1 that is due to float32."""
NO_FIELD = 1e-18
"""Local fields below have no direction: the squares of their components may vanish in float32."""


def _dot(v: Sequence[Expr], w: Sequence[Expr]) -> Expr:
    total = v[0] * w[0]
    for x, y in zip(v[1:], w[1:], strict=True):
        total = total + x * y
    return total


def _norm(v: Sequence[Expr]) -> Expr:
    return call("sqrt", _dot(v, v))


def _weak(v: Expr, kappa: Expr) -> Expr:
    """The cosine in a weak field, v being uniform in (-1, 1): to 2^-20 for kappa <= 1/8."""
    v2 = call("sqr", v)
    first = 0.5 - kappa * (v * (1 / 3))
    second = (3.0 * v2 - 1.0) * (1 / 12) + kappa * (v * (2.0 - 3.0 * v2) * (1 / 15))
    return v + kappa * (1.0 - v2) * (first + call("sqr", kappa) * second)


@dataclass(frozen=True)
class UnitVector(Continuous):
    """n numbers with |s| = 1; arrays have shape (sites, n)."""

    kind = "unit_vector"
    label = "UnitVector"
    measure = "surface measure of the sphere, not normalized"
    transform = "sphere"
    n: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.n, int) or not 2 <= self.n <= 8:
            raise DomainError("UnitVector needs 2 <= n <= 8 components", where=f"n={self.n!r}")

    @property
    def components(self) -> int:  # noqa: D102
        return self.n

    @property
    def log_volume(self) -> float:  # noqa: D102
        return math.log(2.0) + 0.5 * self.n * math.log(math.pi) - math.lgamma(0.5 * self.n)

    def contains(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.abs(np.linalg.norm(x, axis=-1) - 1.0) < ROUNDING

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:  # noqa: D102
        x = rng.normal(size=(n_sites, self.n))
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    def cold(self, n_sites: int) -> np.ndarray:  # noqa: D102
        x = np.zeros((n_sites, self.n))
        x[:, -1] = 1.0
        return x

    def proposal(self) -> Proposal:
        """Step in a random direction, by ``width``, and back to the sphere.

        Symmetric: the density depends on the angle between the old and the new vector alone. For n = 3 the
        step has length ``width``; for other n it is a normal vector of that size.
        """
        draws, step = self._direction()
        raw = tuple(
            Let(f"y{k}", x + read("width") * s)
            for k, (x, s) in enumerate(zip(old(self.n), step, strict=True))
        )
        norm = Let("norm", _norm(tuple(read(f"y{k}") for k in range(self.n))))
        value = tuple(read(f"y{k}") / read("norm") for k in range(self.n))
        return Proposal((*draws, *raw, norm), value, width=1.0)

    def _direction(self) -> tuple[Body, tuple[Expr, ...]]:
        """Statements, and a vector that has no preferred direction."""
        if self.n != 3:
            names = [f"g{k}" for k in range(self.n)]
            return tuple(Normal(name) for name in names), tuple(read(name) for name in names)
        u, v, half, rho = (read(x) for x in ("u", "v", "half", "rho"))
        draws = (
            Uniform("u"),
            Uniform("v"),
            Let("rho", 2.0 * call("sqrt", u * (1.0 - u))),
            Let("t", v - 0.5),
            Let("half", half_sine(read("t"), self.dtype)),
        )
        x = rho * (1.0 - 2.0 * call("sqr", half))
        y = rho * (2.0 * half * half_cosine(read("t"), self.dtype))
        return draws, (x, y, 2.0 * u - 1.0)

    def motion(self) -> Motion:
        """Along great circles."""
        return on_sphere(self.n)

    def reflection(self) -> Reflection:
        """In a plane of any direction r, ``s -> s - 2 (s . r) r``, and back to length 1 as rounding adds up."""
        draws, direction = self._direction()
        lengths = (Let("length", _norm(direction)),)
        axis = tuple(Let(f"r{k}", x / read("length")) for k, x in enumerate(direction))
        r, x = tuple(read(q.name) for q in axis), old(self.n)
        y = tuple(read(f"y{k}") for k in range(self.n))
        image = (
            Let("twice", 2.0 * _dot(r, x)),
            *(Let(f"y{k}", x[k] - read("twice") * r[k]) for k in range(self.n)),
            Let("norm", _norm(y)),
        )
        odd = (0.5 * self.n**0.5) * read("twice")
        return Reflection((*draws, *lengths, *axis), image, tuple(a / read("norm") for a in y), odd)

    def conditional(self) -> Conditional | None:
        """For n = 3, invert the distribution of the cosine with the local field.

        The log weight is b . s; with kappa = |b| and w = exp(-2 kappa), the cosine is 1 - d,
        d = -log(u + (1 - u) w) / kappa, and the azimuth is uniform. The sine follows from d, which is small
        where kappa is large. Where kappa is small that fraction loses digits, and its series takes over. The
        drawn vector has length 1 but for the rounding of a few operations.
        """
        if self.n != 3:
            return None
        b = tuple(read(f"b{k}") for k in range(3))
        kappa, d, z, rho = (read(x) for x in ("kappa", "d", "z", "rho"))
        u, none = read("u"), read("none")
        below = -call("log", u + (1.0 - u) * read("w")) * read("inverse")
        small = call("lt", kappa, SMALL_FIELD[self.dtype])
        inverted = call("where", small, 1.0 - _weak(2.0 * u - 1.0, kappa), below)
        # Orthonormal frame around b (Duff et al. 2017), free of branches but for the sign.
        e = tuple(read(f"e{k}") for k in range(3))
        sign, a, ab, half = read("sign"), read("a"), read("ab"), read("half")
        x, y = read("x"), read("y")
        value = (
            x * (1.0 + sign * call("sqr", e[0]) * a) + y * ab + z * e[0],
            x * (sign * ab) + y * (sign + call("sqr", e[1]) * a) + z * e[1],
            z * e[2] - x * (sign * e[0]) - y * e[1],
        )
        body = (
            Uniform("u"),
            Uniform("v"),
            *(Let(f"b{k}", read(f"l.{k + 1}")) for k in range(3)),
            Let("kappa", _norm(b)),
            Let("none", call("lt", kappa, NO_FIELD)),
            Let("inverse", call("where", none, 0.0, 1.0 / call("max", kappa, NO_FIELD))),
            Let("w", call("exp", -2.0 * kappa)),
            Let("d", call("max", 0.0, call("min", 2.0, inverted))),
            Let("z", 1.0 - d),
            Let("rho", call("sqrt", d * (2.0 - d))),
            Let("t", read("v") - 0.5),
            Let("half", half_sine(read("t"), self.dtype)),
            Let("x", rho * (1.0 - 2.0 * call("sqr", half))),
            Let("y", rho * (2.0 * half * half_cosine(read("t"), self.dtype))),
            Let("e0", b[0] * read("inverse")),
            Let("e1", b[1] * read("inverse")),
            Let("e2", call("where", none, 1.0, b[2] * read("inverse"))),
            Let("sign", call("where", call("lt", e[2], const(0.0)), const(-1.0), const(1.0))),
            Let("a", -1.0 / (sign + e[2])),
            Let("ab", e[0] * e[1] * a),
        )
        return Conditional("linear", self._probes(), body, value)

    def overrelaxed(self) -> Conditional:
        """Reflect about the local field b, s -> 2 (b . s) b / b^2 - s; without one, invert.

        A step of Newton's iteration for ``1 / |s|`` keeps the length at 1 as long as one likes.
        """
        b, s, new = ([read(f"{x}{k}") for k in range(self.n)] for x in ("b", "old.", "new"))
        square = read("square")
        none = call("lt", square, NO_FIELD**2)
        twice = call("where", none, 0.0, 2.0 * _dot(b, s) / call("max", square, NO_FIELD**2))
        body = (
            *(Let(f"b{k}", read(f"l.{k + 1}")) for k in range(self.n)),
            Let("square", _dot(b, b)),
            Let("twice", twice),
            *(Let(f"new{k}", read("twice") * b[k] - s[k]) for k in range(self.n)),
            Let("inverse", 1.5 - 0.5 * _dot(new, new)),
        )
        return Conditional("linear", self._probes(), body, tuple(x * read("inverse") for x in new))

    def _probes(self) -> tuple[tuple[Expr, ...], ...]:
        """The origin, then the end of each axis."""
        ends = [[float(k == c) for k in range(self.n)] for c in range(-1, self.n)]
        return tuple(tuple(const(x) for x in end) for end in ends)
