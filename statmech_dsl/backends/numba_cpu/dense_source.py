"""Print the sweep of a program whose passes are all dense."""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.dense_printers import (
    DensePrinter,
    Fields,
    Lookups,
    Products,
    view,
)
from statmech_dsl.backends.numba_cpu.kernels_source import COMPILE, HEADER, Source
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import TILE_LANES

IMPORTS = """from statmech_dsl.backends.numba_cpu.decide_lines import decide_lines, stride_of
from statmech_dsl.backends.numba_cpu.lookups import encode
from statmech_dsl.backends.numba_cpu.swept_energy import add_fields, add_sources
from statmech_dsl.backends.numba_cpu.runtime_float32 import f32, i32
from statmech_dsl.backends.numba_cpu.verdicts import (
    CLOSE, add_row, high_sum, second_verdict, subtract_row, verdict
)

"""
PRINTERS: dict[str, type[DensePrinter]] = {
    "fields": Fields,
    "products": Products,
    "lookups": Lookups,
}


def dense_source(program: Program, tables: Tables, lanes: int) -> Source:
    """The kernel that does n sweeps on the chunks c0 <= c < c1."""
    names = Names(program.model, tables)
    printers = [_printer(p)(p, z, names, lanes) for z, p in enumerate(program.passes)]
    decisions = [printer.decision() for printer in printers]  # these name the tables
    states, listed = list(names.states.values()), list(names.tables.values())
    text: Lines = []
    for z, body in enumerate(decisions):
        head = ["k", "lane", "word", "beta", "c", *map(view, states), *listed]
        text += [COMPILE, f"def decide{z}({', '.join(head)}):", *indent(body), "", ""]
    buffers = [
        f"streams = np.empty((c1 - c0, {3 * TILE_LANES * lanes}), np.uint32)",
        f"words = np.empty({lanes}, np.uint32)",
    ]
    begin = []
    if all(isinstance(printer, Lookups) for printer in printers):
        printers[-1].last = True
        buffers = []  # arguments
        begin = ["keep = energy.shape[0] > 0 and sweep + 1 == sweep0 + n"]
    head = "c0, c1, n, sweep0, seed, live, replica, beta, sources, unit, energy".split(", ")
    own = [f"{name}{z}" for z, p in enumerate(program.passes) for name in arguments(p)]
    text += [
        COMPILE,
        f"def kernel({', '.join([*head, *own, *states, *listed])}):",
        "    key0, key1 = seed & MASK, seed >> U(32)",
        *indent(buffers),
        "    for sweep in range(sweep0, sweep0 + n):",
        *indent([*begin, *(line for printer in printers for line in printer.lines())], 2),
    ]
    return Source(HEADER + IMPORTS + "\n".join(text) + "\n", tuple(names.tables))


def arguments(p: LoweredPass) -> tuple[str, ...]:
    """What the kernel takes for a pass; see dense_arrays.py."""
    return ("exponent", "width", "scale", "slack", *_printer(p).arrays)


def _printer(p: LoweredPass) -> type[DensePrinter]:
    assert p.dense is not None
    return PRINTERS[p.dense.method]
