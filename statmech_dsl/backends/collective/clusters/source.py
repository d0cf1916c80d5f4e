"""Source of the kernel of a cluster move: ties printed from their expressions, within a fixed frame."""

from __future__ import annotations

from collections.abc import Sequence

from statmech_dsl.backends.collective.clusters import frames, improved
from statmech_dsl.backends.collective.clusters.definition import CERTAIN
from statmech_dsl.backends.numba_cpu.spell import Shared, spell
from statmech_dsl.ir.clusters import Clusters, Tie, axis_lets
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import Expr, call
from statmech_dsl.ir.model import ModelIR
from statmech_dsl.rng import MOVE_STREAM

Lines = list[str]


class ClusterSource:
    """The kernel of a move: its text, and the variables and tables that it takes, in order.

    With ``looked_up``, ties are decided by limits of their words; ``uniform`` says that those of all ties of
    two sites are alike. ``degree`` is the number of such ties that every site has, or None.
    """

    def __init__(
        self,
        move: Clusters,
        model: ModelIR,
        *,
        looked_up: bool = False,
        uniform: bool = False,
        degree: int | None = None,
    ) -> None:
        self.move, self.model, self.looked_up = move, model, looked_up
        self._uniform, self._degree = uniform, degree
        self.variables: list[str] = []
        self.tables: list[str] = []
        variable = model.variable(move.variable)
        self.components = variable.domain.components
        values = variable.domain.values
        self.lowest = int(values[0]) if values else 0
        self.width = int(values[-1]) - self.lowest + 1 if values else 0
        self.n_values = len(values or ())
        self.sums = ["sums"] if move.reports else []
        self.x, self.free = self.variable(move.variable), self.table(variable.free)
        self.bound: dict[str, str] = {}
        prologue = self._prologue()
        ties = [] if looked_up else [TieSource(self, k, t) for k, t in enumerate(move.ties)]
        body = "\n".join([*prologue, *(self._one(ties) if move.one else self._all(ties))])
        states = [self.variable(name) for name in self.variables]
        self.text = "\n\n".join(
            [
                frames.HEAD,
                *(t.text for t in ties),
                frames.FRAME.format(
                    arrays=", ".join(
                        [*(f"{v}s" for v in states), *map(self.table, self.tables), *self.sums]
                    ),
                    x=self.x,
                    components=self.components,
                    rows=frames.indent("\n".join(f"{v} = {v}s[r]" for v in states), 2),
                    times=move.times,
                    stream=move.stream | MOVE_STREAM,
                    room=improved.ROOM if move.reports and not move.one else "",
                    block=frames.BLOCK,
                    body=frames.indent(body, 4),
                ),
            ]
        )

    # ---- names ------------------------------------------------------------------------------------

    def variable(self, name: str) -> str:
        """What the values of a variable are called."""
        if name not in self.variables:
            self.variables.append(name)
        return f"x{self.variables.index(name)}"

    def table(self, name: str) -> str:
        """What a table is called."""
        if name not in self.tables:
            self.tables.append(name)
        return f"t{self.tables.index(name)}"

    # ---- the reflection ---------------------------------------------------------------------------

    def _prologue(self) -> Lines:
        """Choose the seed, if there is one, and the axis."""
        begin = [frames.SEED.format(free=self.free)] if self.move.one else []
        if self.move.mirrors is None:
            return [*begin, *self._axis()]
        mirrors = self.table(self.move.mirrors)
        limit = [frames.LIMIT] if self.looked_up else []
        if self.move.picks is None:
            return [frames.MIRROR.format(mirrors=mirrors), *limit]
        picks = self.table(self.move.picks)
        pick = frames.PICK.format(picks=picks, x=self.x, lowest=self.lowest, mirrors=mirrors)
        return [*begin, pick, *limit]

    def _axis(self) -> Lines:
        """Draw the axis of a reflection of real values."""
        assert self.move.reflection is not None
        lets, n = axis_lets(self.move.reflection)
        lines: Lines = []
        for k in range(n):
            if k % 4 == 0:
                counter = f"U({1 + k // 4}), replica, U(t), stream, key0, key1"
                lines.append(f"w0, w1, w2, w3 = philox({counter})")
            lines.append(f"u{k} = uniform(w{k % 4})")
            self.bound[f"u.{k}"] = f"u{k}"
        for q in lets:
            name = f"axis{len(self.bound)}"
            lines.append(f"{name} = {spell(q.expr, names(self.bound))}")
            self.bound[q.name] = name
        return lines

    @property
    def image(self) -> list[str]:
        """What a reflection depends on."""
        if self.move.mirrors is not None:
            return ["mirror"]
        return [name for name in self.bound.values() if name.startswith("axis")]

    def value(self, site: str, k: int) -> str:
        """Component k of a site's value."""
        n = self.components
        return f"{self.x}[{site} * {n} + {k}]" if n > 1 else f"{self.x}[{site}]"

    def code(self, site: str) -> str:
        """The value of a site as a place in tables."""
        return f"np.int64({self.x}[{site}]) - {self.lowest}"

    def reflected(self, site: str) -> Lines:
        """Lines that bind the present value of a site and its reflected value."""
        if self.move.mirrors is not None:
            lines = [f"old0 = np.float64({self.value(site, 0)})"]
            return [*lines, f"new0 = np.float64(mirror[{self.code(site)}])"]
        assert self.move.reflection is not None
        lines, known = self.turned(site)
        value = self.move.reflection.value
        return [*lines, *(f"new{k} = {spell(e, names(known))}" for k, e in enumerate(value))]

    def turned(self, site: str) -> tuple[Lines, dict[str, str]]:
        """Lines that bind the present value of a site and what a reflection makes of it; the names."""
        assert self.move.reflection is not None
        n = self.components
        lines = [f"old{k} = np.float64({self.value(site, k)})" for k in range(n)]
        known = self.bound | {f"old.{k}": f"old{k}" for k in range(n)}
        for k, q in enumerate(self.move.reflection.image):
            lines.append(f"image{k} = {spell(q.expr, names(known))}")
            known[q.name] = f"image{k}"
        return lines, known

    def _reflect(self) -> str:
        """Lines that reflect site i."""
        if self.move.mirrors is not None:
            return f"{self.x}[i] = mirror[{self.code('i')}]"
        stores = [f"{self.value('i', k)} = new{k}" for k in range(self.components)]
        return "\n".join([*self.reflected("i"), *stores])

    # ---- frames -----------------------------------------------------------------------------------

    def _all(self, ties: list[TieSource]) -> Lines:
        """Swendsen and Wang's move."""
        lines = [frames.ALL_BEGIN]
        if self.move.held:
            lines.append(improved.HOLD.format(held=self.table(self.move.held)))
        for k, t in enumerate(self.move.ties):
            first, *second = map(self.table, t.sites)
            given = {"first": first, "second": second[0] if second else "", "k": k}
            if self.looked_up:
                frame = frames.LOOK_UP_PAIRS if second else frames.LOOK_UP_FIELDS
                given |= {"x": self.x, "lowest": self.lowest, "width": self.width}
                given["block"] = frames.BLOCK
            else:
                frame = frames.PAIRS if second else frames.FIELDS
                given |= {"tied": ties[k].call("b", f"offsets[{k}] + b")}
            lines.append(frame.format(**given))
        if self.move.recolor:
            chosen = f"U(2) + part(word, {self.n_values})"
            reflect = f"{self.x}[i] = {self.lowest} + np.int64(change) - 2"
        else:
            chosen, reflect = "2 if word < U(1 << 31) else 1", self._reflect()
        reflect = frames.indent(reflect, 2)
        return [
            *lines,
            frames.FIND,
            *self._reports(improved.OF_ALL),
            frames.CHANGE.format(
                free=self.free, n=len(self.move.ties), chosen=chosen, reflect=reflect
            ),
        ]

    def _one(self, ties: list[TieSource]) -> Lines:
        """Wolff's move."""
        given = {"x": self.x, "lowest": self.lowest, "width": self.width}
        given["start"] = "" if self._uniform else "U(places[e]) + "
        given["entries"] = frames.ENTRIES
        if self._degree is not None:
            given["entries"] = frames.REGULAR_ENTRIES.format(degree=self._degree)
        others = frames.LOOK_UP_OTHERS if self.looked_up else frames.OTHERS
        ghost = frames.LOOK_UP_GHOST if self.looked_up else frames.GHOST
        grow = []
        for frame, chosen in ((ghost, self.move.fields), (others, self.move.pairs)):
            if chosen:
                decide = frames.indent("\n".join(_decide(ties, chosen)), 1)
                grow.append(frames.indent(frame.format(decide=decide, **given), 1))
        reflect = frames.indent(self._reflect(), 2)
        return [
            frames.GROW.format(grow="\n".join(grow)),
            *self._reports(improved.OF_ONE),
            frames.TURN.format(reflect=reflect),
        ]

    def _reports(self, frame: str) -> Lines:
        """Lines that add to the sums of what is reported, before anything moves."""
        if not self.move.reports:
            return []
        if self.move.odd is not None:
            odd = [f"odd = {self.table(self.move.odd)}[which, {self.code('i')}]"]
        else:
            assert self.move.reflection is not None
            lines, known = self.turned("i")
            odd = [*lines, f"odd = {spell(self.move.reflection.odd, names(known))}"]
        share = "1.0"
        if self.move.picks:
            share = f"(row[0] / len({self.table(self.move.mirrors or '')}))"
        given = {"odd": frames.indent("\n".join(odd), 1), "share": share}
        lines = [frame.format(**given)]
        if self.move.forward:
            table = self.table(self.move.forward)
            lines.append(improved.CORRELATE.format(forward=table))
        return lines


