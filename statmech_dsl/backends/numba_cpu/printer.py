"""Print a pass as Numba source.

Every site (or block of sites) goes through separate short loops over the lanes: gather the local energies
into rows, then draw and store, reading rows and the own site only. Fused into one loop, LLVM gives up on
the aliasing checks without a word and the code runs several times slower. Rows lie on the stack for the
same reason: LLVM knows that nothing else overlaps with them.
"""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.attempts import attempts
from statmech_dsl.backends.numba_cpu.body import Lines, crossing, groups_of, indent
from statmech_dsl.backends.numba_cpu.features import Feature, has_expensive
from statmech_dsl.backends.numba_cpu.incidences import accumulate, bump
from statmech_dsl.backends.numba_cpu.layouts import Layout, ReplicaLanes, SiteLanes, cast
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.spell import Shared, spell
from statmech_dsl.ir.draws import Attempts, Draw, Let, meaning
from statmech_dsl.ir.expr import Expr, read, reads_of, slot, slots_of, substitute
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, LoweredPass, Move, Statement, Tally
from statmech_dsl.ir.ops import Real
from statmech_dsl.rng import TILE, TILE_LANES, TILE_STREAM, WARM_UP


class PassPrinter:
    """Prints the body of one pass for a site, or for a block of sites, in the generic tier."""

    def __init__(
        self, p: LoweredPass, number: int, first_param: int, names: Names, layout: Layout
    ) -> None:
        self.p, self.number, self.names, self.layout = p, number, names, layout
        self.params = {q.name: first_param + k for k, q in enumerate(p.params)}
        self.use(p.real)
        # The functions of a proposed value serve its energy and its features.
        self.groups = groups_of(p.body, whole=bool(self._moved()) and _is_choice(p.body[-1]))
        self.outliving = crossing(self.groups)
        self.inside: dict[str, str] = {}
        self.slot = self.drawn = 0
        self.shared = Shared()
        self.views: dict[str, str] = {}
        self.present: dict[str, str] = {}
        self.later: list[tuple[str, Expr, str]] = []

    def use(self, real: Real) -> None:
        """Print in a precision, which is that of the pass but in the field tier."""
        self.real: Real = real
        self.features = {
            f: y
            for f, y in self.names.features.items()
            if (f.real, f.stored) == (self.p.real, real)
        }

    def lines(self) -> Lines:
        """The code for the site of rank k (and of its block)."""
        return [*words(self), *self.decide()]

    def decide(self) -> Lines:
        """The code from random words to the new value."""
        body = [line for group in self.groups for line in self._group(group)]
        views = [f"{name} = {view}" for name, view in self.views.items()]
        own = [f"{row}[r] = {value}" for row, value in self.present.items()]
        return [*views, *([self.layout.loop, *indent(own)] if own else []), *body]

    def _group(self, group) -> Lines:
        match group:
            case Accumulate():
                return accumulate(self, group)
            case Attempts():
                return attempts(self, group)
            case Bump():
                return bump(self, group)
        self.shared = Shared()
        body = [line for s in group for line in self._statement(s)]
        out = [self.layout.loop, *indent(body)] if body else []
        last = isinstance(group[-1], Assign)
        return [*out, *self._late_features(), *self._store()] if last else out

    # ---- names ------------------------------------------------------------------------------------

    def name(self, n: str) -> str:
        """How a bound name is spelled inside a loop over lanes."""
        if n in self.inside:
            return self.inside[n]
        kind, _, rest = n.partition(".")
        if kind == "old" and rest.isdigit():
            return self._own(f"old{rest}", self.names.state(self.p.variable), int(rest))
        if n == "beta":
            return self._of_replica("beta")
        if n in self.params:
            return self._of_replica(f"params{self.params[n]}")
        if kind == "coefficient":
            return f"{self.names.table(rest)}[0]"
        if kind == "sum":
            return f"{self.names.sums[rest]}[0, r]"
        if n == "energy":
            return "energy[r]"
        local = self.names.local(n, self.number, self.real)
        if n not in self.outliving:
            return local
        return f"{self.names.row(local, self.real)}[r]"

    def _of_replica(self, name: str) -> str:
        """A number of the replica; in float32 it is rounded when the kernel comes to a chunk."""
        if self.real == "float64":
            return self.layout.of_replica(name)
        return self.names.single(name, isinstance(self.layout, ReplicaLanes))

    def _own(self, row: str, array: str, k: int) -> str:
        """A row with what an array holds before the move for visited value k, if need be a copy."""
        view = self.layout.own_row(self.names, array, self.p.variable, k)
        if view and self.names.kind(array) == self.real:
            self.views[f"{row}_here"] = view
            return f"{row}_here[r]"
        value = self.layout.own(self.names, array, self.p.variable, k)
        row = self.row(row)
        self.present[row] = cast(value, self.names.kind(array), self.real)
        return f"{row}[r]"

    def leaf(self, e: Expr) -> str | None:
        """A name, or a feature of the site's present value."""
        if e.op == "read":
            return self.name(e.attr)  # type: ignore[arg-type]
        names = reads_of(e)
        if len(names) != 1 or slots_of(e) or not (n := names.pop()).startswith("old."):
            return None
        k = int(n.removeprefix("old."))
        function = substitute(e, lambda x: slot(0) if x == read(n) else None)
        component = k % self.names.components(self.p.variable)
        f = Feature(self.p.variable, component, function, self.p.real, self.real)
        return (
            self._own(f"old{k}_{self.features[f]}", self.features[f], k)
            if f in self.features
            else None
        )

    def spell(self, e: Expr) -> str:
        """Print an expression inside a loop over lanes."""
        return spell(e, self.leaf, self.shared, self.real)

    def bind(self, target: str, e: Expr, how: str = "=") -> Lines:
        """Lines that put the value of an expression into a variable."""
        text = self.spell(e)
        return [*self.shared.take(), f"{target} {how} {text}"]

    # ---- statements inside a loop over lanes --------------------------------------------------------

    def _statement(self, s: Statement) -> Lines:
        match s:
            case Let(name, e):
                return self.bind(self.name(name), e)
            case Tally(e):
                shared, text = self.shared, self.spell(e)
                row = self.names.row(f"tally{self.number}", "int32")
                return [*shared.take(), f"{row}[r] += np.int32({text})"]
            case Move(e):
                return self.bind(f"{self.names.row('energy', 'float64')}[r]", e, "+=")
            case Assign(value):
                return [x for k, e in enumerate(value) for x in self._assign(k, e)]
        u = self.uniforms(self.slot, s.words)  # type: ignore[union-attr]
        self.slot += s.words  # type: ignore[union-attr]
        return self.draw(s, u)  # type: ignore[arg-type]

    def uniforms(self, first: int, n: int) -> list[str]:
        """Random words number ``first`` and so on of the site, as numbers in (0, 1)."""
        return [self.uniform(self.layout.word(first + j)) for j in range(n)]

    def uniform(self, word: str) -> str:
        """A random word as a number in (0, 1)."""
        return f"uniform{'' if self.real == 'float64' else 'f'}({word})"

    def draw(self, s: Draw, u: list[str]) -> Lines:
        """Lines that bind a draw, given its uniforms."""
        bound = [f"u{self.drawn + k}" for k in range(len(u))]
        self.drawn += len(u)
        m = meaning(s, tuple(read(f"@{x}") for x in bound))
        self.inside |= {f"@{x}": x for x in bound}
        lines = [f"{x} = {value}" for x, value in zip(bound, u, strict=True)]
        for q in (*m.lets, Let(s.name, m.result)):
            lines += self.bind(self.name(q.name), q.expr)
        return lines

    # ---- the new value ------------------------------------------------------------------------------

    def _assign(self, k: int, e: Expr) -> Lines:
        """The new value and its features, in rows."""
        new = self.row(f"new{k}")
        out = self.bind(f"{new}[r]", e)
        for f, y in self._moved():
            if f.component != k % self.names.components(self.p.variable):
                continue
            row = self.names.row(f"new{k}_{y}", f.stored)
            if (f.real, f.stored) != (self.real, self.real):
                out += self._feature_of_new(f, row, new)
            elif e.op == "where":  # the functions of a proposed value are at hand
                out += self.bind(f"{row}[r]", f.at(e, self.names.model))
            else:
                self.later.append((row, f.at(read("@new"), self.names.model), f"{new}[r]"))
        return out

    def _late_features(self) -> Lines:
        """Features in a loop of their own: smaller loops are vectorized better."""
        self.shared, body = Shared(), []
        for row, e, new in self.later:
            self.inside = {"@new": new}
            body += self.bind(f"{row}[r]", e)
        return [self.layout.loop, *indent(body)] if body else []

    def _feature_of_new(self, f: Feature, row: str, new: str) -> Lines:
        """A feature in another precision than that of the new value, which is exact in both."""
        e = f.at(read("@new"), self.names.model)
        real = f.real if has_expensive(e) else f.stored
        value = f"np.{real}({new}[r])"
        text = spell(e, lambda x: value if x.op == "read" else None, self.shared, real)
        return [*self.shared.take(), f"{row}[r] = {text}"]

    def row(self, name: str) -> str:
        """A row in the precision of this printer."""
        suffix = "" if self.real == "float64" else "f"
        return self.names.row(f"{name}{suffix}", self.real)

    def _moved(self) -> list[tuple[Feature, str]]:
        return [(f, y) for f, y in self.names.features.items() if f.variable == self.p.variable]

    def _store(self) -> Lines:
        """A loop of its own: a scatter would keep the arithmetic from being vectorized."""
        v, n = self.p.variable, self.names.components(self.p.variable)
        every = range(len(self.p.ends) * n)
        targets = [(self.names.state(v), k, self.row(f"new{k}")) for k in every]
        targets += [
            (y, k, f"new{k}_{y}") for f, y in self._moved() for k in every if k % n == f.component
        ]
        return [
            self.layout.loop,
            *indent(
                f"{self.layout.own(self.names, array, v, k)} = {self.names.store(array, f'{row}[r]')}"
                for array, k, row in targets
            ),
        ]


