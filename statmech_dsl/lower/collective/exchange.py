"""A pass over bonds as a collective move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.ir.exchange import Exchange
from statmech_dsl.ir.kernel import SitePass
from statmech_dsl.lower.bonds import bond_occurrences, color_bonds, find_bonds
from statmech_dsl.lower.collective.spec import CollectiveSpec, Place
from statmech_dsl.lower.coloring import Order
from statmech_dsl.lower.passes import SiteAnalysis, lower_pass


@dataclass(frozen=True, slots=True)
class ExchangeSpec(CollectiveSpec):
    """A body for every bond: components of its second end follow those of the first."""

    body: SitePass

    def lower(self, at: Place) -> Exchange:
        """Lower the pass; its tables are written into ``tables``."""
        ir, source, tables = at.ir, at.source, at.tables
        v = self.variable
        bonds = find_bonds(ir, source, v)
        order = (
            Order(np.arange(len(bonds), dtype=np.uint32), np.array([0, len(bonds)]))
            if at.analysis.exclusive  # every bond depends on every other
            else color_bonds(bonds, ir.variable(v).n_sites)
        )
        found = bond_occurrences(ir, source, v, bonds)
        mine = SiteAnalysis(v, found, order, frozenset(), at.analysis.exclusive, bonds)
        lowered = lower_pass(ir, source, self.body, mine, "boltzmann", at.stream, tables)
        return Exchange(
            update=self.update,
            variable=v,
            stream=at.stream,
            times=at.times,
            moves=len(bonds),
            bonds=lowered,
        )
