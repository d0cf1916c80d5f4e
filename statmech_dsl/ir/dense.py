"""Passes over two-valued sites that nearly all depend on each other: their fields come from a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class DenseForm:
    """A heat-bath pass whose local energy is a matrix times the states of other sites, plus an offset.

    The first statement of the pass adds up the field of a site, the energy of its ``high`` value minus that
    of its ``low`` one; every incidence reads at most one other site, of a two-valued variable in
    ``sources``. With ``method`` "fields" the fields of all sites are kept and moved by every flip; with
    "products" a matrix product gives those of a color, whose sites do not depend on each other. A backend may
    turn these into "lookups": sums of couplings from tables.
    """

    method: Literal["fields", "products", "lookups"]
    low: float
    high: float
    sources: tuple[str, ...]
