"""The list of lowering passes, from a recovered model to a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from statmech_dsl.errors import ModelError
from statmech_dsl.ir.kernel import Program, SitePass
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.ir.verify import verify
from statmech_dsl.lower.dense import with_dense_form
from statmech_dsl.lower.passes import SiteAnalysis, analyze, lower_pass
from statmech_dsl.rng import STREAM_STRIDE

Choose = Callable[[SiteAnalysis], Sequence[SitePass]]
"""The updates of a variable, chosen after its analysis."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """A program, the tables it reads, and what the analysis found for each variable."""

    program: Program
    tables: Tables
    analyses: tuple[SiteAnalysis, ...]


def lower(ir: ModelIR, tables: Tables, choose: Choose, law: str = "boltzmann") -> Lowered:
    """Analyze every variable, choose its updates, lower each of them, verify the result."""
    free = [v.name for v in ir.variables if len(tables[v.free])]
    analyses = tuple(analyze(ir, tables, name, law) for name in free)
    chosen = [(a, p) for a in analyses for p in choose(a)]
    if len(chosen) >= STREAM_STRIDE:
        raise ModelError(f"{len(chosen)} passes a sweep are more than {STREAM_STRIDE - 1}")
    out: dict[str, np.ndarray] = dict(tables)
    passes = tuple(
        with_dense_form(lower_pass(ir, tables, p, a, law, stream, out), ir, out)
        for stream, (a, p) in enumerate(chosen)
    )
    program = Program(ir, passes, law)
    verify(program, out)
    for table in out.values():
        table.setflags(write=False)
    return Lowered(program, out, analyses)
