"""Cluster moves: reflections that the energy allows, and terms as ties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from statmech_dsl.ir.clusters import Clusters, Tie
from statmech_dsl.ir.collective import Report
from statmech_dsl.ir.domains import Domain
from statmech_dsl.ir.expr import Expr, call, const, difference, read, renumber
from statmech_dsl.ir.model import Column, ModelIR, Tables
from statmech_dsl.lower.collective.improved import forward, odd_parts
from statmech_dsl.lower.collective.spec import CollectiveSpec, Place
from statmech_dsl.lower.collective.terms import Terms
from statmech_dsl.lower.symmetry import symmetry


@dataclass(frozen=True, slots=True)
class ClusterSpec(CollectiveSpec):
    """Reflect one cluster, or all of them.

    With ``improved`` it reports m^2; and where ``lengths`` of a torus are given, correlations along its axes.
    """

    one: bool
    improved: bool = False
    lengths: tuple[int, ...] = ()
    recipe: str = ""

    def lower(self, at: Place) -> Clusters:
        """Write terms as ties, and reflections as tables."""
        ir, source, tables = at.ir, at.source, at.tables
        found = symmetry(ir, source, self.variable)
        domain = ir.variable(self.variable).domain
        prefix = f"{self.variable}.clusters{at.stream}"
        recolor = found.recolor and not self.one
        move = Clusters(
            update=self.update,
            variable=self.variable,
            stream=at.stream,
            times=at.times,
            one=self.one,
            ties=tuple(
                _tie(t, f"{prefix}.{k}", domain.components, tables)
                for k, t in enumerate((*found.pairs, *found.fields))
            ),
            reflection=found.reflection,
            recolor=recolor,
            recipe=self.recipe,
        )
        if self.improved:
            move = self._reporting(move, ir, source, prefix, tables)
        if domain.values is None:
            return move
        mirrors = np.array(found.mirrors)
        if recolor:  # any other value stands for all of them: what counts is which sites are equal
            mirrors = np.roll(np.arange(len(domain.values)), -1)[None]
        if self.improved:
            odd = odd_parts(domain, np.array(found.mirrors), recolor)
            assert odd is not None
            tables[f"{prefix}.odd"] = _by_value(odd, domain)
            move = replace(move, odd=f"{prefix}.odd")
        name = f"{prefix}.mirrors"
        tables[name] = _by_value(np.asarray(domain.values)[mirrors], domain).astype(np.int16)
        if not self.one:
            return replace(move, mirrors=name)
        tables[f"{prefix}.picks"] = _by_value(_picks(mirrors).T, domain).T.astype(np.uint32)
        return replace(move, mirrors=name, picks=f"{prefix}.picks")

    def _reporting(
        self, move: Clusters, ir: ModelIR, source: Tables, prefix: str, tables: dict
    ) -> Clusters:
        """The move with its reports, and tables of where sites are."""
        v = ir.variable(self.variable)
        move = replace(move, reports=(Report("improved_m2"),))
        if not self.one:
            held = np.setdiff1d(np.arange(v.n_sites), source[v.free])
            tables[f"{prefix}.held"] = held.astype(np.uint32)
            move = replace(move, held=f"{prefix}.held")
        if not self.lengths:
            return move
        tables[f"{prefix}.forward"] = forward(self.lengths).astype(np.uint32)
        reach = Report("improved_correlation", min(self.lengths) // 2 + 1)
        return replace(move, forward=f"{prefix}.forward", reports=(*move.reports, reach))


def _tie(t: Terms, prefix: str, components: int, tables: dict) -> Tie:
    """A tie with its tables."""
    sites = []
    for k, x in enumerate(t.sites):
        sites.append(f"{prefix}.site{k}")
        tables[sites[-1]] = x.astype(np.uint32)
    columns: list[Column] = []
    for k, (c, index) in enumerate(zip(t.columns, t.indices, strict=True)):
        if index is not None:
            c = replace(c, index=f"{prefix}.{k}")
            tables[c.index] = np.ascontiguousarray(index, np.uint32)
        columns.append(c)
    used = components * len(t.sites)
    shifted = {k: k - components for k in range(components, used + len(columns))}
    old = {k: read(f"old.{k}") for k in range(components)}
    new = {k: read(f"new.{k}") for k in range(components)}

    def rise(e: Expr) -> Expr:
        return renumber(difference(e, new, old), shifted)

    log_free = -(read("beta") * rise(t.tempered)) - rise(t.fixed)
    return Tie(tuple(sites), call("min", const(0.0), log_free), tuple(columns))


def _by_value(x: np.ndarray, domain: Domain) -> np.ndarray:
    """Columns, one for each value, spread over all whole numbers from the lowest value to the highest."""
    assert domain.values is not None
    places = np.asarray(domain.values, np.int64) - int(domain.values[0])
    out = np.zeros((len(x), places[-1] + 1), x.dtype)
    out[:, places] = x
    return out


def _picks(mirrors: np.ndarray) -> np.ndarray:
    """For each value, how many reflections a seed with it picks from, and which.

    Those that move it, if the image has as many; else all of them. So the way back is as likely.
    """
    moved = mirrors != np.arange(mirrors.shape[1])
    count = moved.sum(axis=0)
    if (count[mirrors] != count).any():
        moved[:], count[:] = True, len(mirrors)
    out = np.zeros((mirrors.shape[1], 1 + len(mirrors)), np.int64)
    out[:, 0] = count
    for value, row in enumerate(out):
        row[1 : 1 + count[value]] = np.flatnonzero(moved[:, value])
    return out
