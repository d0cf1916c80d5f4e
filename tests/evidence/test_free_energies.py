"""Free-energy estimators against exact results, in a reduced form; `make evidence` has the whole one."""

from __future__ import annotations

import pytest

from tests.evidence import free_energies


@pytest.mark.parametrize(
    "find",
    [free_energies.z_scores, free_energies.coverage, free_energies.poor_overlap],
    ids=lambda find: find.__name__,
)
def test_reduced(find):
    checks = find(False)
    assert checks
    assert all(check.right for check in checks), checks
