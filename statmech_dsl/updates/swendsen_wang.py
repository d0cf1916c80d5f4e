"""Swendsen and Wang (1987): tie sites together at random, then give each cluster another value, or not."""

from __future__ import annotations

from statmech_dsl.ir.domains.base import Domain
from statmech_dsl.lower.collective import ClusterSpec
from statmech_dsl.updates.base import Update
from statmech_dsl.updates.clusters import ergodic, refuse


def _build(variable: str, domain: Domain) -> ClusterSpec:
    return ClusterSpec("swendsen_wang", variable, one=False)


SWENDSEN_WANG = Update("swendsen_wang", refuse, _build, automatic=False, ergodic=ergodic)
