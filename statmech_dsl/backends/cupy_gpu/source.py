"""Whole kernels: their text, and what their parameters stand for."""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.backends.cupy_gpu.adding import add_energies, add_sums
from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.runtime import runtime
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, Shared, block, indent, spell
from statmech_dsl.backends.numba_cpu.features import Feature, features_of
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import ModelIR

THREADS = 256
"""Most threads of a block, for which registers are allotted."""


@dataclass(frozen=True)
class Source:
    """Text of a kernel, and what its last parameters are: features, tables, lengths of tables."""

    text: str
    features: tuple[Feature, ...]
    tables: tuple[Table, ...]
    sizes: tuple[tuple[Table, int], ...]


def finished(name: str, names: Names, first: list[str], body: Lines, header: str = "") -> Source:
    """A kernel whose body is printed; its last parameters are what the body came to read."""
    parameters = ",\n".join(indent(["u64* meeting", "const u32 R", *first, *names.parameters()]))
    head = f'extern "C" __global__ void __launch_bounds__({THREADS}) {name}(\n{parameters}) {{'
    text = "\n".join([runtime(), header, head, *indent(body), "}", ""])
    return Source(text, tuple(names.features), tuple(names.tables), tuple(names.sizes))


def feature_source(program: Program) -> Source:
    """The kernel ``features``, which computes the features of states."""
    names = Names(program.model, features_of(program))
    body: Lines = []
    for f, y in names.features.items():
        x = names.states[f.variable]
        shared = Shared()
        e, kind = f.at(read("x"), program.model), C_TYPES[f.real]
        value = spell(e, lambda e: "x" if e.op == "read" else None, shared, f.real)
        n = f"(u64)S{x[1:]} * R"
        body += block(
            f"EACH(item, {n})",
            [
                f"const u64 place = {f.component} * {n} + item;",
                f"const {kind} x = ({kind}){x}[place];",
                *shared.take(),
                f"{y}[place] = ({C_TYPES[f.stored]}){value};",
            ],
        )
    return finished("features", names, [], [*body, "MEET;"])


def measure_source(program: Program) -> Source:
    """The kernel ``measure``: both energies, and measured sums, which lie where it is told."""
    model, measured = program.model, program.measured
    both = ModelIR(model.variables, model.families + measured.families, model.sums + measured.sums)
    names = Names(both)
    body = [
        *add_sums(model, names, True),
        *add_energies(model, names, "tempered", "fixed", True),
        *add_sums(measured, names, True),
    ]
    first = ["double* scratch", "double* tempered", "double* fixed"]
    return finished("measure", names, first, body)
