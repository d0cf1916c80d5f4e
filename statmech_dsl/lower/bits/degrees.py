"""How many terms a site takes part in: within a color sites are ordered by it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.bits.two_valued import TwoValued


def degrees(ir: ModelIR, tables: Tables, terms: Mapping[str, TwoValued]) -> dict[str, np.ndarray]:
    """Numbers of terms that join each site of a variable to others, where sites differ in them.

    ``terms`` are the terms of each family as bits.
    """
    found = {v.name: np.zeros(v.n_sites, np.int64) for v in ir.variables}
    for f in ir.energy_families:
        states = {(c.array, c.index or "") for c in f.columns if c.kind == "state"}
        live = ~np.broadcast_to(terms[f.name].dead, f.n_instances(tables))
        for name, index in states if len(states) > 1 else ():
            joins = live.copy()
            for other, column in states - {(name, index)}:
                if other == name:
                    joins &= tables[column] != tables[index]
            found[name] += np.bincount(tables[index][joins], minlength=len(found[name]))
    return {
        v.name: found[v.name]
        for v in ir.variables
        if len(free := tables[v.free]) and np.ptp(found[v.name][free])
    }
