"""Barker's rule: propose a value, take it with probability w' / (w + w')."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.draws import Categorical, Let, old
from statmech_dsl.ir.expr import call, law, read
from statmech_dsl.ir.kernel import Assign, LocalEnergy, SitePass, Tally
from statmech_dsl.ir.params import Param
from statmech_dsl.updates.base import Situation, Update

TARGET_ACCEPTANCE = 0.3


def _refuse(where: Situation) -> str | None:
    """Every move can be refused, so that it is ergodic under any law, for any energy."""
    return None


def _build(variable: str, domain: Domain) -> SitePass:
    proposal = domain.proposal()  # symmetric; continuous types read a width that is tuned
    present = old(domain.components)
    proposed = tuple(read(f"proposed.{k}") for k in range(domain.components))
    width = () if proposal.width is None else (Param("width", proposal.width, TARGET_ACCEPTANCE),)
    body = (
        *proposal.body,
        *(Let(f"proposed.{k}", x) for k, x in enumerate(proposal.value)),
        LocalEnergy("e", (present, proposed)),
        Categorical("move", (law(read("e.0")), law(read("e.1")))),
        Tally(read("move")),
        Assign(
            tuple(
                call("where", read("move"), new, now)
                for new, now in zip(proposed, present, strict=True)
            )
        ),
    )
    return SitePass("barker", variable, body, width)


BARKER = Update("barker", _refuse, _build)
