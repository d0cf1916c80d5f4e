"""Print whole kernels: the sweep of a program, and the features of its states."""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.energy_source import (
    COMPILE,
    HEADER,
    Source,
    energies,
    running_sums,
    sum_buffers,
)
from statmech_dsl.backends.numba_cpu.features import features_of
from statmech_dsl.backends.numba_cpu.field_printer import FieldPrinter, of_chunk
from statmech_dsl.backends.numba_cpu.layouts import BLOCK, Layout, ReplicaLanes, SiteLanes
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.printer import PassPrinter
from statmech_dsl.backends.numba_cpu.spell import Shared, spell
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.kernel import FieldForm, LoweredPass, Program, Tally
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import TILE, TILE_LANES


def sweep_source(program: Program, tables: Tables, layout: Layout) -> Source:
    """The kernel that does n sweeps on the chunks c0 <= c < c1.

    With sites as lanes it can be held to some of the colors of a sweep (of all passes, one after the
    other) and to a share of each of them.
    """
    features = features_of(program)
    sites = isinstance(layout, SiteLanes)
    names = Names(program.model, tables, features)
    n_params = 0
    passes: Lines = []
    for number, p in enumerate(program.passes):
        printer = FieldPrinter if isinstance(p.field, FieldForm) else PassPrinter
        passes += _over_sites(p, printer(p, number, n_params, names, layout).lines(), names, layout)
        n_params += len(p.params)
    tallied = [k for k, p in enumerate(program.passes) if any(isinstance(s, Tally) for s in p.body)]
    states = list(names.states.values())
    chunk = "[c, :, 0]" if sites else "[c]"
    body = [f"X{x[1:]} = {x}{chunk}" for x in states]
    body += [f"{y} = F{y[1:]}{chunk}" for y in names.features.values()]
    if sites:
        body += ["beta_c = beta[c, 0]", "replica_c = U(replica[c, 0])"]
        body += [f"params{k}_c = params{k}[c, 0]" for k in range(n_params)]
    body += of_chunk(program, layout)
    restart = [] if sites else running_sums(program.model, names, layout)
    if program.needs_energy:
        assert isinstance(layout, ReplicaLanes)
        names.row("energy", "float64")
        restart += ["energy[:] = 0.0", *energies(program.model, names, layout, "energy", None)]
    body += [f"{names.row(f'tally{k}', 'float64')}[:] = 0.0" for k in tallied]
    start = ["stage = 0"] if sites else []
    body += ["for sweep in range(sweep0, sweep0 + n):", *indent([*restart, *start, *passes])]
    for k in tallied:
        lane = "0" if sites else "r"
        body += [
            f"for r in range({layout.width}):",
            f"    accepted[{k}, c, {lane}] += np.int64(tally{k}[r])",
        ]
    arguments = (
        "c0, c1, sum_sizes, n, sweep0, seed, replica, beta, accepted".split(", ")
        + (["stage0", "stage1", "part", "parts"] if sites else [])
        + ["law_table", "law_low", "law_inverse"]
        + [f"params{k}" for k in range(n_params)]
        + states
        + [f"F{y[1:]}" for y in names.features.values()]
        + list(names.tables.values())
    )
    text = [
        COMPILE,
        f"def kernel({', '.join(arguments)}):",
        "    key0, key1 = seed & MASK, seed >> U(32)",
        *indent(_buffers(program, names, layout)),
        "    for c in range(c0, c1):",
        *indent(body, 2),
    ]
    return Source(HEADER + "\n".join(text) + "\n", tuple(names.tables), features)


def _buffers(program: Program, names: Names, layout: Layout) -> Lines:
    out = [f"{r} = row({layout.width}, np.{kind})" for r, kind in sorted(names.rows.items())]
    out += [f"{r} = np.empty({layout.width}, np.{kind})" for r, kind in sorted(names.heap.items())]
    out += sum_buffers(names, layout.width)
    words = max((p.words for p in program.passes), default=0)
    if words and isinstance(layout, SiteLanes):
        out.append(f"W = np.empty(({words}, {TILE}), np.uint32)")
        out += [f"G{k} = np.empty({TILE_LANES}, np.uint32)" for k in range(3)]
    elif words:
        out += [f"G{k} = np.empty(({TILE_LANES}, {layout.width}), np.uint32)" for k in range(3)]
    return out


def _over_sites(p: LoweredPass, body: Lines, names: Names, layout: Layout) -> Lines:
    order = names.table(p.order)
    if isinstance(layout, ReplicaLanes):
        return [
            f"for k in range({order}.shape[0]):",
            *indent([f"i = {order}[k]", *body]),
        ]
    segments = names.table(p.segments)
    return [
        f"order = {order}",
        "tile = -1",
        f"for g in range({segments}.shape[0] - 1):",
        "    if stage0 <= stage < stage1:",
        f"        k, last = share({segments}[g], {segments}[g + 1], part, parts)",
        "        while k < last:",
        *indent([f"m = min({BLOCK} - k % {BLOCK}, last - k)", *body, "k += m"], 3),
        "    stage += 1",
    ]


def feature_source(program: Program) -> Source:
    """The kernel that computes the features of the states of the chunks c0 <= c < c1."""
    features = features_of(program)
    names = Names(program.model, {}, features)
    body: Lines = []
    for f, y in names.features.items():
        shared = Shared()
        e = f.at(read("x"), program.model)
        text = spell(e, lambda x: "np.float64(x[k])" if x.op == "read" else None, shared)
        body += [
            f"x, f = {names.states[f.variable]}[c].reshape(-1), F{y[1:]}[c].reshape(-1)",
            "for k in range(x.shape[0]):",
            *indent([*shared.take(), f"f[k] = {text}"]),
        ]
    arguments = [*names.states.values(), *(f"F{y[1:]}" for y in names.features.values())]
    text = [COMPILE, f"def kernel(c0, c1, {', '.join(arguments)}):", "    for c in range(c0, c1):"]
    return Source(HEADER + "\n".join([*text, *indent(body, 2)]) + "\n", (), features)
