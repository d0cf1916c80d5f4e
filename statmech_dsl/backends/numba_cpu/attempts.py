"""Print rejection loops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from statmech_dsl.backends.numba_cpu.body import Lines, indent, outliving
from statmech_dsl.backends.numba_cpu.layouts import SiteLanes
from statmech_dsl.backends.numba_cpu.spell import Shared, number
from statmech_dsl.ir.draws import AT_ONCE, Attempts, Let
from statmech_dsl.ir.expr import call, const
from statmech_dsl.rng import MAX_ATTEMPTS, STREAM_STRIDE

if TYPE_CHECKING:
    from statmech_dsl.backends.numba_cpu.printer import PassPrinter


def attempts(printer: PassPrinter, s: Attempts) -> Lines:
    """A few attempts for all lanes at once, further ones lane by lane, then the result."""
    loop, open_ = printer.layout.loop, f"{printer.row('open')}[r]"
    missing = f"{open_} != {number(0.0, printer.real)}"
    kept = {n: printer.name(n) for n in sorted(outliving(s))}
    out: Lines = []
    for k in range(AT_ONCE):
        body = _attempt(printer, s, printer.uniforms(printer.slot, s.words // AT_ONCE))
        printer.slot += s.words // AT_ONCE
        for n, row in kept.items():
            new = printer.inside[n]
            body.append(f"{row} = {new} if {missing} else {row}" if k else f"{row} = {new}")
        body.append(f"{open_} = rejected" if k == 0 else f"{open_} = {open_} * rejected")
        out += [loop, *indent(body)]
    again = [
        "attempt += 1",
        f"a0, a1, a2, a3 = philox({_counter(printer)}, key0, key1)",
        *_attempt(printer, s, [printer.uniform(f"a{k}") for k in range(s.words // AT_ONCE)]),
        *(f"{row} = {printer.inside[n]}" for n, row in kept.items()),
        f"{open_} = rejected",
    ]
    lane = [
        f"attempt = {AT_ONCE}",
        f"while {missing} and attempt < {MAX_ATTEMPTS}:",
        *indent(again),
    ]
    printer.inside, printer.shared = {}, Shared()
    result = printer.bind(printer.name(s.name), s.result)
    result.append(f"if {missing}: {printer.name(s.name)} = {number(math.nan, printer.real)}")
    return [*out, loop, *indent(lane), loop, *indent(result)]


def _attempt(printer: PassPrinter, s: Attempts, u: list[str]) -> Lines:
    """One attempt; what it binds stays inside until it is accepted."""
    printer.inside, printer.shared = {}, Shared()
    body: Lines = []
    for q in s.body:
        local = printer.names.local(q.name, printer.number, "attempt")
        if isinstance(q, Let):
            body += printer.bind(local, q.expr)
            printer.inside[q.name] = local
        else:
            printer.inside[q.name] = local
            mine, u = u[: q.words], u[q.words :]
            body += printer.draw(q, mine)
    return [*body, *printer.bind("rejected", call("eq", s.accept, const(0.0)))]


def _counter(printer: PassPrinter) -> str:
    stream = f"U({printer.p.stream} + {STREAM_STRIDE} * attempt)"
    if isinstance(printer.layout, SiteLanes):
        return f"U(k + r), replica_c, U(sweep), {stream}"
    return f"U(k), U(replica[c, r]), U(sweep), {stream}"
