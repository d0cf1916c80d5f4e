"""Source of the kernel of a cluster move: ties printed from their expressions, within a fixed frame."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.collective.clusters.definition import CERTAIN
from statmech_dsl.backends.numba_cpu.spell import RUNTIME_NAMES, Shared, spell
from statmech_dsl.ir.clusters import Clusters, Tie
from statmech_dsl.ir.draws import Let, meaning
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import Expr, call, read
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.rng import MOVE_STREAM

Lines = list[str]
HEAD = f"""import numpy as np
from numba import njit
from statmech_dsl.backends.collective.clusters.runtime import U, join, keyed_word, part
from statmech_dsl.backends.numba_cpu.runtime import {RUNTIME_NAMES}

inline = njit(error_model="numpy", forceinline=True, nogil=True)
"""
FRAME = """@njit(cache=True, error_model="numpy", nogil=True)
def kernel(first, last, sweep, n, replicas, betas, key0, key1, pointer, ties, others, {arrays}):
    n_sites = {x}s.shape[1] // {components}
    label, marked = np.empty(n_sites, np.uint32), np.zeros(n_sites + 1, np.uint8)
{offsets}
    for r in range(first, last):
        beta, replica = betas[r], U(replicas[r])
{rows}
        for t in range(sweep, sweep + n):
            for k in range({times}):
                stream = U({stream}) | (U(k) << U(8))
                low, high, choice, place = philox(U(0), replica, U(t), stream, key0, key1)
                key = low | (high << U(32))
{body}
"""
ALL_BEGIN = """for i in range(n_sites):
    label[i], marked[i] = i, 0"""
ALL_PAIRS = """for b in range(len({first})):
    if {tied}:
        join(label, {first}[b], {second}[b])"""
ALL_FIELDS = """for b in range(len({first})):
    if {tied}:
        marked[{first}[b]] = 1"""
ALL_END = """for i in range(n_sites):
    label[i] = label[label[i]]
    if marked[i]:
        marked[label[i]] = 1
for f in range(len({free})):
    i = {free}[f]
    if label[i] == i and not marked[i]:
        word = keyed_word(key, {n_ties} + i)
        marked[i] = {chosen}
    change = marked[label[i]]
    if change != 1:
{reflect}"""
ONE_BEGIN = """chosen = part(place, len({free}) + 1)
if chosen == len({free}):
    continue
label[0] = {free}[chosen]"""
ONE_GROW = """marked[label[0]] = 1
head, tail, held = 0, 1, False
while head < tail and not held:
    i = label[head]
    head += 1
    for e in range(pointer[i], pointer[i + 1]):
        b, j = ties[e], others[e]
        if marked[j]:
            continue
{decide}
        if tied and j == n_sites:
            held = True
        elif tied:
            marked[j] = 1
            label[tail] = j
            tail += 1
