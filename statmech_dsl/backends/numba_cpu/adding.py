"""Print how the instances of families are added up: energies and sums, in the order of `ir.reduction`."""

from __future__ import annotations

from collections.abc import Callable

from statmech_dsl.backends.numba_cpu.body import Lines, indent
from statmech_dsl.backends.numba_cpu.layouts import BLOCK, Layout, ReplicaLanes, SiteLanes, cast
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.spell import Shared, spell
from statmech_dsl.backends.numba_cpu.whole import is_whole, spell_whole
from statmech_dsl.ir.expr import Expr, const
from statmech_dsl.ir.model import Column, Family, ModelIR
from statmech_dsl.ir.reduction import GROUP, front_and_inner, tree


def sum_buffers(model: ModelIR, names: Names, layout: Layout) -> Lines:
    """Running sums; their sizes are arguments: the source holds no size."""
    return [
        f"{names.sums[s.name]} = np.empty((sum_sizes[{k}], {layout.width}))"
        for k, s in enumerate(model.sums)
    ]


def term_buffers(model: ModelIR, layout: Layout) -> Lines:
    """What waits to be added up: [instance, lane] and the sum of each lane, or [instance] of one replica.

    Of one replica what the slots of a block read is gathered first: loops that gather stay scalar.
    """
    if isinstance(layout, ReplicaLanes):
        return [f"terms = np.empty(({GROUP}, {layout.lanes}))", f"added = np.empty({layout.lanes})"]
    slots = max((len(f.columns) for f in model.families), default=0)
    return [f"terms = np.empty({BLOCK})", *(f"p{k} = np.empty({BLOCK})" for k in range(slots))]


def add_sums(model: ModelIR, names: Names, layout: Layout) -> Lines:
    """Add up all sums of a model from scratch.

    Sweeps begin with it: running sums are exact then, so no drift builds up.
    """
    out = [f"{names.sums[s.name]}[:] = 0.0" for s in model.sums]
    for f in model.families:
        if f.feeds is not None:
            array = names.sums[f.feeds]
            out += _add_family(f, names, layout, lambda e, r, array=array: f"{array}[{e}, {r}]")
    return out


def add_energies(
    model: ModelIR, names: Names, layout: Layout, tempered: str, fixed: str | None
) -> Lines:
    """Add the energy families to one number for each lane."""
    out: Lines = []
    for f in model.energy_families:
        array = tempered if f.tempered else fixed
        if array is not None:
            out += _add_family(f, names, layout, lambda e, r, array=array: f"{array}[{r}]")
    return out


Target = Callable[[str, str], str]
"""Spelling of what an element e and a lane r add into."""


def _add_family(f: Family, names: Names, layout: Layout, target: Target) -> Lines:
    add = _add_in_lanes if isinstance(layout, ReplicaLanes) else _add_alone
    return add(f, names, layout, target)  # type: ignore[arg-type]


def _count(f: Family, names: Names) -> str:
    indexed = [c.index for c in f.columns if c.index] + ([f.element] if f.element else [])
    return f"{names.table(indexed[0])}.shape[0]" if indexed else "1"


def _front(f: Family, names: Names) -> str:
    """What all instances share, as a factor to print before their sum."""
    front, _ = front_and_inner(f)
    tables = [names.table(c.array) if c.kind == "coefficient" else "" for c in f.columns]
    return "" if front == const(1.0) else f"{spell(front, _slots([f'{x}[0]' for x in tables]))} * "


def _group(term: Callable[[str], str]) -> str:
    return str(tree([term(f"g + {k}") for k in range(GROUP)], lambda x, y: f"({x} + {y})"))


def _add_in_lanes(f: Family, names: Names, layout: ReplicaLanes, target: Target) -> Lines:
    """Group by group, each in all lanes."""
    _, inner = front_and_inner(f)
    element = None if f.element is None else names.table(f.element)
    into = "added[r]" if element is None else target("e", "r")
    before: Lines = []
    slots: list[str] = []
    for k, column in enumerate(f.columns):
        lines, spelling = _load_lanes(names, layout, column, f"q{k}")
        before += lines
        slots.append(spelling)
    shared = Shared()
    term = spell(inner, _slots(slots), shared)
    count = _count(f, names)
    alike = f" and {element}[d] == {element}[d + {GROUP - 1}]" if element else ""
    lines = [
        f"for d in range(0, {count}, {GROUP}):",
        f"    m = min({GROUP}, {count} - d)",
        "    for b in range(m):",
        *indent([*before, layout.loop, *indent([*shared.take(), f"terms[b, r] = {term}"])], 2),
        f"    if m == {GROUP}{alike}:",
        *([f"        e = {element}[d]"] if element else []),
        *indent(
            [layout.loop, f"    {into} = {into} + {_group(lambda b: f'terms[{b[4:]}, r]')}"], 2
        ),
        "    else:",
        "        for b in range(m):",
        *([f"            e = {element}[d + b]"] if element else []),
        *indent([layout.loop, f"    {into} = {into} + terms[b, r]"], 3),
    ]
    if element is not None:
        return lines
    total = target("0", "r")
    last = [layout.loop, f"    {total} = {total} + {_front(f, names)}added[r]"]
    return ["added[:] = 0.0", *lines, *last]


