"""Print the kernels of dense passes.

A product gives the fields of a panel. Where a panel is a color, a thread visits the ranks of one lane of a
tile, as in other tiers. Where it is a few sites in turn, a thread has a replica: it adds to each field what
the sites before it in the panel have changed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from statmech_dsl.backends.couplings import LARGEST_SLACK, WIDER
from statmech_dsl.backends.cupy_gpu.names import Names
from statmech_dsl.backends.cupy_gpu.printer import PassPrinter
from statmech_dsl.backends.cupy_gpu.source import Source, finished
from statmech_dsl.backends.cupy_gpu.spell import Lines, block, number
from statmech_dsl.backends.cupy_gpu.sweep_source import lane_of_tile
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.backends.numba_cpu.verdicts import ALWAYS, ALWAYS64, BY_EXPONENT
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.rng import TILE, TILE_LANES

GATHER = ["const u32 sweep", "float* bits"]
WORDS = [
    "const u32 sweep",
    "const u64 seed",
    "const u32 tile",
    "const u32* __restrict__ replica",
    "u32* words",
]
DECIDE = [
    "const u32 sweep",
    "const u64 seed",
    "const u32 first",
    "const u32 last",
    "const u32* __restrict__ replica",
    "const double* __restrict__ beta",
    "const float* __restrict__ exponent",
    "const float* __restrict__ width",
    "const float* __restrict__ fields",
    "float* bits",
    "const u32 first_source",
    "const u32 n_sources",
    "const double* __restrict__ matrix",
    "const float* __restrict__ digits",
    "const u32* __restrict__ words",
    "const double base",
    "const float* __restrict__ scale",
    "const float* __restrict__ slack",
    "const double* __restrict__ offset",
    "const double* __restrict__ constant",
    "const double* __restrict__ error",
]
"""The kernels' own parameters. ``matrix`` and ``digits`` have sources from ``first_source`` on."""


@cache
def header() -> str:
    """What decisions stand on."""
    doubles = {"WIDER": WIDER, "LARGEST_SLACK": LARGEST_SLACK, "ALWAYS64": ALWAYS64, "LOG2E": LOG2E}
    floats = {"ALWAYS": ALWAYS, "BY_EXPONENT": BY_EXPONENT}
    lines = [f"#define {name} {number(x)}" for name, x in doubles.items()]
    lines += [f"#define {name} {number(float(x), 'float32')}" for name, x in floats.items()]
    return "\n".join([*lines, Path(__file__).with_name("dense.cuh").read_text()])


def gather_source(p: LoweredPass, program: Program) -> Source:
    """The kernel ``gather``: the sources as rows of 0 and 1."""
    assert p.dense is not None
    names = Names(program.model)
    body: Lines = []
    before = ""
    for v in p.dense.sources:
        x = names.states[v]
        high = int(max(program.model.variable(v).domain.values or ()))
        rows = f"(u64)S{x[1:]} * R"
        to = f"bits[{before}item]"
        body += block(f"EACH(item, {rows})", [f"{to} = {x}[item] == {high} ? 1.0f : 0.0f;"])
        before += f"{rows} + "
    return finished("gather", names, GATHER, body)


def words_source(p: LoweredPass, number: int, program: Program, layout: Layout) -> Source:
    """The kernel ``words``: the random words of all ranks of a tile."""
    names = Names(program.model)
    printer = PassPrinter(p, number, 0, names, layout)
    body = [
        "const u32 r = item % R, lane = item / R;",
        f"Stream g = {printer.stream('r')};",
        f"for (u32 k = lane; k < {TILE}; k += {TILE_LANES}) words[k * (u64)R + r] = next(g);",
    ]
    return finished("words", names, WORDS, block(f"EACH(item, {TILE_LANES} * (u64)R)", body))


def decide_source(p: LoweredPass, number: int, program: Program, layout: Layout) -> Source:
    """The kernel ``decide``: new values of the sites of a panel."""
    assert p.dense is not None
    names = Names(program.model)
    printer = PassPrinter(p, number, 0, names, layout)
    own = _own_row(p, names)
    if p.dense.method == "products":
        note = [f"bits[{own} * R + r] = (float)v;"] if own else []
        ranks = ["const u32 w0 = next(g);", *_decide(p, printer, []), *note]
        body = lane_of_tile(printer, ranks)
    else:
        changes = _changes(own) if own else []
        ranks = [
            f"const u32 w0 = words[k % {TILE} * (u64)R + r];",
            *_decide(p, printer, changes),
            *(_note(own) if own else []),
        ]
        body = block(
            "EACH(r, R)",
            [
                *printer.before(),
                "u32 changed = 0, raised = 0;",
                *block("for (u32 k = first; k < last; ++k)", ranks),
            ],
        )
    return finished("decide", names, DECIDE, body, header())


def _own_row(p: LoweredPass, names: Names) -> str:
    """Where the sources have the site of rank k, if they have it."""
    assert p.dense is not None
    if p.variable not in p.dense.sources:
        return ""
    before = p.dense.sources[: p.dense.sources.index(p.variable)]
    return "(" + " + ".join(["(u64)k", *(f"S{names.states[v][1:]}" for v in before)]) + ")"


def _decide(p: LoweredPass, printer: PassPrinter, changes: Lines) -> Lines:
    """From the field of the site of rank k to its new value: v is 1 for the high one."""
    assert p.dense is not None
    low, high = int(p.dense.low), int(p.dense.high)
    state = printer.names.element(printer.names.states[p.variable], p.variable, 0, "k")
    kind = printer.names.storage(p.variable)
    return [
        "const u32 row = k - first;",
        "float high = fields[row * (u64)R + r], low = fields[(last - first + row) * (u64)R + r];",
        *changes,
        "const float field = (float)(offset[k] + (base * (double)high + (double)low));",
        "u32 v = verdict(field * scale[k] * exponent[r], slack[k] * width[r], w0);",
        *block(
            "if (v == CLOSE)",
            [
                "const double* const couplings = matrix + row * (u64)n_sources;",
                "const float* const from = bits + first_source * (u64)R + r;",
                "const double e = constant[k] + row_sum(couplings, from, n_sources, R);",
                "v = second_verdict(e, error[k], beta_r, w0);",
            ],
        ),
        *block("if (v == CLOSE)", [*printer.decide(), f"v = {state} == {high};"]),
        *block("else", [f"{state} = ({kind})(v ? {high} : {low});"]),
    ]


def _changes(own: str) -> Lines:
    """Add to a field what sites of the panel have changed since the product."""
    at = f"{own.replace('(u64)k', '(u64)first')} + i"
    return block(
        "for (u32 rest = changed; rest; rest &= rest - 1)",
        [
            "const u32 i = __ffs(rest) - 1;",
            "const float* const digit = digits + row * (u64)n_sources + " + at + ";",
            "const float sign = raised >> i & 1 ? 1.0f : -1.0f;",
            "high = fmaf(sign, digit[0], high);",
            "low = fmaf(sign, digit[(last - first) * (u64)n_sources], low);",
        ],
    )


def _note(own: str) -> Lines:
    """Remember a change."""
    return [
        f"float& bit = bits[{own} * R + r];",
        *block("if (bit != (float)v)", ["changed |= 1u << row;", "raised |= v << row;"]),
        "bit = (float)v;",
    ]
