"""The part of `explain` about kernels: which tier runs a model, why not a faster one, generated source."""

from __future__ import annotations

from collections.abc import Iterator

from statmech_dsl.backends import BACKENDS
from statmech_dsl.backends.collective import KINDS
from statmech_dsl.backends.collective.clusters import why_not
from statmech_dsl.backends.numba_cpu import build
from statmech_dsl.backends.numba_cpu.bit_sliced import BitKernels
from statmech_dsl.backends.numba_cpu.kernels import NumbaKernels
from statmech_dsl.engine.choose import choose_backend, gains_from, seat_of
from statmech_dsl.ir.clusters import Clusters
from statmech_dsl.ir.kernel import FieldForm, LoweredPass
from statmech_dsl.ir.listing import listing
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.lower.dense import dense_form
from statmech_dsl.lower.pipeline import Lowered

MANY_REPLICAS = 64
FIELD_TIER = {
    "fields": "local fields of all sites, moved by every flip",
    "products": "local fields of a color by one matrix product",
    "lookups": "local fields of a color, sums of four couplings by lookup",
}
Forms = dict[int, Lowered]
"""A model lowered for one replica and for many."""


def kernels(forms: Forms, ir: ModelIR) -> Iterator[str]:
    """Backend, law, and how one replica and many of them run."""
    yield "; ".join([f"backend: {choose_backend('auto').name}", *_cards(forms)])
    (law,) = {lowered.program.law for lowered in forms.values()}
    yield f"law: {law}"
    many = forms[MANY_REPLICAS]
    for move in many.program.collective:
        seat = seat_of(move, many.program, many.tables, MANY_REPLICAS)
        left = KINDS[type(move)].left(seat)
        where = (
            "left to the processor: every sweep copies the state there and back"
            if left
            else "made there"
        )
        yield f"{move.variable}: on a card, {move.name} is {where}"
    for n, lowered in forms.items():
        if lowered.program.passes:
            built = _built(lowered, n)
            yield f"{n} replica{'s' * (n != 1)}: {built.describe()}"
            if lowered.program.bits is None:
                yield from _tiers(built.program.passes, lowered, ir)
                yield f"    not the bit-sliced tier: {lowered.unsliced}"
        yield from _single_clusters(lowered, n)


def _single_clusters(lowered: Lowered, n: int) -> Iterator[str]:
    """Whether single clusters of many replicas are moved at once, or why not."""
    for move in lowered.program.collective:
        if n == MANY_REPLICAS and isinstance(move, Clusters) and move.one:
            seat = seat_of(move, lowered.program, lowered.tables, n)
            reason, unsliced = why_not(seat), lowered.unsliced
            yield f"{n} replicas: {move.update} of {move.variable}: {'one by one' if reason else 'in bits'}"
            if reason:
                yield f"    not in bits: {unsliced if move.sliced and unsliced else reason}"


def _cards(forms: Forms) -> Iterator[str]:
    """Cards that can run here, and from how many replicas on they are taken."""
    plain = forms[MANY_REPLICAS]
    for backend in BACKENDS.values():
        if backend.gains_from is not None and backend.missing() is None:
            least = gains_from(backend, plain.program, plain.tables, MANY_REPLICAS)
            yield (
                f"{backend.name} when asked for"
                if least is None
                else (f"{backend.name} from {least} replica{'s' * (least != 1)} on")
            )


def _tiers(passes: tuple[LoweredPass, ...], lowered: Lowered, ir: ModelIR) -> Iterator[str]:
    """The kind of kernel of each pass as it was built, and why it is not a faster one."""
    together = all(p.dense for p in passes)
    for p in passes:
        if p.dense and together:
            yield f"    {p.variable}: dense field tier, {FIELD_TIER[p.dense.method]}"
            continue
        if isinstance(p.field, FieldForm):
            yield f"    {p.variable}: field tier, decided in float32, in float64 where that is too close"
        else:
            yield f"    {p.variable}: generic tier, in {p.real}, not the field tier: {p.field}"
        yield f"    {p.variable}: not the dense field tier: {_not_dense(p, ir, lowered)}"


def _not_dense(p: LoweredPass, ir: ModelIR, lowered: Lowered) -> str:
    if p.dense:
        return "not all variables are dense"
    return str(dense_form(p, ir, lowered.tables))


def source(forms: Forms, ir: ModelIR) -> str:
    """What each update does, as comments, then the generated source."""
    blocks = []
    plain = forms[MANY_REPLICAS]
    for p in plain.program.passes:
        lines = [f"{p.name} of {p.variable}", *listing(p, ir, plain.tables)]
        blocks.append("\n".join(f"# {line}" for line in lines))
    for n, lowered in forms.items():
        if lowered.program.passes:
            title = f"# ---- {n} replica{'s' * (n != 1)} ".ljust(100, "-")
            blocks.append(f"{title}\n{_built(lowered, n).source().rstrip()}")
    for move in plain.program.collective:
        seat = seat_of(move, plain.program, plain.tables, MANY_REPLICAS)
        title = f"# ---- {move.update} of {move.variable} ".ljust(100, "-")
        blocks.append(f"{title}\n{KINDS[type(move)].compiled(seat, 1).source().rstrip()}")
    return "\n\n".join(blocks)


def _built(lowered: Lowered, n: int) -> NumbaKernels | BitKernels:
    return build(lowered.program, lowered.tables, n, 1)
