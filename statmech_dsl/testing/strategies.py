"""Hypothesis strategies: random graphs, couplings and models, for property tests of your own.

Needs the package hypothesis, which only tests use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from statmech_dsl.lang.energy import Energy
from statmech_dsl.lang.model import Model
from statmech_dsl.testing.models import KINDS, Declaration, declarations, small_models

Graph = tuple[int, np.ndarray, np.ndarray]
"""Number of sites, and the two ends of each bond; bonds may be multiple, never from a site to itself."""


@st.composite
def graphs(draw: Callable[..., Any], max_sites: int = 12, max_bonds: int = 24) -> Graph:
    """Random graphs with at least one bond."""
    n = draw(st.integers(2, max_sites))
    bonds = draw(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(1, n - 1)), min_size=1, max_size=max_bonds
        )
    )
    i, step = np.array(bonds).T
    return n, i, (i + step) % n


def couplings(n: int, scale: float = 1.0) -> st.SearchStrategy[np.ndarray]:
    """N couplings between -scale and scale, zero and equal ones among them."""
    number = st.one_of(st.sampled_from([0.0, -scale, scale]), st.floats(-scale, scale))
    return st.lists(number, min_size=n, max_size=n).map(np.array)


@st.composite
def spin_models(draw: Callable[..., Any], max_sites: int = 6) -> Model:
    """Ising models with random bonds, couplings and fields."""
    n, i, j = draw(graphs(max_sites, 2 * max_sites))
    J, h = draw(couplings(len(i))), draw(couplings(n))
    with Model() as model:
        s = Declaration("Spin")("s", n)
        Energy("exchange", J * s[i] * s[j])
        Energy("field", h * s)
    return model


def models() -> st.SearchStrategy[Model]:
    """The small models of any variable type."""
    return st.builds(
        lambda declaration, kind: small_models(declaration)[kind],
        st.sampled_from(declarations()),
        st.sampled_from(list(KINDS)),
    )
