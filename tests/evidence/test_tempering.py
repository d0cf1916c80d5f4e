"""Tempering against what is known of it, in a reduced form; `make evidence` has the whole one."""

from __future__ import annotations

import pytest

from tests.evidence import tempering


def test_glasses_and_graphs():
    z: list[float] = []
    checks = tempering.glasses_2d(False, z) + tempering.small_graphs(False, z)
    checks.append(tempering.variance_check(z))
    assert all(check.right for check in checks), checks


@pytest.mark.parametrize(
    "find",
    [
        tempering.glasses_3d,
        tempering.link_identity,
        tempering.wells,
        tempering.ising_chain,
        tempering.tuned_ladders,
        tempering.coverage,
    ],
    ids=lambda find: find.__name__,
)
def test_reduced(find):
    checks = find(False)
    assert checks
    assert all(check.right for check in checks), checks
