"""Heat bath (Gibbs sampling): draw the site from its exact conditional distribution."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain, Finite
from statmech_dsl.ir.draws import Categorical
from statmech_dsl.ir.expr import const, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass
from statmech_dsl.updates.base import Situation, Update
from statmech_dsl.updates.conditional import read_off_probes, refuse_form

MAX_VALUES = 64
"""Candidates are unrolled in the kernel; beyond this, Metropolis costs less."""


def _refuse(where: Situation) -> str | None:
    if where.domain.values is not None:
        n = len(where.domain.values)
        return f"{n} values are more than {MAX_VALUES}" if n > MAX_VALUES else None
    conditional = where.domain.conditional()
    if conditional is None:
        return f"no exact draw is known for {where.domain!r}"
    return refuse_form(conditional, where)


def _build(variable: str, domain: Domain) -> SitePass:
    if isinstance(domain, Finite):
        n = len(domain.values or ())
        return SitePass(
            "heat_bath",
            variable,
            (
                LocalEnergy("e", tuple((domain.value_at(const(c)),) for c in range(n))),
                Categorical("new", tuple(law(read(f"e.{c}")) for c in range(n))),
                Assign((domain.value_at(read("new")),)),
            ),
        )
    conditional = domain.conditional()
    assert conditional is not None
    return SitePass("heat_bath", variable, read_off_probes(conditional))


HEAT_BATH = Update("heat_bath", _refuse, _build)
