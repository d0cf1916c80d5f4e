"""Metropolis: propose a value, accept it with probability min(1, ratio of weights)."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.draws import Bernoulli, Let, old
from statmech_dsl.ir.expr import call, const, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass, Tally
from statmech_dsl.ir.params import Param
from statmech_dsl.updates.base import Situation, Update

TARGET_ACCEPTANCE = 0.5


def _refuse(where: Situation) -> str | None:
    if where.law != "boltzmann" and where.domain.values is not None:
        return "in a fixed order it need not be ergodic under a tabulated law"
    return None


def _build(variable: str, domain: Domain) -> SitePass:
    proposal = domain.proposal()
    present = old(domain.components)
    proposed = tuple(read(f"proposed.{k}") for k in range(domain.components))
    width = () if proposal.width is None else (Param("width", proposal.width, TARGET_ACCEPTANCE),)
    body = (
        *proposal.body,
        *(Let(f"proposed.{k}", x) for k, x in enumerate(proposal.value)),
        LocalEnergy("e", (present, proposed)),
        Bernoulli("accept", call("min", const(0.0), law(read("e.1")) - law(read("e.0")))),
        Tally(read("accept")),
        Assign(
            tuple(
                call("where", read("accept"), new, now)
                for new, now in zip(proposed, present, strict=True)
            )
        ),
    )
    return SitePass("metropolis", variable, body, width)


METROPOLIS = Update("metropolis", _refuse, _build)
