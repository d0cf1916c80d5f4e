"""The evidence of population annealing, in a reduced form."""

from tests.evidence.population import coverage


def test_errors_of_log_z_cover():
    wrong = [check for check in coverage(whole=False) if not check.right]
    assert not wrong
