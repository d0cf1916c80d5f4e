"""Posteriors by the exchange algorithm, fewer and shorter; `make evidence` has the whole runs."""

from __future__ import annotations

import pytest

import statmech_dsl as sm
from tests.evidence import exchange


def test_ring():
    check = exchange.ring(False)
    assert check.right, check


@pytest.mark.parametrize("method", ["exact", "path"])
def test_ring_by_likelihood(method):
    check = exchange.ring_by_likelihood(method)
    assert check.right, check


@pytest.mark.parametrize("method", ["exact", "exchange"])
def test_calibration(method):
    check = exchange.calibration(method, False)
    assert check.right, check


def test_coverage():
    model = exchange.magnet(sm.lattices.square(8), 0.1, 0.4, 0.1)
    checks = exchange.coverage("one state of 8 x 8 spins", model, False)
    assert all(check.right for check in checks), checks
