"""Which updates and which backend: decided by analysis, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping

from statmech_dsl.backends import BACKENDS, Backend
from statmech_dsl.errors import BackendError, IllegalUpdateError
from statmech_dsl.ir.kernel import Program, SitePass
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.passes import SiteAnalysis
from statmech_dsl.updates import UPDATES, Situation

Updates = str | Mapping[str, str]
"""``"auto"``, the name of an update for all variables, or one for each variable by name."""


def choose_update(ir: ModelIR, analysis: SiteAnalysis, updates: Updates, law: str) -> SitePass:
    """The pass of a variable: what the user asked for if it is legal, else the first that is."""
    name, domain = analysis.variable, ir.variable(analysis.variable).domain
    situation = Situation(name, domain, analysis.forms, law)
    wanted = updates if isinstance(updates, str) else updates.get(name, "auto")
    if wanted == "auto":
        reasons = []
        for update in UPDATES.values():
            reason = update.refuse(situation)
            if reason is None:
                return update.build(name, domain)
            reasons.append(f"{update.name}: {reason}")
        raise IllegalUpdateError(f"no update is legal for {name!r}", where="; ".join(reasons))
    if wanted not in UPDATES:
        raise IllegalUpdateError(
            f"there is no update {wanted!r}", mend=f"use one of {', '.join(UPDATES)}, or 'auto'"
        )
    reason = UPDATES[wanted].refuse(situation)
    if reason is not None:
        raise IllegalUpdateError(f"{wanted} is not legal for {name!r}: {reason}")
    return UPDATES[wanted].build(name, domain)


def check_updates(ir: ModelIR, updates: Updates) -> None:
    """Raise for variables that the model does not have."""
    if isinstance(updates, str):
        return
    if not isinstance(updates, Mapping):
        raise IllegalUpdateError(
            f"updates= is {updates!r}", mend="give a name, or {variable: name}"
        )
    unknown = set(updates) - {v.name for v in ir.variables}
    if unknown:
        raise IllegalUpdateError(
            f"updates= names {', '.join(sorted(unknown))}, which the model does not have",
            mend=f"its variables are {', '.join(v.name for v in ir.variables)}",
        )


def fastest_backend(program: Program, tables: Tables, n_replicas: int) -> Backend:
    """The backend that "auto" takes for a program: a card where there is one and the work is large enough."""
    for backend in BACKENDS.values():
        least = backend.gains_from(program, tables) if backend.gains_from else None
        if least is not None and n_replicas >= least and backend.missing() is None:
            return backend
    return choose_backend("auto")


def choose_backend(name: str) -> Backend:
    """The backend of a name; "auto" is the first that can run here, whatever the work."""
    if name == "auto":
        return next(b for b in BACKENDS.values() if b.missing() is None)
    if name not in BACKENDS:
        raise BackendError(
            f"there is no backend {name!r}", mend=f"use one of {', '.join(BACKENDS)}, or 'auto'"
        )
    missing = BACKENDS[name].missing()
    if missing is not None:
        raise BackendError(f"backend {name!r} cannot run here: {missing}")
    return BACKENDS[name]
