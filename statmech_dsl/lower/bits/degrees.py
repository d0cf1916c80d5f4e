"""How many terms a site takes part in, each counted by its size: within a color sites are ordered by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.bits.two_valued import TwoValued


def degree_keys(
    ir: ModelIR, tables: Tables, terms: Mapping[str, tuple[TwoValued, ...]]
) -> dict[str, np.ndarray]:
    """Sorting keys of the sites of each variable: by degree, odd ones last; none where all are equal.

    The degree is the number of terms that join a site to others, a term of twice the smallest size counting
    twice; ``terms`` are those of each family as bits. With equal parity the energies of most models differ by
    multiples of one unit, which makes one kind.
    """
    degrees = {v.name: np.zeros(v.n_sites, np.int64) for v in ir.variables}
    steps = [part.step for parts in terms.values() for part in parts if part.step]
    for f in ir.energy_families:
        states = {(c.array, c.index or "") for c in f.columns if c.kind == "state"}
        for part in terms[f.name]:
            live = ~np.broadcast_to(part.dead, f.n_instances(tables))
            for name, index in states if len(states) > 1 else ():
                joins = live.copy()
                for other, column in states - {(name, index)}:
                    if other == name:
                        joins &= tables[column] != tables[index]
                number = np.bincount(tables[index][joins], minlength=len(degrees[name]))
                degrees[name] += size(part.step, steps) * number
    return {
        v.name: degrees[v.name] % 2 * (degrees[v.name].max() + 1) + degrees[v.name]
        for v in ir.variables
        if len(np.unique(degrees[v.name][tables[v.free]])) > 1
    }


def size(step: float, steps: Sequence[float]) -> int:
    """How many of the smallest of all steps a step is, about."""
    return round(step / min(steps)) if step else 0
