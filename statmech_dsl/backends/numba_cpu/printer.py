"""Print a pass as Numba source.

Every site (or block of sites) goes through separate short loops over the lanes: gather the local energies
into rows, then draw and store, reading rows and the own site only. Fused into one loop, LLVM gives up on
the aliasing checks without a word and the code runs several times slower.
"""

from __future__ import annotations

from collections.abc import Iterable

from statmech_dsl.backends.numba_cpu.layouts import (
    UNROLL,
    Layout,
    SiteLanes,
    irregular_bounds,
    regular_bounds,
)
from statmech_dsl.backends.numba_cpu.names import Names
from statmech_dsl.backends.numba_cpu.spell import Shared, spell
from statmech_dsl.ir.draws import Attempts, Draw, Let, meaning
from statmech_dsl.ir.expr import Expr, call, const, read, reads_of
from statmech_dsl.ir.kernel import (
    Accumulate,
    Assign,
    Bump,
    Gather,
    LoweredPass,
    Move,
    Role,
    Statement,
    Tally,
)
from statmech_dsl.rng import (
    MAX_ATTEMPTS,
    STREAM_STRIDE,
    TILE,
    TILE_LANES,
    TILE_STREAM,
    WARM_UP,
)

Lines = list[str]


def indent(lines: Iterable[str], levels: int = 1) -> Lines:
    """Lines moved to the right."""
    return ["    " * levels + line for line in lines]


