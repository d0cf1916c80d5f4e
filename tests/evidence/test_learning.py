"""The evidence of learning, in a reduced form; the test of the example has the encoder."""

import pytest

from tests.evidence import learning


@pytest.mark.parametrize("find", [learning.inverse_ising, learning.digits])
def test_reduced(find):
    wrong = [check for check in find(False) if not check.right]
    assert not wrong