for f in range(tail):
    i = label[f]
    marked[i] = 0
    if not held:
{reflect}"""


def indent(text: str, levels: int) -> str:
    """Lines further to the right."""
    return "\n".join("    " * levels + line for line in text.splitlines())


class ClusterSource:
    """The kernel of a move: its text, and the variables and tables that it takes, in order."""

    def __init__(self, move: Clusters, model: ModelIR) -> None:
        self.move, self.model = move, model
        self.variables: list[str] = []
        self.tables: list[str] = []
        variable = model.variable(move.variable)
        self.components = variable.domain.components
        values = variable.domain.values
        self.lowest = int(values[0]) if values else 0
        self.n_values = len(values or ())
        self.x, self.free = self._variable(move.variable), self._table(variable.free)
        self.image: list[str] = []
        prologue = self._prologue()
        functions = [self._tie(k, t) for k, t in enumerate(move.ties)]
        body = "\n".join([*prologue, *(self._one() if move.one else self._all())])
        offsets = ["    offset0 = 0"] + [
            f"    offset{k + 1} = offset{k} + len({self._table(t.sites[0])})"
            for k, t in enumerate(move.ties)
        ]
        frame = FRAME.format(
            arrays=", ".join([*(f"{v}s" for v in map(self._variable, self.variables)), *self._names()]),
            x=self.x,
            components=self.components,
            offsets="\n".join(offsets),
            rows=indent("\n".join(f"{v} = {v}s[r]" for v in map(self._variable, self.variables)), 2),
            times=move.times,
            stream=move.stream | MOVE_STREAM,
            body=indent(body, 4),
        )
        self.text = "\n\n".join([HEAD, *(text for text, _ in functions), frame])

    # ---- names ------------------------------------------------------------------------------------

    def _variable(self, name: str) -> str:
        if name not in self.variables:
            self.variables.append(name)
        return f"x{self.variables.index(name)}"

    def _table(self, name: str) -> str:
        if name not in self.tables:
            self.tables.append(name)
        return f"t{self.tables.index(name)}"

    def _names(self) -> list[str]:
        return [self._table(name) for name in self.tables]

    # ---- the reflection ---------------------------------------------------------------------------

    def _prologue(self) -> Lines:
        """Choose the seed, if there is one, and the axis."""
        begin = [ONE_BEGIN.format(free=self.free)] if self.move.one else []
        if self.move.mirrors is None:
            return [*begin, *self._axis()]
        mirrors, self.image = self._table(self.move.mirrors), ["mirror"]
        if self.move.picks is None:
            return [f"mirror = {mirrors}[part(choice, len({mirrors}))]"]
        picks = self._table(self.move.picks)
        return [
            *begin,
            f"row = {picks}[np.int64({self.x}[label[0]]) - {self.lowest}]",
            "if row[0] == 0:",
            "    continue",
            f"mirror = {mirrors}[row[1 + part(choice, row[0])]]",
        ]

    def _axis(self) -> Lines:
        """Draw the axis of a reflection of real values."""
        assert self.move.reflection is not None
        lines: Lines = []
        bound: dict[str, str] = {}
        used = 0

        def leaf(e: Expr) -> str | None:
            return bound[e.attr] if e.op == "read" else None  # type: ignore[index]

        for s in self.move.reflection.axis:
            lets: Sequence[Let] = (s,) if isinstance(s, Let) else ()
            if not isinstance(s, Let):
                drawn = [f"u{used + k}" for k in range(s.words)]
                for k in range(used, used + s.words):
                    if k % 4 == 0:
                        counter = f"U({1 + k // 4}), replica, U(t), stream, key0, key1"
                        lines.append(f"w0, w1, w2, w3 = philox({counter})")
                    lines.append(f"u{k} = uniform(w{k % 4})")
                used += s.words
                bound |= {name: name for name in drawn}
                m = meaning(s, tuple(read(name) for name in drawn))  # type: ignore[arg-type]
                lets = (*m.lets, Let(s.name, m.result))
            for q in lets:
                name = f"axis{len(bound)}"
                lines.append(f"{name} = {spell(q.expr, leaf)}")
                bound[q.name] = name
        self._bound = bound
        self.image = [name for name in bound.values() if name.startswith("axis")]
        return lines

    def _reflected(self, site: str) -> tuple[Lines, list[str], list[str]]:
        """Lines, then names of the present value of a site and of its reflected value."""
        n = self.components
        old, new = [f"old{k}" for k in range(n)], [f"new{k}" for k in range(n)]
        place = f"{self.x}[{site} * {n} + {{}}]" if n > 1 else f"{self.x}[{site}]"
        lines = [f"old{k} = np.float64({place.format(k)})" for k in range(n)]
        if self.move.mirrors is not None:
            image = f"mirror[np.int64({self.x}[{site}]) - {self.lowest}]"
            return [*lines, f"new0 = np.float64({image})"], old, new
        assert self.move.reflection is not None
        names = self._bound | {f"old.{k}": f"old{k}" for k in range(n)}

        def leaf(e: Expr) -> str | None:
            return names[e.attr] if e.op == "read" else None  # type: ignore[index]

        for k, q in enumerate(self.move.reflection.image):
            lines.append(f"image{k} = {spell(q.expr, leaf)}")
            names[q.name] = f"image{k}"
        lines += [f"new{k} = {spell(e, leaf)}" for k, e in enumerate(self.move.reflection.value)]
        return lines, old, new

    def _reflect(self) -> str:
        """Lines that reflect site i."""
        if self.move.mirrors is not None:
            return f"{self.x}[i] = mirror[np.int64({self.x}[i]) - {self.lowest}]"
        lines, _, new = self._reflected("i")
        n = self.components
        stores = [
            f"{self.x}[i * {n} + {k}] = {name}" if n > 1 else f"{self.x}[i] = {name}"
            for k, name in enumerate(new)
        ]
        return "\n".join([*lines, *stores])

    # ---- ties -------------------------------------------------------------------------------------

    def _tie(self, number: int, tie: Tie) -> tuple[str, str]:
        """The function that decides on a tie, and how it is called for number b."""
        n = self.components
        first, *second = map(self._table, tie.sites)
        arguments = [self.x, first, *second]
        lines, old, new = self._reflected("i")
        slots: list[str] = []
        if second:
            lines.append(f"j = {second[0]}[b]")
            for k in range(n):
                place = f"j * {n} + {k}" if n > 1 else "j"
                lines.append(f"near{k} = np.float64({self.x}[{place}])")
                slots.append(f"near{k}")
        for c in tie.columns:
            index = "0"
            if c.index is not None:
                arguments.append(self._table(c.index))
                index = f"{arguments[-1]}[b]"
            if c.kind == "coefficient":
                arguments.append(self._table(c.array))
                place = index
            else:
                arguments.append(self._variable(c.array))
                m = self.model.variable(c.array).domain.components
                place = f"{index} * {m} + {c.component}" if m > 1 else index
            slots.append(f"column{len(slots)}")
            lines.append(f"{slots[-1]} = np.float64({arguments[-1]}[{place}])")
        names = {"beta": "beta"}
        names |= {f"old.{k}": name for k, name in enumerate(old)}
        names |= {f"new.{k}": name for k, name in enumerate(new)}

        def leaf(e: Expr) -> str | None:
            if e.op == "slot":
                return slots[e.attr]  # type: ignore[index]
            return names[e.attr] if e.op == "read" else None  # type: ignore[index]

        shared = Shared()
        free = spell(call("weight2", tie.log_free * LOG2E), leaf, shared)
        lines += [*shared.take(), f"return uniform(keyed_word(key, word)) < minimum(1.0 - {free}, {CERTAIN!r})"]
        given = ", ".join(["key", "beta", *self.image, *dict.fromkeys(arguments)])
        head = f"@inline\ndef tie{number}(b, word, {given}):\n    i = {first}[b]\n"
        self._given = getattr(self, "_given", []) + [given]
        return head + indent("\n".join(lines), 1), given

    def _tied(self, number: int, b: str, word: str) -> str:
        return f"tie{number}({b}, {word}, {self._given[number]})"

    # ---- frames -----------------------------------------------------------------------------------

    def _all(self) -> Lines:
        lines = [ALL_BEGIN]
        for k, t in enumerate(self.move.ties):
            first, *second = map(self._table, t.sites)
            tied = self._tied(k, "b", f"offset{k} + b")
            if second:
                lines.append(ALL_PAIRS.format(first=first, second=second[0], tied=tied))
            else:
                lines.append(ALL_FIELDS.format(first=first, tied=tied))
        if self.move.recolor:
            chosen, reflect = f"2 + part(word, {self.n_values})", f"{self.x}[i] = {self.lowest} + change - 2"
        else:
            chosen, reflect = "2 if word < U(1 << 31) else 1", self._reflect()
        lines.append(
            ALL_END.format(
                free=self.free,
                n_ties=f"offset{len(self.move.ties)}",
                chosen=chosen,
                reflect=indent(reflect, 2),
            )
        )
        return lines

    def _one(self) -> Lines:
        decide = ["tied = False"]
        for k in range(len(self.move.ties)):
            decide += [
                f"{'elif' if k else 'if'} b < offset{k + 1}:",
                f"    tied = {self._tied(k, f'b - offset{k}', 'b')}",
            ]
        reflect = indent(self._reflect(), 2)
        return [ONE_GROW.format(decide=indent("\n".join(decide), 2), reflect=reflect)]