class PassPrinter:
    """Prints the body of one pass for a site, or for a block of sites.

    ``rows`` collects the names that outlive a loop and need a number for each lane.
    """

    def __init__(
        self, p: LoweredPass, number: int, first_param: int, names: Names, layout: Layout
    ) -> None:
        self.p, self.number, self.names, self.layout = p, number, names, layout
        self.params = {q.name: first_param + k for k, q in enumerate(p.params)}
        self.groups = _groups(p.body)
        self.rows = _crossing(self.groups)
        self.slot = 0
        self.shared = Shared()

    def lines(self) -> Lines:
        """The code for the site of rank k (and of its block)."""
        out = [*self._words(), *self._present()]
        for group in self.groups:
            match group:
                case Accumulate():
                    out += self._accumulate(group)
                case Attempts():
                    out += self._attempts(group)
                case Bump():
                    out += self._bump(group)
                case _:
                    body = [line for s in group for line in self._statement(s)]
                    out += [self.layout.loop, *indent(body)]
                    if isinstance(group[-1], Assign):
                        out += self._store(group[-1])
        return out

    # ---- names ------------------------------------------------------------------------------------

    def name(self, n: str) -> str:
        """How a bound name is spelled inside a loop over lanes."""
        kind, _, rest = n.partition(".")
        if kind == "old" and rest.isdigit():
            return f"old{rest}[r]"
        if n == "beta":
            return self.layout.replica_number("beta")
        if n in self.params:
            return self.layout.replica_number(f"params{self.params[n]}")
        if kind == "coefficient":
            return f"{self.names.table(rest)}[0]"
        if kind == "sum":
            return f"{self.names.sums[rest]}[0, r]"
        if n == "energy":
            return "energy[r]"
        if kind == "@word":
            return rest
        local = self.names.local(n, self.number)
        return f"{local}[r]" if n in self.rows else local

    def spell(self, e: Expr, slots: list[str] | None = None) -> str:
        """Print an expression inside a loop over lanes."""
        return spell(e, lambda k: (slots or [])[k], self.name, self.shared)

    def bind(self, target: str, e: Expr, how: str = "=") -> Lines:
        """Lines that put the value of an expression into a variable."""
        text = self.spell(e)
        return [*self.take_shared(), f"{target} {how} {text}"]

    def take_shared(self) -> Lines:
        """Lines that bind the expensive calls spelled since the last time, and a fresh start."""
        lines, self.shared = self.shared.lines, Shared()
        return lines

    def _present(self) -> Lines:
        """The present value in rows, where the body reads it."""
        read_by = {n for group in self.groups for n in _reads(group)}
        n = self.names.components(self.p.variable)
        own = [
            f"old{k}[r] = {self.layout.own(self.names, self.p.variable, k)}"
            for k in range(n)
            if f"old.{k}" in read_by
        ]
        return [self.layout.loop, *indent(own)] if own else []

    # ---- random words -----------------------------------------------------------------------------

    def _words(self) -> Lines:
        w = self.p.words
        if not w:
            return []
        replica = "U(replica_c)" if isinstance(self.layout, SiteLanes) else "replica[c]"
        counter = f"U(tile * {TILE_LANES}), {replica}, U(sweep), U({self.p.stream | TILE_STREAM})"
        if isinstance(self.layout, SiteLanes):
            return [
                f"if k // {TILE} != tile:",
                f"    tile = k // {TILE}",
                f"    tile_words(W[:{w}], {counter}, key0, key1, G0, G1, G2)",
                f"first = k % {TILE}",
            ]
        return [
            f"if k % {TILE} == 0:",
            f"    tile = k // {TILE}",
            f"    seed_tile(G0, G1, G2, {counter}, key0, key1)",
            f"lane = k % {TILE_LANES}",
            "g0, g1, g2 = G0[lane], G1[lane], G2[lane]",
            f"step = U32(k % {TILE} // {TILE_LANES} * {w} + {WARM_UP + 1})",
            *(line for j in range(w) for line in self._word(j)),
        ]

    def _word(self, slot: int) -> Lines:
        return [
            self.layout.loop,
            *indent(
                [
                    f"a0, a1, a2, word = sfc32(g0[r], g1[r], g2[r], U32(step + U32({slot})))",
                    "g0[r], g1[r], g2[r] = a0, a1, a2",
                    f"W[{slot}, r] = uniform(word)",
                ]
            ),
        ]

    def _uniforms(self, n: int) -> tuple[Expr, ...]:
        words = [self.layout.word(self.slot + j) for j in range(n)]
        self.slot += n
        return tuple(read(f"@word.{w}") for w in words)

    # ---- statements inside a loop over lanes --------------------------------------------------------

    def _statement(self, s: Statement) -> Lines:
        match s:
            case Let(name, e):
                return self.bind(self.name(name), e)
            case Tally(e):
                return self.bind(f"tally{self.number}[r]", e, "+=")
            case Move(e):
                return self.bind("energy[r]", e, "+=")
            case Assign(value):
                return [x for k, e in enumerate(value) for x in self.bind(f"new{k}[r]", e)]
            case _:
                return self._draw(s, self._uniforms(s.words))  # type: ignore[union-attr, arg-type]

    def _store(self, s: Assign) -> Lines:
        """A loop of its own: a scatter would keep the arithmetic from being vectorized."""
        v = self.p.variable
        return [
            self.layout.loop,
            *indent(
                f"{self.layout.target(self.names, v, k)} = {self.names.store(v, f'new{k}[r]')}"
                for k in range(len(s.value))
            ),
        ]

    def _draw(self, s: Draw, u: tuple[Expr, ...]) -> Lines:
        m = meaning(s, u)
        bound = (*m.lets, Let(s.name, m.result))
        return [x for q in bound for x in self.bind(self.name(q.name), q.expr)]

    def _attempts(self, s: Attempts) -> Lines:
        """The first attempt for all lanes at once, further ones lane by lane, then the result."""
        pending = call("eq", s.accept, const(0.0))
        first = [*self._attempt(s, f"{STREAM_STRIDE}"), *self.bind("open[r]", pending)]
        again = [
            "attempt = 1",
            f"while open[r] != 0.0 and attempt < {MAX_ATTEMPTS}:",
            "    attempt += 1",
            *indent(
                [
                    *self._attempt(s, f"{STREAM_STRIDE} * attempt"),
                    *self.bind("open[r]", pending),
                ]
            ),
        ]
        result = self.bind(self.name(s.name), s.result)
        result.append(f"if open[r] != 0.0: {self.name(s.name)} = np.nan")
        loop = self.layout.loop
        return [loop, *indent(first), loop, *indent(again), loop, *indent(result)]

    def _attempt(self, s: Attempts, offset: str) -> Lines:
        if isinstance(self.layout, SiteLanes):
            rank, replica = "U(k + r)", "replica_c"
        else:
            rank, replica = "U(k)", "U(replica[c, r])"
        stream = f"U({self.p.stream} + {offset})"
        body = [f"a0, a1, a2, a3 = philox({rank}, {replica}, U(sweep), {stream}, key0, key1)"]
        slot = 0
        for q in s.body:
            if isinstance(q, Let):
                body += self.bind(self.name(q.name), q.expr)
            else:
                u = tuple(read(f"@word.uniform(a{slot + j})") for j in range(q.words))
                slot += q.words
                body += self._draw(q, u)
        return body

    # ---- incidences -------------------------------------------------------------------------------

    def _loads(self, role: Role, entry: str, tag: str) -> tuple[Lines, list[str]]:
        before: Lines = []
        slots: list[str] = []
        for k, column in enumerate(role.columns):
            lines, spelling = self.layout.load(self.names, column, entry, f"{tag}_{k}")
            before += lines
            slots.append(spelling)
        return before, slots

    def _accumulate(self, s: Accumulate) -> Lines:
        out: Lines = []
        started: set[str] = set()
        unrolled = [
            (g, d)
            for g in s.gathers
            if g.role.degree is not None and g.role.degree <= UNROLL
            for d in range(g.role.degree)
        ]
        others = [g for g in s.gathers if g.role.degree is None or g.role.degree > UNROLL]
        if _in_order(s.gathers, others):
            size = 8 if isinstance(self.layout, SiteLanes) else 4
            for at in range(0, len(unrolled), size):
                out += self._add_together(unrolled[at : at + size], started)
        else:
            others = list(s.gathers)
        zero = [n for n in s.names if n not in started]
        if zero:
            out += [self.layout.loop, *indent(f"{self.name(n)} = 0.0" for n in zero)]
        for g in others:
            out += self._add_in_loop(g)
        return out

    def _add_together(self, part: list[tuple[Gather, int]], started: set[str]) -> Lines:
        before: Lines = []
        sums: dict[str, str] = {}
        for z, (g, d) in enumerate(part):
            lines, slots = self._loads(g.role, self.layout.entry(str(d)), f"q{z}")
            before += lines
            for name, e in g.terms:
                first = self.name(name) if name in started else "0.0"
                sums[name] = f"({sums.get(name, first)} + {self.spell(e, slots)})"
        started.update(sums)
        body = [f"{self.name(n)} = {total}" for n, total in sums.items()]
        return [*before, self.layout.loop, *indent([*self.take_shared(), *body])]

    def _add_in_loop(self, g: Gather) -> Lines:
        regular = g.role.degree is not None
        entry = self.layout.entry("d") if regular else "d"
        before, slots = self._loads(g.role, entry, "q")
        add = [f"{self.name(n)} = {self.name(n)} + {self.spell(e, slots)}" for n, e in g.terms]
        add = [*self.take_shared(), *add]
        if regular:
            inner = [*before, self.layout.loop, *indent(add)]
            return [f"for d in {regular_bounds(self.names, g.role)}:", *indent(inner)]
        bounds = irregular_bounds(self.names, g.role, self.layout)
        if isinstance(self.layout, SiteLanes):
            inner = [f"for d in {bounds}:", *indent(add)]
            return [*before, self.layout.loop, *indent(inner)]
        return [f"for d in {bounds}:", *indent([*before, self.layout.loop, *indent(add)])]

    def _bump(self, s: Bump) -> Lines:
        """Replica lanes only: a pass with running sums is exclusive."""
        regular = s.role.degree is not None
        entry = self.layout.entry("d") if regular else "d"
        before, slots = self._loads(s.role, entry, "q")
        index = "0" if s.target.index is None else f"{self.names.table(s.target.index)}[{entry}]"
        element = f"{self.names.sums[s.target.array]}[{index}, r]"
        add = [f"{element} = {element} + {self.spell(s.expr, slots)}"]
        add = [*self.take_shared(), *add]
        bounds = (
            regular_bounds(self.names, s.role)
            if regular
            else irregular_bounds(self.names, s.role, self.layout)
        )
        return [f"for d in {bounds}:", *indent([*before, self.layout.loop, *indent(add)])]


