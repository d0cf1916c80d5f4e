"""Print the sweep kernel: all passes and colors of n sweeps in one launch."""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.adding import add_energies, add_sums
from statmech_dsl.backends.cupy_gpu.field_printer import FieldPrinter
from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.printer import PassPrinter
from statmech_dsl.backends.cupy_gpu.source import Source, finished
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.backends.numba_cpu.features import features_of
from statmech_dsl.ir.kernel import FieldForm, LoweredPass, Program
from statmech_dsl.rng import TILE, TILE_LANES

FIRST = [
    "const u32 n_sweeps",
    "const u32 first_sweep",
    "const u64 seed",
    "const u32* __restrict__ replica",
    "const double* __restrict__ beta",
    "u64* accepted",
    "const double* __restrict__ law_table",
    "const u32 law_size",
    "const double law_low",
    "const double law_inverse",
    "const double* __restrict__ params",
    "double* scratch",
    "double* energy",
]
"""The first parameters of the sweep kernel, after those that every kernel has."""


def sweep_source(program: Program, layout: Layout, width: int) -> Source:
    """The kernel ``sweep``, for a multiple of ``width`` replicas."""
    names = Names(program.model, features_of(program))
    passes: Lines = []
    n_params = 0
    for number, p in enumerate(program.passes):
        arguments = (p, number, n_params, names, layout)
        field = isinstance(p.field, FieldForm)
        printer = FieldPrinter(*arguments, width) if field else PassPrinter(*arguments)
        lines = _exclusive(p, printer) if p.exclusive else _by_color(p, printer)
        passes += block(f"for (u32 again = 0; again < {p.times}; ++again)", lines)
        n_params += len(p.params)
    # Sums and energies are exact at the beginning of a sweep, so no drift builds up.
    restart = add_sums(program.model, names, False)
    if program.needs_energy:
        restart += add_energies(program.model, names, "energy", None, False)
    head = "for (u32 sweep = first_sweep; sweep != first_sweep + n_sweeps; ++sweep)"
    return finished("sweep", names, FIRST, block(head, [*restart, *passes]))


def _by_color(p: LoweredPass, printer: PassPrinter) -> Lines:
    """A stage for each color."""
    segments = printer.names.copy(p.segments)
    return block(
        f"for (u32 color = 0; color + 1 < {printer.names.size(Table('copy', p.segments))}; ++color)",
        [
            f"const u32 first = {segments}[color], last = {segments}[color + 1];",
            *lane_of_tile(printer, printer.lines()),
            "MEET;",
        ],
    )


def lane_of_tile(printer: PassPrinter, ranks: Lines) -> Lines:
    """A stage in which a thread visits those ranks of one lane of a tile that lie from first to last."""
    width = printer.width
    item = [
        f"const u32 {printer.replica} = item % (R / {width}) * {width};",
        f"const u64 rest = item / (R / {width});",
        f"const u32 lane = rest % {TILE_LANES}, tile = first / {TILE} + rest / {TILE_LANES};",
        f"const u32 begin = tile * {TILE} + lane, end = least(last, (tile + 1) * {TILE}u);",
        f"const u32 before = begin < first ? (first - begin + {TILE_LANES - 1}) / {TILE_LANES} : 0;",
        f"u32 k = begin + {TILE_LANES} * before;",
        "if (k >= end) continue;",
        *printer.begin(),
        *block(f"for (; k < end; k += {TILE_LANES})", ranks),
        *printer.after(),
    ]
    tiles = f"((last + {TILE - 1}) / {TILE} - first / {TILE})"
    return block(f"EACH(item, (u64){tiles} * {TILE_LANES} * (R / {width}))", item)


def _exclusive(p: LoweredPass, printer: PassPrinter) -> Lines:
    """One stage; a thread visits all ranks of a replica in turn."""
    seed = [f"const u32 tile = k / {TILE};", "#pragma unroll 1"]
    seed += block(
        f"for (u32 lane = 0; lane < {TILE_LANES}; ++lane)",
        [f"streams[lane] = {printer.stream('r')};"],
    )
    ranks = printer.lines()
    if p.words:
        ranks = [
            *block(f"if (k % {TILE} == 0)", seed),
            f"Stream& g = streams[k % {TILE_LANES}];",
            *ranks,
        ]
    item = [
        *([f"Stream streams[{TILE_LANES}];"] if p.words else []),
        *printer.before(),
        *block(f"for (u32 k = 0; k < {printer.ranks}; ++k)", ranks),
        *printer.after(),
    ]
    return [*block("EACH(r, R)", item), "MEET;"]
