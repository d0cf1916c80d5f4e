"""Real field."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.domains.base import Conditional, Continuous, Proposal, Reflection
from statmech_dsl.ir.draws import Let, Normal, Uniform
from statmech_dsl.ir.expr import call, const, read
from statmech_dsl.ir.motion import STRAIGHT, Motion

PROBES = tuple((const(x),) for x in (0.0, 1.0, -1.0))


@dataclass(frozen=True)
class Field(Continuous):
    """phi, any real number; the energy must bind it, or log Z is infinite."""

    kind = "field"
    label = "Field"
    measure = "Lebesgue measure d phi"

    @property
    def log_volume(self) -> float:  # noqa: D102
        return math.inf

    def contains(self, x: np.ndarray) -> np.ndarray:  # noqa: D102
        return np.isfinite(x)

    def hot(self, rng: np.random.Generator, n_sites: int) -> np.ndarray:
        """Standard normal numbers: a flat measure has no infinite temperature."""
        return rng.normal(size=n_sites)

    def cold(self, n_sites: int) -> np.ndarray:  # noqa: D102
        return np.zeros(n_sites)

    def proposal(self) -> Proposal:
        """Move by a uniform step of at most half a ``width``."""
        new = read("old.0") + read("width") * (read("step") - 0.5)
        return Proposal((Uniform("step"),), (new,), width=2.0)

    def motion(self) -> Motion:
        """Along a line."""
        return Motion((read("p.0"),), (STRAIGHT,))

    def reflection(self) -> Reflection:
        """The other sign."""
        return Reflection((), (), (-read("old.0"),), read("old.0"))

    def conditional(self) -> Conditional:
        """Normal distribution whose log weight has the values l.1 at +1 and l.2 at -1."""
        curvature = read("curvature")
        body = (
            Normal("g"),
            Let("curvature", -(read("l.1") + read("l.2"))),
            Let("slope", (read("l.1") - read("l.2")) * 0.5),
        )
        new = read("slope") / curvature + read("g") / call("sqrt", curvature)
        return Conditional("quadratic", PROBES, body, (new,))

    def overrelaxed(self) -> Conditional:
        """Reflect about the maximum of the weight, Adler (1981); leave the site where there is none."""
        curvature = read("curvature")
        body = (
            Let("curvature", -(read("l.1") + read("l.2"))),
            Let("slope", (read("l.1") - read("l.2")) * 0.5),
        )
        bound = call("lt", 0.0, curvature)
        old = read("old.0")
        new = call("where", bound, 2.0 * read("slope") / curvature - old, old)
        return Conditional("quadratic", PROBES, body, (new,))
