"""The CUDA source of a cluster move: n sweeps of it, in all replicas, in one launch.

Three stages make a move without reports. In the first one, each replica draws its reflection and its seed, and
every site is a set of its own; then every tie is decided, and joins two sets; then every site is reflected, or
not, as its set is. The order in which threads join sets does not matter: a set is known by its smallest place.
Place 0 is the ghost, place i + 1 is site i.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from statmech_dsl import rng
from statmech_dsl.backends.collective.clusters.card import improved
from statmech_dsl.backends.collective.clusters.card.sites import SitePrinter, bind
from statmech_dsl.backends.collective.clusters.definition import CERTAIN
from statmech_dsl.backends.cupy_gpu.names import Table
from statmech_dsl.backends.cupy_gpu.source import Source, finished
from statmech_dsl.backends.cupy_gpu.spell import Lines, Shared, block, number, spell
from statmech_dsl.ir.clusters import Tie, axis_lets
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import call, read

FIRST = [
    "const u32 n_sweeps",
    "const u32 first_sweep",
    "const u64 seed",
    "const u32* __restrict__ replica",
    "const double* __restrict__ beta",
    "u32* label",
    "u64* key",
    "u32* which",
    "u32* home",
    "double* axis",
]
"""The first parameters of the kernel, after those that every kernel has.

