"""Wolff (1989): reflect the cluster of a random site."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.lower.collective import ClusterSpec
from statmech_dsl.updates.base import Update
from statmech_dsl.updates.clusters import ergodic, refuse


def _build(variable: str, domain: Domain) -> ClusterSpec:
    return ClusterSpec("wolff", variable, one=True)


WOLFF = Update("wolff", refuse, _build, automatic=False, ergodic=ergodic)