def _add_alone(f: Family, names: Names, layout: SiteLanes, target: Target) -> Lines:
    """Blocks of instances of one replica: all terms of a block, then their sum."""
    _, inner = front_and_inner(f)
    element = None if f.element is None else names.table(f.element)
    before: Lines = []
    slots: list[str] = []
    for k, column in enumerate(f.columns):
        lines, spelling = _load(names, column, f"q{k}")
        before += lines
        slots.append(spelling)
    count, total = _count(f, names), target("0", "0")
    start = [
        f"for d in range(0, {count}, {BLOCK}):",
        f"    m = min({BLOCK}, {count} - d)",
        *indent(before),
    ]
    if element is None and is_whole(inner, f, names.model):
        add = f"added = added + {spell_whole(inner, lambda k: slots[k])}"
        lines = ["added = np.int64(0)", *start, "    for r in range(m):", f"        {add}"]
        return [*lines, f"{total} = {total} + {_front(f, names)}np.float64(added)"]
    gathered = [k for k, c in enumerate(f.columns) if c.index is not None]
    gather = [f"    p{k}[r] = {slots[k]}" for k in gathered]
    shared = Shared()
    rows = [f"p{k}[r]" if k in gathered else x for k, x in enumerate(slots)]
    term = spell(inner, _slots(rows), shared)
    each = "for r in range(m):"
    fill = [each, *gather] if gather else []
    fill += [each, *indent([*shared.take(), f"terms[r] = {term}"])]
    group = _group(lambda b: f"terms[{b}]")
    if element is None:
        add = [
            f"full = m - m % {GROUP}",
            f"for g in range(0, full, {GROUP}):",
            f"    added = added + {group}",
            "for b in range(full, m):",
            "    added = added + terms[b]",
        ]
        lines = ["added = 0.0", *start, *indent([*fill, *add])]
        return [*lines, f"{total} = {total} + {_front(f, names)}added"]
    into = target("e", "0")
    add = [
        f"for g in range(0, m, {GROUP}):",
        f"    if g + {GROUP} <= m and {element}[d + g] == {element}[d + g + {GROUP - 1}]:",
        f"        e = {element}[d + g]",
        f"        {into} = {into} + {group}",
        "    else:",
        f"        for b in range(g, min(g + {GROUP}, m)):",
        f"            e = {element}[d + b]",
        f"            {into} = {into} + terms[b]",
    ]
    return [*start, *indent([*fill, *add])]


def _slots(spelled: list[str]) -> Callable[[Expr], str | None]:
    return lambda e: spelled[e.attr] if e.op == "slot" else None  # type: ignore[index]


def _load_lanes(names: Names, layout: ReplicaLanes, column: Column, tag: str) -> tuple[Lines, str]:
    """Lines before a loop over lanes, and the spelling of what a column reads in instance d + b."""
    index = "0" if column.index is None else f"{names.table(column.index)}[d + b]"
    kind = "float64"
    if column.kind == "coefficient":
        load = layout.coefficient(names, column.array, index, tag, "float64")
    elif column.kind == "sum":
        load = layout.state(names, names.sums[column.array], kind, index, tag)
    else:
        array, place = names.state(column.array), names.place(column.array, index, column.component)
        kind = names.kind(array)
        load = layout.state(names, array, kind, place, tag)
    return list(load.before), cast(load.text, kind, "float64")


def _load(names: Names, column: Column, tag: str) -> tuple[Lines, str]:
    """Lines before a block, and the spelling of what a column reads in instance d + r."""
    assert column.kind != "sum", "running sums tie sites together: they need replica lanes"
    array = names.table(column.array) if column.kind == "coefficient" else ""
    if column.index is None:
        return [f"{tag} = {array}[0]"], tag
    lines = [f"{tag} = {names.table(column.index)}[d : d + m]"]
    if column.kind == "coefficient":
        return lines, f"{array}[{tag}[r]]"
    place = names.place(column.array, f"{tag}[r]", column.component)
    return lines, f"{names.state(column.array)}[{place}]"