def _decide(ties: list[TieSource], chosen: Sequence[Tie]) -> Lines:
    """Decide on the tie of number b, whatever its form."""
    lines = ["tied = False"]
    for t in ties:
        if t.tie in chosen:
            word = "if" if len(lines) == 1 else "elif"
            lines.append(f"{word} b < offsets[{t.number + 1}]:")
            lines.append(f"    tied = {t.call(f'b - offsets[{t.number}]', 'b')}")
    return lines


class TieSource:
    """The function that decides on the ties of one form."""

    def __init__(self, kernel: ClusterSource, number: int, tie: Tie) -> None:
        self.number, self.tie = number, tie
        first, *second = map(kernel.table, tie.sites)
        self._arguments = [kernel.x, first, *second]
        n = kernel.components
        lines, slots = [f"i = {first}[b]", *kernel.reflected("i")], []
        if second:
            lines.append(f"j = {second[0]}[b]")
            slots = [f"near{k}" for k in range(n)]
            lines += [f"near{k} = np.float64({kernel.value('j', k)})" for k in range(n)]
        for c in tie.columns:
            index = "0"
            if c.index is not None:
                index = f"{self._argument(kernel.table(c.index))}[b]"
            if c.kind == "coefficient":
                place = f"{self._argument(kernel.table(c.array))}[{index}]"
            else:
                m = kernel.model.variable(c.array).domain.components
                place = f"{self._argument(kernel.variable(c.array))}[{index} * {m} + {c.component}]"
            slots.append(f"column{len(slots)}")
            lines.append(f"{slots[-1]} = np.float64({place})")
        known = {f"old.{k}": f"old{k}" for k in range(n)} | {
            f"new.{k}": f"new{k}" for k in range(n)
        }
        shared = Shared()
        e = call("weight2", tie.log_free * LOG2E)
        free = spell(e, names(known | {"beta": "beta"}, slots), shared)
        probability = f"minimum(1.0 - {free}, {CERTAIN!r})"
        lines += [*shared.take(), f"return uniform(keyed_word(key, word)) < {probability}"]
        self._given = ", ".join(["key", "beta", *kernel.image, *dict.fromkeys(self._arguments)])
        self.text = f"@inline\ndef tie{number}(b, word, {self._given}):\n" + frames.indent(
            "\n".join(lines), 1
        )

    def _argument(self, name: str) -> str:
        self._arguments.append(name)
        return name

    def call(self, b: str, word: str) -> str:
        """Whether tie b is there, whose random word has a given number."""
        return f"tie{self.number}({b}, {word}, {self._given})"


def names(known: dict[str, str], slots: Sequence[str] = ()):
    """Print names and slots by what they are called."""

    def leaf(e: Expr) -> str | None:
        if e.op == "slot":
            return slots[e.attr]  # type: ignore[index]
        return known[e.attr] if e.op == "read" else None  # type: ignore[index]

    return leaf
