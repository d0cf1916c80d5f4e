"""Which reflections of a variable leave the couplings of its sites as they are: cluster moves need one.

Values of discrete variables are gone through, with every row of coefficients: a proof. For real ones, and
where other variables are real, the identity is tried at random points. Energies are made of analytic
functions, for which an identity holds everywhere if it holds at random points, but for an unlikely chance;
one that is broken in a small region only, behind a comparison, could be missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from statmech_dsl.ir.arrays import distinct_rows, evaluate
from statmech_dsl.ir.domains import Domain, Reflection
from statmech_dsl.ir.draws import Let, meaning
from statmech_dsl.ir.expr import read
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.collective.terms import Asymmetric, Terms, terms_of

MAX_VALUES = 64
"""Values of a discrete variable whose reflections are tried."""
MAX_SURROUNDINGS = 4096
"""Values of other variables that are gone through for a term; of more, as many are drawn."""
POINTS = 32
"""Random points at which an identity between real functions is tried, for each row of coefficients."""
MAX_ROWS = 512
"""Rows of coefficients that are tried at random points; of more, as many are drawn."""
CHUNK = 1 << 22
"""Numbers that are worked on at a time."""
TOLERANCE = 1e-9
"""Differences of energies, relative to the largest energy, that are due to rounding."""


@dataclass(frozen=True, eq=False)
class Symmetry:
    """How the clusters of a variable may be reflected, and the terms that tie them.

    ``mirrors`` are the legal reflections of a discrete variable. Where the energy depends only on which
    sites are equal, ``recolor`` is set: a cluster may take any value.
    """

    pairs: tuple[Terms, ...]
    fields: tuple[Terms, ...]
    mirrors: tuple[tuple[int, ...], ...] = ()
    reflection: Reflection | None = None
    recolor: bool = False

    @property
    def transitive(self) -> bool:
        """Whether reflections lead from any value to any other one."""
        if self.reflection is not None:
            return bool(self.reflection.axis)
        reached, todo = {0}, [0]
        while todo:
            new = {m[todo[-1]] for m in self.mirrors} - reached
            todo = [*todo[:-1], *new]
            reached |= new
        return len(reached) == len(self.mirrors[0])


def symmetry(ir: ModelIR, tables: Tables, variable: str) -> Symmetry:
    """Find the symmetry of a variable.

    Raises
    ------
    Asymmetric
        There is none, or a term has no place in a cluster move.
    """
    domain = ir.variable(variable).domain
    terms = terms_of(ir, tables, variable)
    pairs = tuple(t for t in terms if len(t.sites) == 2)
    fields = tuple(t for t in terms if len(t.sites) == 1)
    if domain.values is None:
        return _continuous(domain, pairs, fields, ir, tables)
    return _discrete(domain, pairs, fields, ir, tables)


# ---- discrete variables: a proof ----------------------------------------------------------------------


def _discrete(
    domain: Domain, pairs: tuple[Terms, ...], fields: tuple[Terms, ...], ir: ModelIR, tables: Tables
) -> Symmetry:
    assert domain.values is not None
    n = len(domain.values)
    if n > MAX_VALUES:
        raise Asymmetric(f"{n} values are more than {MAX_VALUES}")
    mirrors = np.array(domain.mirrors, np.int64).reshape(-1, n)
    if not len(mirrors):
        raise Asymmetric(f"the values of {domain!r} have no reflection")
    recolor = n > 2 and len(mirrors) == n * (n - 1) // 2
    for t in pairs:
        even = np.ones(len(mirrors), bool)
        for f in _tables(t, domain.values, ir, tables):
            even &= [_alike(f, f[:, m][:, :, m]) for m in mirrors]
            recolor = recolor and _ferromagnetic(f)
        if not even.any():
            raise Asymmetric(f"no reflection leaves the term {' + '.join(t.names)!r} as it is")
        mirrors = mirrors[even]
    odd = []
    for t in fields:
        if not all(
            _alike(f, f[:, m]) for f in _tables(t, domain.values, ir, tables) for m in mirrors
        ):
            odd.append(t)
    rows = tuple(tuple(int(k) for k in m) for m in mirrors)
    return Symmetry(pairs, tuple(odd), rows, recolor=recolor and not odd)


def _tables(
    t: Terms, values: tuple[float, ...], ir: ModelIR, tables: Tables
) -> Iterator[np.ndarray]:
    """Energies [row of coefficients and surroundings, value, value of the second site], part by part."""
    x = np.asarray(values)
    places = len(t.sites)
    rows = _surroundings(t, ir, tables, exhaustive=True)
    at_once = max(1, CHUNK // len(x) ** places)
    for part in np.split(rows, range(at_once, len(rows), at_once)):
        shape = (-1, *[1] * places)
        own = [x.reshape([-1 if k == p else 1 for k in range(places + 1)]) for p in (1, 2)[:places]]
        slots = [*own, *(c.reshape(shape) for c in part.T)]
        full = (len(part), *[len(x)] * places)
        for e in (t.tempered, t.fixed):
            yield np.broadcast_to(evaluate(e, slots), full)


def _alike(f: np.ndarray, g: np.ndarray) -> bool:
    """Whether energies agree up to rounding; those that are not finite agree with their like."""
    finite = np.isfinite(f)
    if not np.array_equal(f[~finite], g[~finite], equal_nan=True):
        return False
    size = np.abs(f[finite]).max(initial=0.0)
    return bool((np.abs(f - g)[finite] <= TOLERANCE * size).all())


def _ferromagnetic(f: np.ndarray) -> bool:
    """Whether the energy of a pair is one number where its values are equal, and a larger one elsewhere."""
    equal = np.eye(f.shape[1], dtype=bool)
    alike, different = f[:, equal], f[:, ~equal]
    spread = max(np.ptp(alike, axis=1).max(), np.ptp(different, axis=1).max())
    size = TOLERANCE * np.abs(f).max()
    return bool(spread <= size and (alike[:, 0] <= different[:, 0]).all())


def _surroundings(
    t: Terms, ir: ModelIR, tables: Tables, exhaustive: bool, seed: int = 0
) -> np.ndarray:
    """Values of the further columns of a term: different rows of coefficients, with values of other sites."""
    n = len(t.sites[0])
    given = [k for k, c in enumerate(t.columns) if c.kind == "coefficient"]
    read_ = [k for k, c in enumerate(t.columns) if c.kind == "state"]
    rng = np.random.default_rng(seed)
    rows, _ = distinct_rows([_coefficient(t, k, tables, n) for k in given], n)
    if not exhaustive and len(rows) > MAX_ROWS:
        rows = rng.choice(rows, MAX_ROWS, replace=False)
    domains = [ir.variable(t.columns[k].array).domain for k in read_]
    around = _states(domains, [t.columns[k].component for k in read_], rng)
    out = np.empty((len(rows) * len(around), len(t.columns)))
    out[:, given] = np.repeat(rows, len(around), axis=0)
    out[:, read_] = np.tile(around, (len(rows), 1))
    return out


def _coefficient(t: Terms, k: int, tables: Tables, n: int) -> np.ndarray:
    values, index = tables[t.columns[k].array], t.indices[k]
    return np.full(n, values[0]) if index is None else values[index]


def _states(domains: list[Domain], components: list[int], rng: np.random.Generator) -> np.ndarray:
    """All values of other sites, or some of them: [which, site]."""
    if not domains:
        return np.zeros((1, 0))
    values = [d.values for d in domains]
    if all(v is not None for v in values):
        total = np.prod([len(v) for v in values if v is not None], dtype=float)
        if total <= MAX_SURROUNDINGS:
            return np.array(list(product(*values))).reshape(-1, len(domains))  # type: ignore[arg-type]
    n = POINTS if None in values else MAX_SURROUNDINGS
    drawn = [d.hot(rng, n).reshape(n, -1)[:, c] for d, c in zip(domains, components, strict=True)]
    return np.stack(drawn, axis=1).astype(float)


# ---- real variables: an identity at random points -------------------------------------------------------


def _continuous(
    domain: Domain, pairs: tuple[Terms, ...], fields: tuple[Terms, ...], ir: ModelIR, tables: Tables
) -> Symmetry:
    reflection = domain.reflection()
    if reflection is None:
        raise Asymmetric(f"{domain.label} has no reflection")
    for t in pairs:
        if not _identity(t, domain, reflection, ir, tables):
            raise Asymmetric(f"a reflection changes the term {' + '.join(t.names)!r}")
    odd = tuple(t for t in fields if not _identity(t, domain, reflection, ir, tables))
    return Symmetry(pairs, odd, reflection=reflection)


def _identity(
    t: Terms, domain: Domain, reflection: Reflection, ir: ModelIR, tables: Tables
) -> bool:
    """Whether a reflection of all sites leaves the terms as they are."""
    rng = np.random.default_rng(1)
    rows = np.repeat(_surroundings(t, ir, tables, exhaustive=False), POINTS, axis=0)
    n = len(rows)
    axis: dict[str, np.ndarray] = {}
    for s in reflection.axis:
        lets: Sequence[Let] = (s,) if isinstance(s, Let) else ()
        if not isinstance(s, Let):
            drawn = tuple(f"{s.name}.u{k}" for k in range(s.words))
            axis |= {name: rng.uniform(size=n) for name in drawn}
            m = meaning(s, tuple(read(name) for name in drawn))  # type: ignore[arg-type]
            lets = (*m.lets, Let(s.name, m.result))
        for q in lets:
            axis[q.name] = evaluate(q.expr, (), axis)
    before, after = [], []
    for _ in t.sites:
        x = domain.hot(rng, n).reshape(n, -1) * 1.0
        env = axis | {f"old.{k}": x[:, k] for k in range(domain.components)}
        for q in reflection.image:
            env[q.name] = evaluate(q.expr, (), env)
        before += list(x.T)
        after += [evaluate(e, (), env) for e in reflection.value]
    columns = list(rows.T)
    return all(
        _alike(
            np.broadcast_to(evaluate(e, [*before, *columns]), n),
            np.broadcast_to(evaluate(e, [*after, *columns]), n),
        )
        for e in (t.tempered, t.fixed)
    )
