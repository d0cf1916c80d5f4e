"""Print how the instances of families are added up: energies and sums."""

from __future__ import annotations

from collections.abc import Callable

from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.spell import Lines, Shared, block, spell
from statmech_dsl.backends.numba_cpu.whole import is_whole
from statmech_dsl.ir.expr import Expr
from statmech_dsl.ir.model import Family, ModelIR
from statmech_dsl.ir.reduction import GROUP, front_and_inner, tree

NO_UNROLL = "#pragma unroll 1"
"""Before loops that are short, or whose bodies are long: otherwise a kernel compiles for seconds."""


def add_sums(model: ModelIR, names: Names, several: bool) -> Lines:
    """Add up all sums of a model from scratch."""
    out: Lines = []
    for s in model.sums:
        for k, f in enumerate(model.feeding(s.name)):
            total = f"{names.sums[s.name]}[(u64)e * R + r]"
            out += _add_family(f, names, total, k == 0, several)
    return out


def add_energies(
    model: ModelIR, names: Names, tempered: str, fixed: str | None, several: bool
) -> Lines:
    """Add the energy families to one number for each replica."""
    out: Lines = []
    for which, array in ((True, tempered), (False, fixed)):
        families = [f for f in model.energy_families if f.tempered == which and array]
        for k, f in enumerate(families):
            out += _add_family(f, names, f"{array}[r]", k == 0, several)
    return out


def _add_family(f: Family, names: Names, total: str, fresh: bool, several: bool) -> Lines:
    """Two stages: the parts, then the sums of the parts. A ``fresh`` total is not read but set.

    In ``several`` parts an element has the value of the definition up to roundings, and exactly that if it is
    a whole number, or small.
    """
    front, inner = front_and_inner(f)
    how = "several" if several or is_whole(inner, f, names.model) else "one"
    parts = names.table(Table("parts", f.name, how))
    starts = names.table(Table("starts", f.name, how))
    n_parts = names.size(Table("parts", f.name, how))
    n_elements = f"({names.size(Table('starts', f.name, how))} - 1)"
    columns = ("e", "first", "last", "number", "step")
    shared, slots = Shared("y"), _Slots(f, names)
    value = spell(inner, slots, shared)
    term = block(
        "const auto term = [&](const u32 m) -> double",
        [*slots.loads, *shared.take(), f"return {value};"],
    )
    term[-1] += ";"
    # Sums of several elements go on from the total of the families before.
    begin = "0.0" if fresh or f.element is None else f"(number ? 0.0 : {total})"
    group = tree([f"t[{j}]" for j in range(GROUP)], lambda x, y: f"({x} + {y})")
    add = "added = added + term(m);"
    adding = [
        "const u32 r = item % R, p = item / R;",
        *(f"const u32 {x} = {parts}[{k} * {n_parts} + p];" for k, x in enumerate(columns)),
        f"const u32 low = (first + {GROUP - 1}) / {GROUP}, high = last / {GROUP};",
        *term,
        f"double added = {begin};",
        *block(
            "if (number == 0)",
            [NO_UNROLL, f"for (u32 m = first; m < least({GROUP} * low, last); ++m) {add}"],
        ),
        NO_UNROLL,
        *block(
            "for (u32 g = low + number; g < high; g += step)",
            [
                f"double t[{GROUP}];",
                "#pragma unroll",
                f"for (u32 j = 0; j < {GROUP}; ++j) t[j] = term({GROUP} * g + j);",
                f"added = added + {group};",
            ],
        ),
        *block(
            "if (number == step - 1 && low <= high)",
            [NO_UNROLL, f"for (u32 m = {GROUP} * high; m < last; ++m) {add}"],
        ),
        "scratch[item] = added;",
    ]
    end = "added" if f.element is not None else f"{_front(front, f, names)} * added"
    if not fresh and f.element is None:
        end = f"{total} + {end}"
    # An element without an instance in this family keeps its total.
    begin = "0.0" if fresh or f.element is None else total
    joining = [
        "const u32 r = item % R, e = item / R;",
        f"const u32 first = {starts}[e], last = {starts}[e + 1];",
        f"double added = first < last ? scratch[(u64)first * R + r] : {begin};",
        NO_UNROLL,
        "for (u32 p = first + 1; p < last; ++p) added = added + scratch[(u64)p * R + r];",
        f"{total} = {end};",
    ]
    return [
        *block(f"EACH(item, (u64){n_parts} * R)", adding),
        "MEET;",
        *block(f"EACH(item, (u64){n_elements} * R)", joining),
        "MEET;",
    ]


def _front(front: Expr, f: Family, names: Names) -> str:
    """What all instances share."""
    scalar: Callable[[Expr], str | None] = lambda e: (  # noqa: E731
        names.scalar(f.columns[e.attr].array) if e.op == "slot" else None  # type: ignore[index]
    )
    shared = Shared()
    text = spell(front, scalar, shared)
    assert not shared.take(), "a product of scalars calls no function"
    return text


class _Slots:
    """Spells the slots of instance m; what is read of a table is loaded once."""

    def __init__(self, f: Family, names: Names) -> None:
        self.f, self.names = f, names
        self.loads: Lines = []
        self._known: set[str] = set()

    def __call__(self, e: Expr) -> str | None:
        if e.op != "slot":
            return None
        k: int = e.attr  # type: ignore[assignment]
        c, names = self.f.columns[k], self.names
        if c.kind == "coefficient":
            if c.index is None:
                return names.scalar(c.array)
            return self._load(k, f"{names.table(Table('values', c.index, c.array, 'float64'))}[m]")
        if c.kind == "sum":
            element = "0" if c.index is None else f"{names.copy(c.index)}[m]"
            return self._load(k, f"{names.sums[c.array]}[(u64){element} * R + r]")
        row = f"{names.table(Table('rows', c.index or '', c.array))}[m]"
        return self._load(k, names.element(names.states[c.array], c.array, c.component, row))

    def _load(self, k: int, text: str) -> str:
        if f"q{k}" not in self._known:
            self._known.add(f"q{k}")
            self.loads.append(f"const double q{k} = (double){text};")
        return f"q{k}"
