"""Print what a pass does at one site of one replica, as CUDA C."""

from __future__ import annotations

from statmech_dsl.backends.cupy_gpu.incidences import accumulate, bump
from statmech_dsl.backends.cupy_gpu.names import Names, Table
from statmech_dsl.backends.cupy_gpu.spell import C_TYPES, Lines, Shared, block, spell
from statmech_dsl.backends.cupy_gpu.tables import Layout
from statmech_dsl.backends.numba_cpu.features import Feature, has_expensive
from statmech_dsl.ir.draws import AT_ONCE, Attempts, Draw, Let, meaning
from statmech_dsl.ir.expr import Expr, read, reads_of, slot, slots_of, substitute
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, LoweredPass, Move, Statement, Tally
from statmech_dsl.ir.ops import Real
from statmech_dsl.rng import MAX_ATTEMPTS, STREAM_STRIDE, TILE_LANES, TILE_STREAM


class PassPrinter:
    """Prints the body of one pass for the site of rank k, in the generic tier.

    Its row is k, too, unless the pass is reversed.

    Bound around it are the number r of a replica among R, its stream g and its ``beta_r``, ``param0_r``, ...
    """

    fast = False
    """Whether the last bits of functions do not matter."""
    replica, width = "r", 1
    """Name of the first replica of a thread, and how many it has."""

    def __init__(
        self, p: LoweredPass, number: int, first_param: int, names: Names, layout: Layout
    ) -> None:
        self.p, self.number, self.names, self.layout = p, number, names, layout
        self.params = {q.name: f"param{first_param + k}_r" for k, q in enumerate(p.params)}
        self.use(p.real)
        self.ranks = names.size(Table("copy", p.order))
        self.row = f"({self.ranks} - 1 - k)" if p.reversed else "k"
        self.inside: dict[str, str] = {}
        self.shared = Shared()
        self.present: dict[str, str] = {}
        self.slot = self.drawn = 0

    def lines(self) -> Lines:
        """The code for the site of rank k."""
        return [*(f"const u32 w{j} = next(g);" for j in range(self.p.words)), *self.decide()]

    def decide(self) -> Lines:
        """The code from random words to the new value."""
        body = [line for s in self.p.body for line in self._statement(s)]
        return [*self.present.values(), *body]

    def stream(self, r: str) -> str:
        """The stream of a replica in a lane of a tile."""
        counter = f"tile * {TILE_LANES} + lane, replica[{r}], sweep, {self.p.stream | TILE_STREAM}u"
        return f"stream({counter}, seed)"

    def use(self, real: Real) -> None:
        """Print in a precision, which is that of the pass but in the field tier."""
        self.real: Real = real
        pair = (self.p.real, real)
        self.features = {f: y for f, y in self.names.features.items() if (f.real, f.stored) == pair}

    def begin(self) -> Lines:
        """What a thread reads before the first of its ranks, and its stream, ``before`` ranks later."""
        if not self.p.words:
            return self.before()
        seed = [f"Stream g = {self.stream('r')};", f"skip(g, {self.p.words} * before);"]
        return [*seed, *self.before()]

    def before(self) -> Lines:
        """What is read once for a replica."""
        params = [
            f"const double {local} = params[{local[5:-2]} * (u64)R + r];"
            for local in self.params.values()
        ]
        tally = any(isinstance(s, Tally) for s in self.p.body)
        return ["const double beta_r = beta[r];", *params, *(["u32 tally = 0;"] if tally else [])]

    def after(self) -> Lines:
        """What is written once for a replica."""
        if not any(isinstance(s, Tally) for s in self.p.body):
            return []
        return [f"if (tally) atomicAdd(&accepted[{self.number} * (u64)R + r], (u64)tally);"]

    # ---- names ------------------------------------------------------------------------------------

    def name(self, n: str) -> str:
        """How a bound name is spelled."""
        if n in self.inside:
            return self.inside[n]
        kind, _, rest = n.partition(".")
        if kind == "old" and rest.isdigit():
            return self._own(f"old{rest}", self.names.states[self.p.variable], int(rest))
        if n == "beta":
            return self._rounded("beta_r")
        if n in self.params:
            return self._rounded(self.params[n])
        if kind == "coefficient":
            return self.names.scalar(rest, self.real)
        if kind == "sum":
            return self._rounded(f"{self.names.sums[rest]}[r]")
        if n == "energy":
            return "energy[r]"
        return self.names.local(n, self.real)

    def _rounded(self, x: str) -> str:
        """A number of float64 in the precision of this printer."""
        return x if self.real == "float64" else f"((float){x})"

    def _own(self, local: str, array: str, component: int) -> str:
        """What an array holds for the site before it moves."""
        local += "" if self.real == "float64" else "f"
        kind = C_TYPES[self.real]
        value = self.names.element(array, self.p.variable, component, self.row)
        self.present[local] = f"const {kind} {local} = ({kind}){value};"
        return local

    def leaf(self, e: Expr) -> str | None:
        """A name, or a feature of the site's present value."""
        if e.op == "read":
            return self.name(e.attr)  # type: ignore[arg-type]
        names = reads_of(e)
        if len(names) != 1 or slots_of(e) or not (n := names.pop()).startswith("old."):
            return None
        k = int(n.removeprefix("old."))
        function = substitute(e, lambda x: slot(0) if x == read(n) else None)
        f = Feature(self.p.variable, k, function, self.p.real, self.real)
        if f not in self.features:
            return None
        return self._own(f"old_{self.features[f]}", self.features[f], k)

    def bind(self, target: str, e: Expr, how: str = "=") -> Lines:
        """Lines that put the value of an expression into a variable."""
        text = spell(e, self.leaf, self.shared, self.real, self.fast)
        return [*self.shared.take(), f"{target} {how} {text};"]

    def let(self, n: str, e: Expr) -> Lines:
        """Lines that bind a name."""
        return self.bind(f"const {C_TYPES[self.real]} {self.name(n)}", e)

    # ---- statements -------------------------------------------------------------------------------

    def _statement(self, s: Statement) -> Lines:
        match s:
            case Accumulate():
                return accumulate(self, s)
            case Bump():
                return bump(self, s)
            case Let(name, e):
                return self.let(name, e)
            case Tally(e):
                return self.bind("tally", e, "+= (u32)")
            case Move(e):
                return self.bind("energy[r]", e, "+=")
            case Assign(value):
                return self.assign(value)
        words = [f"w{self.slot + j}" for j in range(s.words)]
        self.slot += s.words
        return self._attempts(s, words) if isinstance(s, Attempts) else self._draw(s, words)

    def _draw(self, s: Draw, words: list[str]) -> Lines:
        """Lines that bind a draw, given its words."""
        lines: Lines = []
        uniforms = []
        for word in words:
            u = f"u{self.drawn}"
            self.drawn += 1
            self.inside[f"@{u}"] = u
            uniforms.append(read(f"@{u}"))
            suffix = "" if self.real == "float64" else "f"
            lines.append(f"const {C_TYPES[self.real]} {u} = uniform{suffix}({word});")
        m = meaning(s, tuple(uniforms))
        for q in (*m.lets, Let(s.name, m.result)):
            lines += self.let(q.name, q.expr)
        return lines

    def _attempts(self, s: Attempts, words: list[str]) -> Lines:
        """A loop; the first attempts take words of the site, further ones blocks of their own."""
        n = s.words // AT_ONCE
        before, self.shared = self.shared, Shared("z")
        body = [f"u32 {', '.join(f'b{j}' for j in range(n))};"]
        for attempt in range(AT_ONCE):
            mine = [f"b{j} = {words[n * attempt + j]};" for j in range(n)]
            body += block(f"if (attempt == {attempt + 1})", mine)
        stream = f"{self.p.stream} + {STREAM_STRIDE} * attempt"
        body += block(
            f"if (attempt > {AT_ONCE})",
            [
                f"const Words more = philox(k, replica[r], sweep, {stream}, seed);",
                *(f"b{j} = more.w[{j}];" for j in range(n)),
            ],
        )
        own = [f"b{j}" for j in range(n)]
        for q in s.body:
            if isinstance(q, Let):
                body += self.let(q.name, q.expr)
            else:
                mine, own = own[: q.words], own[q.words :]
                body += self._draw(q, mine)
        accept = self.bind(f"const {C_TYPES[self.real]} accept", s.accept)
        result = self.bind(self.name(s.name), s.result)
        body += [*accept, *block("if (accept != 0.0)", [*result, "break;"])]
        self.shared = before
        head = f"for (u32 attempt = 1; attempt <= {MAX_ATTEMPTS}; ++attempt)"
        return [f"{C_TYPES[self.real]} {self.name(s.name)} = NOT_A_NUMBER;", *block(head, body)]

    # ---- the new value ------------------------------------------------------------------------------

    def assign(self, value: tuple[Expr, ...]) -> Lines:
        """Compute the new value and its features, then store them."""
        v, kind = self.p.variable, C_TYPES[self.real]
        compute: Lines = []
        store: Lines = []
        for k, e in enumerate(value):
            compute += self.bind(f"const {kind} new{k}", e)
            whole = "(int)" if self.names.storage(v).startswith("i") else ""
            store.append(self.put(self.names.states[v], k, f"{whole}new{k}"))
        for f, y in self.names.features.items():
            if f.variable == v:
                compute += self.feature(f, f"new_{y}", value[f.component])
                store.append(self.put(y, f.component, f"new_{y}"))
        return [*compute, *store]

    def put(self, array: str, component: int, value: str) -> str:
        """Store a component of the new value, or a feature of it."""
        return f"{self.names.element(array, self.p.variable, component, self.row)} = {value};"

    def feature(self, f: Feature, target: str, value: Expr) -> Lines:
        """A feature of the new value."""
        self.inside["@new"] = new = f"new{f.component}"
        if (f.real, f.stored) == (self.real, self.real) and not self.fast:
            # The functions of a proposed value are at hand.
            e = f.at(value if value.op == "where" else read("@new"), self.names.model)
            return self.bind(f"const {C_TYPES[f.stored]} {target}", e)
        # In another precision than that of the new value, which is exact in both.
        e = f.at(read("@new"), self.names.model)
        real = f.real if has_expensive(e) else f.stored
        value_in = f"({C_TYPES[real]}){new}"
        text = spell(e, lambda x: value_in if x.op == "read" else None, self.shared, real)
        return [*self.shared.take(), f"const {C_TYPES[f.stored]} {target} = {text};"]
