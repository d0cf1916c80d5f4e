"""What overrelaxation gains, on a small lattice; `make evidence` has the whole one."""

from __future__ import annotations

from tests.evidence import overrelaxation


def test_reduced():
    checks = overrelaxation.gains(False)
    assert checks
    assert all(check.right for check in checks), checks
