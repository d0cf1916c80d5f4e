"""Slowing down of cluster moves and of local updates, in a reduced form."""

from __future__ import annotations

import pytest

from tests.evidence import dynamics


@pytest.mark.parametrize(
    "find", [dynamics.swendsen_wang, dynamics.local], ids=lambda find: find.__name__
)
def test_reduced(find):
    checks = find(False)
    assert checks
    assert all(check.right for check in checks), checks
