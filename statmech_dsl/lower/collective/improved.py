"""What improved estimators need: the part of each value that a reflection turns around, and neighbors."""

from __future__ import annotations

import math

import numpy as np

from statmech_dsl.ir.domains import Domain
from statmech_dsl.ir.model import ModelIR, Tables
from statmech_dsl.lower.symmetry import Symmetry

TOLERANCE = 1e-12


def odd_parts(domain: Domain, mirrors: np.ndarray, recolor: bool) -> np.ndarray | None:
    """For each reflection, a number for each value: its vector along the direction that is turned around.

    They are scaled so that the mean over reflections of the products of two values is the scalar product of
    their vectors. None where no scale does that.
    """
    assert domain.values is not None
    vectors = domain.vectors(np.asarray(domain.values, np.int64)[None])[0].astype(float)
    products = vectors @ vectors.T
    if recolor:  # the sites of a cluster are equal, and vectors of other clusters average to 0
        return np.full((1, len(vectors)), math.sqrt(products[0, 0]))
    parts = (vectors - vectors[mirrors]) / 2  # [reflection, value, component]
    first = parts[np.arange(len(parts)), np.abs(parts).sum(axis=2).argmax(axis=1)]
    odd = (parts * (first / np.linalg.norm(first, axis=1, keepdims=True))[:, None]).sum(axis=2)
    found = odd.T @ odd / len(odd)
    scale = np.trace(products) / np.trace(found)
    alike = np.allclose(scale * found, products, rtol=0, atol=TOLERANCE * np.abs(products).max())
    return odd * math.sqrt(scale) if alike else None


def forward(lengths: tuple[int, ...]) -> np.ndarray:
    """For each axis the next site of every site of a torus, sites being numbered in C order."""
    sites = np.arange(math.prod(lengths)).reshape(lengths)
    return np.stack([np.roll(sites, -1, axis).ravel() for axis in range(len(lengths))])


def why_none(
    found: Symmetry, ir: ModelIR, tables: Tables, variable: str, one: bool, lengths: tuple[int, ...]
) -> str | None:
    """Why a move has no improved estimators, or None; ``lengths`` are those of a torus, if any."""
    v = ir.variable(variable)
    recolor = found.recolor and not one
    if v.domain.values is not None:
        if odd_parts(v.domain, np.array(found.mirrors), recolor) is None:
            return (
                "improved estimators average over directions, and the reflections that the energy has do "
                "not go through all of them alike"
            )
    if one and (found.fields or len(tables[v.free]) < v.n_sites):
        return (
            "fields and clamped sites hold some sites, of which the cluster of another one tells nothing; "
            "swendsen_wang has improved estimators then"
        )
    if lengths and math.prod(lengths) != v.n_sites:
        return f"a torus of {' x '.join(map(str, lengths))} has not its {v.n_sites} sites"
    return None
