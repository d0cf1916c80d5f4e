"""The list of lowering passes, from a recovered model to a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.collective import Collective
from statmech_dsl.ir.kernel import LoweredPass, Program, SitePass
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.ir.verify import verify
from statmech_dsl.lower.bits import Fold, Unsliced, bit_form, degree_keys, find_fold, terms_as_bits
from statmech_dsl.lower.collective import Place
from statmech_dsl.lower.coloring import Order, color
from statmech_dsl.lower.dense import with_dense_form
from statmech_dsl.lower.passes import SiteAnalysis, analyze, lower_pass
from statmech_dsl.lower.steps import Step
from statmech_dsl.rng import STREAM_STRIDE

Choose = Callable[[SiteAnalysis], Sequence[Step]]
"""The updates of a variable, chosen after its analysis."""
FOLDED_SITES = 1 << 15
"""From this size on words hold sites also where there are several replicas."""
SMALLEST_FOLD = 16, 48
"""Sites in a word, at least, for one replica and for several, which could fill words by themselves."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """A program, the tables it reads, and what the analysis found for each variable."""

    program: Program
    tables: Tables
    analyses: tuple[SiteAnalysis, ...]
    unsliced: str = ""
    """Why the program is not bit-sliced; empty if it is."""


def lower(
    ir: ModelIR,
    tables: Tables,
    choose: Choose,
    law: str = "boltzmann",
    measured: ModelIR | None = None,
    n_replicas: int | None = None,
) -> Lowered:
    """Analyze every variable, choose its updates, lower each of them, verify the result.

    ``tables`` also holds those of ``measured``. The program is bit-sliced if its form allows; without
    ``n_replicas`` it is not, as its couplings may still change.
    """
    plain = Program(ir, (), law, measured or ModelIR(ir.variables, ()))
    if n_replicas is None:
        return _lower(plain, tables, choose, "its couplings may change")
    if law != "boltzmann":
        return _lower(plain, tables, choose, f"its law is {law}")
    try:
        keys = degree_keys(ir, tables, terms_as_bits(ir, tables))
    except Unsliced as why:
        return _lower(plain, tables, choose, str(why))
    fold = None
    if n_replicas == 1 or sum(v.n_sites for v in ir.variables) >= FOLDED_SITES:
        try:
            fold = find_fold(ir, tables, SMALLEST_FOLD[n_replicas > 1], keys)
        except Unsliced as why:
            if n_replicas == 1:
                reason = f"one system alone fills no word: {why}"
                return _lower(plain, tables, choose, reason)

    def sliced(fold: Fold | None, orders: Mapping[str, Order]) -> Lowered:
        lowered = _lower(plain, tables, choose, "", fold, orders)
        if (
            orders and lowered.program.passes and lowered.program.bits is None
        ):  # sites keep their own order then
            return _lower(plain, tables, choose, lowered.unsliced)
        return lowered

    if fold is not None:
        lowered = sliced(fold, fold.orders)
        if n_replicas == 1 or lowered.program.bits is not None:
            return lowered
    return sliced(None, {v: color(ir, tables, v, k) for v, k in keys.items()})


def _lower(
    plain: Program,
    source: Tables,
    choose: Choose,
    unsliced: str,
    fold: Fold | None = None,
    orders: Mapping[str, Order] | None = None,
) -> Lowered:
    """Lower the passes of a program that has none yet; ``orders`` of sites are those of colors unless given."""
    ir, law = plain.model, plain.law
    free = [v.name for v in ir.variables if len(source[v.free])]
    orders = orders or {}
    analyses = tuple(analyze(ir, source, name, law, orders.get(name)) for name in free)
    steps = [(a, step) for a in analyses for step in choose(a)]
    tables: dict[str, np.ndarray] = dict(source)
    passes, moves = _lower_steps(steps, ir, source, law, tables)
    program = replace(plain, passes=passes, collective=moves)
    verify(program, tables)
    if not unsliced:
        try:
            program = replace(program, bits=bit_form(program, tables, fold))
        except Unsliced as why:
            unsliced = str(why)
    for table in tables.values():
        table.setflags(write=False)
    return Lowered(program, tables, analyses, unsliced)


def _lower_steps(
    steps: Sequence[tuple[SiteAnalysis, Step]],
    ir: ModelIR,
    source: Tables,
    law: str,
    tables: dict[str, np.ndarray],
) -> tuple[tuple[LoweredPass, ...], tuple[Collective, ...]]:
    """Passes over sites, copied where each needs a random stream, then collective moves."""
    sites: list[tuple[SiteAnalysis, SitePass, int, bool]] = []
    for a, s in steps:
        if isinstance(s.what, SitePass):
            copies, times = (s.times, 1) if s.what.random else (1, s.times)
            sites += [(a, s.what, times, s.reversed)] * copies
    others = [(a, s.what, s.times) for a, s in steps if not isinstance(s.what, SitePass)]
    if len(sites) + len(others) >= STREAM_STRIDE:
        raise ModelError(
            f"{len(sites) + len(others)} passes a sweep are more than {STREAM_STRIDE - 1}"
        )
    passes = tuple(
        with_dense_form(lower_pass(ir, source, p, a, law, stream, tables, n, back), ir, tables)
        for stream, (a, p, n, back) in enumerate(sites)
    )
    moves = tuple(
        spec.lower(Place(ir, source, a, stream, times, tables))
        for stream, (a, spec, times) in enumerate(others, len(sites))
    )
    return passes, moves
