"""The CUDA source of a bit-sliced program: one kernel that sweeps, counts, and goes on, all in one launch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from statmech_dsl import rng
from statmech_dsl.backends.cupy_gpu.bit_sliced import sums_source, sweep_source
from statmech_dsl.backends.cupy_gpu.bit_sliced.sweep_source import Pass
from statmech_dsl.backends.cupy_gpu.bit_sliced.tables import LISTED
from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Terms
from statmech_dsl.backends.cupy_gpu.runtime import runtime
from statmech_dsl.backends.cupy_gpu.source import THREADS
from statmech_dsl.backends.cupy_gpu.spell import Lines, block, indent
from statmech_dsl.ir.bits import Bits
from statmech_dsl.ir.kernel import Program

_CONSTANTS = {
    "BIT_STREAM": f"{rng.BIT_STREAM}u",
    "TAIL": str(rng.TAIL),
    "SFC64_C": f"{rng.SFC64_C}ull",
    "GOLDEN": f"{rng.GOLDEN}ull",
    "MIX1": f"{rng.MIX1}ull",
    "MIX2": f"{rng.MIX2}ull",
    "LISTED": f"{LISTED}u",
}
_COMMON = [
    "u32 sweep0",
    "u32 n",
    "u64 seed",
    "u32 draws",
    "u32 size_of_draw",
    "u64* out",
    "const u32* numbers",
]
_FOLDED = ["u32 replicas", "u32 size", "u64 lanes"]
_SLICED = ["u32 groups"]


@dataclass(frozen=True)
class Source:
    """Text of a kernel, and the names of its arguments after the counter of meetings."""

    text: str
    arguments: tuple[str, ...]


def source(program: Program, bits: Bits, passes: list[Terms], sums: dict[int, Terms]) -> Source:
    """The kernel ``run``: ``draws`` times n sweeps and, if ``out`` has room, counts of each sum.

    ``passes`` are the terms of passes and ``sums`` those of sums that have any, by number.
    """
    folded = bits.fold is not None
    states = {v.name: f"x{k}" for k, v in enumerate(program.model.variables)}
    arguments = [*_COMMON, *(_FOLDED if folded else _SLICED)]
    arguments += [f"word* {x.upper()}" for x in states.values()]
    if folded:
        arguments += [f"u32 rows{x[1:]}" for x in states.values()]
    sweeps: Lines = []
    for k, (p, form, terms) in enumerate(zip(program.passes, bits.passes, passes, strict=True)):
        printed = Pass(k, p.stream, form, terms, states[p.variable], states)
        arguments += sweep_source.parameters(printed, folded)
        sweeps += sweep_source.sweep(printed, folded)
    counts: Lines = []
    count = sums_source.words if folded else sums_source.replicas
    for k, terms in sums.items():
        arguments += sums_source.parameters(f"_{k}", folded)
        reads = [(q, states[c.variable]) for q, c in enumerate(terms.columns)]
        counts += count(f"_{k}", k, len(bits.sums), terms, reads)
    t = "for (u32 sweep = sweep0 + draw * n; sweep != sweep0 + (draw + 1) * n; ++sweep)"
    body = [
        *([] if folded else ["const u32 stride = groups * sizeof(word);"]),
        "EACH(i, (u64)draws * size_of_draw) out[i] = 0;",
        "MEET;",
        *block(
            "for (u32 draw = 0; draw < draws; ++draw)",
            [*block(t, sweeps), *block("if (size_of_draw)", [*counts, "MEET;"])],
        ),
    ]
    parameters = ",\n".join(indent(["u64* meeting", *map(_restricted, arguments)]))
    head = f'extern "C" __global__ void __launch_bounds__({THREADS}) run(\n{parameters}) {{'
    text = "\n".join([_header(folded), "", head, *indent(body), "}", ""])
    return Source(text, tuple(x.split()[-1] for x in arguments))


def _header(folded: bool) -> str:
    files = ("bits.cuh", "words.cuh" if folded else "quads.cuh")
    own = [Path(__file__).with_name(name).read_text() for name in files]
    constants = [f"#define {name} {value}" for name, value in _CONSTANTS.items()]
    return "\n".join([runtime(), *constants, *own])


def _restricted(parameter: str) -> str:
    """Tables are never written, so they may be read through the cache for constants."""
    return (
        parameter.replace("* ", "* __restrict__ ") if parameter.startswith("const") else parameter
    )