def _is_choice(s: Statement) -> bool:
    return isinstance(s, Assign) and any(e.op == "where" for e in s.value)


def words(printer: PassPrinter) -> Lines:
    """The random words of the site, or in W those of its tile."""
    p, w = printer.p, printer.p.words
    if not w:
        return []
    stream = f"U({p.stream | TILE_STREAM})"
    if isinstance(printer.layout, SiteLanes):
        counter = f"U(tile * {TILE_LANES}), U(replica_c), U(sweep), {stream}"
        return [
            f"if k // {TILE} != tile:",
            f"    tile = k // {TILE}",
            f"    tile_words(W, {w}, {counter}, key0, key1, G)",
            f"first = k % {TILE}",
        ]
    return words_of_replicas(printer.layout.width, w, stream)


def words_of_replicas(lanes: int, w: int, stream: str) -> Lines:
    """The words of the site of rank k where lanes are replicas; G holds three rows of states of streams."""
    n = TILE_LANES * lanes
    counter = f"U(k // {TILE} * {TILE_LANES} + lane), U(sweep), {stream}, key0, key1"
    step = f"k % {TILE} // {TILE_LANES} * {w} + {WARM_UP + 1}"
    return [
        f"if k % {TILE} == 0:",
        f"    for lane in range({TILE_LANES}):",
        f"        seed_replicas({lanes}, G, lane * {lanes}, replica, c * {lanes}, {counter}, {n})",
        f"draw({lanes}, G, k % {TILE_LANES} * {lanes}, words, 0, U32({step}), {n}, {w}, {lanes})",
    ]
