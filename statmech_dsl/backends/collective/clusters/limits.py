"""Limits of random words for the ties of discrete variables: a tie is there if its word is below.

They depend on the row of coefficients that a tie has, the reflection and two values. There are few of them
where there are few rows; then looking up costs less than an exponential.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from statmech_dsl.backends.collective.clusters.definition import CERTAIN
from statmech_dsl.backends.collective.clusters.frames import indent
from statmech_dsl.backends.collective.clusters.source import names
from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.backends.numba_cpu.spell import RUNTIME_NAMES, Shared, spell
from statmech_dsl.ir.arrays import distinct_rows
from statmech_dsl.ir.clusters import Clusters, Tie
from statmech_dsl.ir.elementary import LOG2E
from statmech_dsl.ir.expr import call, evaluate
from statmech_dsl.ir.model import ModelIR, Tables

MAX_LIMITS = 1 << 14
"""Limits of a replica; more would be slower than exponentials."""
MAX_COMPARED = 1 << 10
"""Limits that are looked through for symmetry, which saves little where there are many."""
HEAD = f"""import numpy as np
from numba import njit
from statmech_dsl.backends.numba_cpu.runtime import {RUNTIME_NAMES}


@njit(cache=True, error_model="numpy", nogil=True)
def kernel(betas, values, mirrors, limits, transposed, starts, {{rows}}):
    lowest, width = np.int64(values[0]), np.int64(values[-1] - values[0]) + 1
    for level in range(len(betas)):
        beta = betas[level]
        for m in range(len(mirrors)):
            limit = limits[level, m]
"""
TIE = """for c in range(len(rows{k})):
    row = rows{k}[c]
    for old0 in values:
        here = np.int64(old0) - lowest
        new0 = np.float64(mirrors[m, here])
"""
PAIR = """for near0 in values:
    near = np.int64(near0) - lowest
{bind}
    place = starts[{k}] + c * width * width
    limit[place + here * width + near] = word
    if transposed:
        place += len(rows{k}) * width * width
        limit[place + near * width + here] = word"""
FIELD = """{bind}
limit[starts[{k}] + c * width + here] = word"""


@dataclass(frozen=True, eq=False)
class Limits:
    """How limits are computed and found.

    ``rows[k]`` are the different rows of coefficients that ties of form k have; ``places`` say for each tie
    where its limits begin, and ``transposed`` where those with the second site first do. ``uniform``: those of
    all ties of two sites are alike, whichever site is first.
    """

    text: str
    rows: tuple[np.ndarray, ...]
    starts: np.ndarray
    size: int
    places: np.ndarray
    transposed: np.ndarray
    uniform: bool

    def at(
        self, betas: np.ndarray, values: np.ndarray, mirrors: np.ndarray, *, one: bool
    ) -> np.ndarray:
        """Limits [inverse temperature, reflection, place]."""
        found = np.zeros((len(betas), len(mirrors), self.size), np.uint32)
        cache.load(self.text)(betas, values, mirrors, found, one, self.starts, *self.rows)
        return found


def limits_of(move: Clusters, model: ModelIR, tables: Tables) -> Limits | None:
    """The limits of a move, or None where they are too many or depend on other variables."""
    values = model.variable(move.variable).domain.values
    if values is None or any(c.kind != "coefficient" for t in move.ties for c in t.columns):
        return None
    width = int(values[-1] - values[0]) + 1
    offsets = move.offsets(tables)
    places, transposed = np.zeros((2, offsets[-1]), np.uint32)
    rows, starts, end = [], [], 0
    for t, offset in zip(move.ties, offsets, strict=False):
        found, kind = _rows(t, tables)
        block = width ** len(t.sites)
        mine = slice(offset, offset + len(kind))
        places[mine] = end + kind * block
        transposed[mine] = places[mine] + len(found) * block
        rows.append(found)
        starts.append(end)
        end += len(found) * block * (2 if move.one and t in move.pairs else 1)
    assert move.mirrors is not None
    if end * len(tables[move.mirrors]) > MAX_LIMITS:
        return None
    return Limits(
        _source(move),
        tuple(rows),
        np.array(starts, np.int64),
        end,
        places,
        transposed,
        _uniform(move, values, rows, tables),
    )


def _uniform(
    move: Clusters, values: tuple[float, ...], rows: list[np.ndarray], tables: Tables
) -> bool:
    """Whether all pairs have the same limits, and these are even under an exchange of the two sites."""
    mirrors, lowest = tables[move.mirrors or ""], int(values[0])
    if len(move.pairs) != 1 or len(rows[0]) != 1 or mirrors.size * len(values) > MAX_COMPARED:
        return False

    def log_free(a: float, b: float, mirror: np.ndarray, beta: float) -> float:
        env = {"old.0": a, "new.0": float(mirror[int(a) - lowest]), "beta": beta}
        return evaluate(move.pairs[0].log_free, [b, *rows[0][0]], env)

    return all(
        log_free(a, b, mirror, beta) == log_free(b, a, mirror, beta)
        for a, b in combinations(values, 2)
        for mirror in mirrors
        for beta in (1.0, 0.37, -1.0)  # a product with any other number is as even
    )


def _rows(t: Tie, tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Different rows of coefficients, and which of them each tie has."""
    n = t.count(tables)
    columns = [
        np.full(n, tables[c.array][0]) if c.index is None else tables[c.array][tables[c.index]]
        for c in t.columns
    ]
    return distinct_rows(columns, n)


def _source(move: Clusters) -> str:
    blocks = []
    for k, t in enumerate(move.ties):
        pair = len(t.sites) == 2
        slots = ["near0"] * pair + [f"row[{n}]" for n in range(len(t.columns))]
        known = {"old.0": "old0", "new.0": "new0", "beta": "beta"}
        shared = Shared()
        free = spell(call("weight2", t.log_free * LOG2E), names(known, slots), shared)
        probability = f"minimum(1.0 - {free}, {CERTAIN!r})"
        word = f"word = np.uint32(np.ceil({probability} * 4294967296.0 - 0.5))"
        bind = "\n".join([*shared.take(), word])
        body = PAIR.format(bind=indent(bind, 1), k=k) if pair else FIELD.format(bind=bind, k=k)
        blocks.append(indent(TIE.format(k=k) + indent(body, 2), 3))
    rows = ", ".join(f"rows{k}" for k in range(len(move.ties)))
    return HEAD.format(rows=rows) + "\n".join([*blocks, "            pass", ""])
