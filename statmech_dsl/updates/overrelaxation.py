"""Overrelaxation: reflect the site about its local field, which keeps the energy and needs no random number."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.ir.kernel import SitePass
from statmech_dsl.updates.base import Situation, Update
from statmech_dsl.updates.conditional import read_off_probes, refuse_form


def _refuse(where: Situation) -> str | None:
    if where.domain.values is not None:
        return f"{where.domain.label} has discrete values, which a reflection may miss"
    reflection = where.domain.overrelaxed()
    if reflection is None:
        return f"no reflection is known for {where.domain!r}"
    return refuse_form(reflection, where)


def _build(variable: str, domain: Domain) -> SitePass:
    reflection = domain.overrelaxed()
    assert reflection is not None
    return SitePass("overrelaxation", variable, read_off_probes(reflection))


OVERRELAXATION = Update("overrelaxation", _refuse, _build, automatic=False, ergodic=False)
