"""Works in both directions, exactly: the reverse path makes the updates of a sweep in the reverse order.

A sweep visits its sites one after the other. It keeps its distribution, but does not balance each pair of
states; what balances them is the sweep in the opposite order. All paths of three spins are summed here.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

import statmech_dsl as sm
from statmech_dsl.testing.conformance import enumeration
from statmech_dsl.testing.setup import begin, build

BETA = np.array([0.0, 0.5, 1.1, 1.6])
"""The protocol: a change of beta, then a sweep, and so on."""
J, H = np.array([0.9, -0.6]), np.array([0.2, -0.5, 0.7])


def three_spins():
    with sm.Model() as model:
        s = sm.Spin("s", 3)
        sm.Energy("exchange", -J * s[:-1] * s[1:])
        sm.Energy("field", -H * s)
    return model


def sweeps(update):
    """Energies, weights and the transition matrix of a sweep at each beta."""
    sampler = build(three_spins(), updates=update)
    each = [enumeration(sampler, begin(sampler, b, seed=1)) for b in BETA]
    return each[0].energy, np.exp([e.log_weights() for e in each]), [e.matrix() for e in each]


def paths(reverse):
    """Probabilities of all paths (x0, x1, x2) forward and backward, their works, and log Z1/Z0."""
    energy, weights, P = sweeps("heat_bath")
    _, _, R = sweeps(reverse)
    Z = weights.sum(axis=1)
    first, last = weights[0] / Z[0], weights[-1] / Z[-1]
    forward = np.einsum("a,ab,bc->abc", first, P[1], P[2])
    # From the other end: a sweep at the last beta, which changes nothing here, then a change of beta, ...
    backward = np.einsum("c,cb,ba->abc", last @ R[3], R[2], R[1])
    d = np.diff(BETA)
    work = (
        d[0] * energy[:, None, None] + d[1] * energy[None, :, None] + d[2] * energy[None, None, :]
    )
    return forward.ravel(), backward.ravel(), work.ravel(), np.log(Z[-1] / Z[0])


def by_work(probability, work):
    """The distribution of works."""
    values, index = np.unique(work.round(9), return_inverse=True)
    return values, np.bincount(index, probability)


def miss(forward, backward, work, log_ratio):
    """What Crooks' relation p_F(w) e^-w = p_R(-w) Z1/Z0 is off by, summed over works."""
    w, p = by_work(forward, work)
    _, q = by_work(backward, work)
    return float(np.abs(p * np.exp(-w - log_ratio) - q).sum())


def test_a_sweep_is_balanced_by_the_one_in_the_opposite_order():
    _, weights, P = sweeps("heat_bath")
    _, _, R = sweeps("reversed heat_bath")
    for w, p, r in zip(weights, P, R, strict=True):
        pi = w / w.sum()
        np.testing.assert_allclose(pi[:, None] * p, (pi[:, None] * r).T, atol=1e-14)
    pi = weights[-1] / weights[-1].sum()
    assert np.abs(pi[:, None] * P[-1] - (pi[:, None] * P[-1]).T).max() > 1e-2


def test_with_sweeps_in_the_opposite_order_works_obey_crooks_theorem():
    forward, backward, work, log_ratio = paths("reversed heat_bath")
    assert forward.sum() == pytest.approx(1.0)
    assert (forward * np.exp(-work)).sum() == pytest.approx(np.exp(log_ratio), rel=1e-12)
    np.testing.assert_allclose(forward * np.exp(-work - log_ratio), backward, atol=1e-15)
    assert miss(forward, backward, work, log_ratio) < 1e-12


def test_with_sweeps_in_the_same_order_they_do_not_and_bennetts_ratio_is_off():
    forward, backward, work, log_ratio = paths("heat_bath")
    # Averages in one direction need no balance.
    assert (forward * np.exp(-work)).sum() == pytest.approx(np.exp(log_ratio), rel=1e-12)
    assert (backward * np.exp(work)).sum() == pytest.approx(np.exp(-log_ratio), rel=1e-12)
    assert miss(forward, backward, work, log_ratio) > 1e-2

    def bennett(p, q):  # 0 at the true difference
        return float(p @ expit(-work - log_ratio) - q @ expit(work + log_ratio))

    assert abs(bennett(forward, backward)) > 1e-4
    right = paths("reversed heat_bath")
    assert abs(bennett(right[0], right[1])) < 1e-14
