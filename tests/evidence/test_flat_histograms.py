"""Flat histograms against exact results, in a reduced form; `make evidence` has the whole one."""

from __future__ import annotations

import pytest

from tests.evidence import flat_histograms


@pytest.mark.parametrize(
    "find",
    [flat_histograms.ising_states, flat_histograms.coverage, flat_histograms.potts],
    ids=lambda find: find.__name__,
)
def test_reduced(find):
    checks = find(False)
    assert checks
    assert all(check.right for check in checks), checks