``label`` is [place][replica], ``axis`` [name][replica]; the others have an element for each replica: the key of
its random words, the row of mirrors, the place of the seed, which is the ghost where nothing is to move.
"""


@cache
def header() -> str:
    """Source that the kernel needs besides `runtime`."""
    constants = f"#define WY_STEP {rng.WY_STEP}ull\n#define WY_MIX {rng.WY_MIX}ull\n"
    return constants + Path(__file__).with_name("sets.cuh").read_text()


class ClusterPrinter(SitePrinter):
    """Prints the kernel ``clusters`` of a move."""

    def source(self) -> Source:
        """The whole kernel."""
        move = [
            *self._begin(),
            "MEET;",
            *(line for k in range(len(self.move.ties)) for line in self._join(k)),
            *improved.hold(self),
            "MEET;",
            *improved.report(self),
            *self._change(),
            "MEET;",
        ]
        again = block(f"for (u32 again = 0; again < {self.move.times}; ++again)", move)
        head = "for (u32 sweep = first_sweep; sweep != first_sweep + n_sweeps; ++sweep)"
        first = [*FIRST, *(improved.FIRST if self.move.reports else [])]
        body = [*improved.begin(self), *block(head, again)]
        return finished("clusters", self.names, first, body, header())

    # ---- the first stage --------------------------------------------------------------------------

    def _begin(self) -> Lines:
        """Make every place a set, and draw what a replica draws."""
        place, replica = ["label[item] = item / R;"], []
        if self.move.reports and not self.move.one:
            place.append("total[item] = 0;")
            replica.append("largest[r] = 0;")
        replica += [
            f"const u32 stream = {self.move.stream | rng.MOVE_STREAM}u | again << 8;",
            "const Words w = philox(0, replica[r], sweep, stream, seed);",
            "key[r] = w.w[0] | (u64)w.w[1] << 32;",
            *(self._seed() if self.move.one else []),
            *(self._axis() if self.move.mirrors is None else self._mirror()),
            *(["home[r] = 1 + i;"] if self.move.one else []),
        ]
        places = block(f"EACH(item, ({self.n_sites} + (u64)1) * R)", place)
        return [*places, *block("EACH(r, R)", replica)]

    def _seed(self) -> Lines:
        """The site of a single cluster; ``continue`` leaves the ghost."""
        return [
            "home[r] = 0;",
            f"const u32 chosen = __umulhi(w.w[3], {self._n_free} + 1);",
            f"if (chosen == {self._n_free}) continue;",
            f"const u32 i = {self.names.copy(self.variable.free)}[chosen];",
        ]

    def _mirror(self) -> Lines:
        """A row of mirrors."""
        if self.move.picks is None:
            return [f"which[r] = __umulhi(w.w[2], {self.n_mirrors});"]
        return [
            f"const u32* picked = {self.picked(f'{self.rows(self.variable.free)}[chosen]')};",
            "if (!picked[0]) continue;",
            "which[r] = picked[1 + __umulhi(w.w[2], picked[0])];",
        ]

    def _axis(self) -> Lines:
        """The axis of a reflection of real values."""
        assert self.move.reflection is not None
        lets, n = axis_lets(self.move.reflection)
        counters = (f"{1 + k}, replica[r], sweep, stream, seed" for k in range(-(-n // 4)))
        lines = [f"const Words drawn{k} = philox({c});" for k, c in enumerate(counters)]
        known = {f"u.{k}": f"uniform(drawn{k // 4}.w[{k % 4}])" for k in range(n)}
        lines += bind(lets, known, "let")
        return [*lines, *(f"axis[{k} * (u64)R + r] = {known[q]};" for k, q in enumerate(self.axes))]

    # ---- ties ---------------------------------------------------------------------------------------

    def _join(self, k: int) -> Lines:
        """Decide on the ties of form k."""
        t = self.move.ties[k]
        loads, slots = self._slots(t)
        lines, leaf = self.reflected(f"{self.rows(t.sites[0])}[b]", slots)
        shared = Shared()
        free = spell(call("weight2", t.log_free * LOG2E), leaf, shared)
        word = f"keyed_word(key[r], {self._first_tie(k)} + b)"
        first, *second = (f"{self.names.copy(x)}[b] + 1" for x in t.sites)
        item = [
            "const u32 r = item % R, b = item / R;",
            *(["if (!home[r]) continue;"] if self.move.one else []),
            *lines,
            *loads,
            *shared.take(),
            f"if (uniform({word}) < minimum(1.0 - {free}, {number(CERTAIN)}))",
            f"    join(label + r, R, {first}, {second[0] if second else 0});",
        ]
        return block(f"EACH(item, (u64){self._count(t)} * R)", item)

    def _count(self, t: Tie) -> str:
        return self.names.size(Table("copy", t.sites[0]))

    def _first_tie(self, k: int) -> str:
        """Number of the first tie of form k; after the last form, that of the first site."""
        return " + ".join(["(u64)0", *map(self._count, self.move.ties[:k])])

    def _slots(self, t: Tie) -> tuple[Lines, tuple[str, ...]]:
        """Lines that load what tie b reads besides its first site, and the names of its slots."""
        names, loads = self.names, []
        if len(t.sites) == 2:
            row = f"{self.rows(t.sites[1])}[b]"
            loads += [self.value(row, k) for k in range(self.components)]
        for c in t.columns:
            if c.kind != "coefficient":
                row = f"{names.table(Table('rows', c.index or '', c.array))}[b]"
                loads.append(names.element(names.states[c.array], c.array, c.component, row))
            elif c.index is None:
                loads.append(names.scalar(c.array))
            else:
                loads.append(f"{names.table(Table('values', c.index, c.array, 'float64'))}[b]")
        lines = [f"const double slot{k} = (double){x};" for k, x in enumerate(loads)]
        return lines, tuple(f"slot{k}" for k in range(len(loads)))

    # ---- the last stage -----------------------------------------------------------------------------

    @property
    def _n_free(self) -> str:
        return self.names.size(Table("copy", self.variable.free))

    def _change(self) -> Lines:
        """Give every free site what its set gets."""
        if self.move.one:
            moves = "mine == root(label + r, R, home[r])"
        else:
            moves = "true" if self.move.recolor else "word < 0x80000000u"
        first_site = self._first_tie(len(self.move.ties))
        word = f"const u32 word = keyed_word(key[r], {first_site} + mine - 1);"
        item = [
            "const u32 r = item % R, f = item / R;",
            f"const u32 mine = root(label + r, R, {self.names.copy(self.variable.free)}[f] + 1);",
            "if (mine == 0) continue;",
            *([] if self.move.one else [word]),
            *block(f"if ({moves})", self._assign(f"{self.rows(self.variable.free)}[f]")),
        ]
        return block(f"EACH(item, (u64){self._n_free} * R)", item)

    def _assign(self, row: str) -> Lines:
        if self.move.recolor:
            return [f"{self.value(row)} = {self.lowest} + (int)__umulhi(word, {self.n_values});"]
        if self.move.mirrors is not None:
            return [f"{self.value(row)} = {self.mirrored(row)};"]
        lines, leaf = self.reflected(row)
        new = (leaf(read(f"new.{k}")) for k in range(self.components))
        return [*lines, *(f"{self.value(row, k)} = {x};" for k, x in enumerate(new))]