def _in_order(gathers: tuple[Gather, ...], others: list[Gather]) -> bool:
    """Whether the unrolled gathers come first, so that unrolling them keeps the order of the sum."""
    first = len(gathers) - len(others)
    return list(gathers[first:]) == others


def _groups(body: tuple[Statement, ...]) -> list:
    """Statements that share a loop over lanes as lists; the others by themselves."""
    out: list = []
    for s in body:
        if isinstance(s, Accumulate | Attempts | Bump):
            out.append(s)
        elif out and isinstance(out[-1], list):
            out[-1].append(s)
        else:
            out.append([s])
    return out


def _expressions(s) -> list[Expr]:
    match s:
        case Accumulate():
            return [e for g in s.gathers for _, e in g.terms]
        case Attempts():
            return [s.accept, s.result, *(e for q in s.body for e in _expressions(q))]
        case Let(_, e) | Tally(e) | Move(e) | Bump(_, _, e):
            return [e]
        case Assign(value):
            return list(value)
        case _:
            return [*getattr(s, "log_weights", ()), *([s.log_p] if hasattr(s, "log_p") else [])]


def _reads(group) -> set[str]:
    statements = group if isinstance(group, list) else [group]
    return {n for s in statements for e in _expressions(s) for n in reads_of(e)}


def _crossing(groups: list) -> set[str]:
    """Names bound in one group and read in another, and all accumulators."""
    home: dict[str, int] = {}
    crossing: set[str] = set()
    for number, group in enumerate(groups):
        statements = group if isinstance(group, list) else [group]
        for s in statements:
            for e in _expressions(s):
                crossing |= {n for n in reads_of(e) if home.get(n, number) != number}
            if isinstance(s, Accumulate):
                crossing |= set(s.names)
            elif isinstance(s, Attempts):
                crossing |= {s.name} | (reads_of(s.result) & {q.name for q in s.body})
            elif hasattr(s, "name"):
                home[s.name] = number  # type: ignore[union-attr]
    return crossing
