"""Log Z by all routes against exact results, in a reduced form; `make evidence` has the whole one."""

from __future__ import annotations

import pytest

from tests.evidence import log_z


@pytest.mark.parametrize("find", log_z.FINDERS, ids=lambda find: find.__name__)
def test_reduced(find):
    checks = list(find(False))
    assert checks
    assert all(check.right for check in checks), checks
