"""The samplers against exact values: the cases that are short enough; `make evidence` runs them all."""

from __future__ import annotations

from dataclasses import replace

from tests.evidence.cases import CASES, rows
from tests.evidence.zscores import Score, band, scores, variance

LIMIT = 4.0
"""Standard errors; in one of 80 sets of 200 right z-scores one lies outside."""


def test_there_are_enough_scores_and_each_run_has_its_own_seed():
    assert sum(case.n_scores for case in CASES) >= 400
    assert sum(case.n_scores for case in CASES if case.ci) >= 150
    assert len({case.seed for case in CASES}) == len(CASES)


def test_the_samplers_agree_with_exact_values_within_their_error_bars():
    found = [score for case in CASES if case.ci for score in scores(case, threads=1)]
    outside = [str(score) for score in found if abs(score.z) >= LIMIT]
    assert not outside, "\n".join(outside)
    low, high = band(len(found), chance=1e-3)
    assert low < variance(found) < high


def test_a_wrong_convention_does_not_pass():
    """The Curie-Weiss tables leave out i = j; taken as they are, they are off by J / 2."""
    case = next(case for case in CASES if case.name == "Curie-Weiss N=10, h=0.0")
    table = rows("curie_weiss", "magnet", N=10, h=0.0)
    wrong = replace(case, exact={"energy": tuple(r["N"] * r["u"] for r in table)}, draws=200)
    assert all(score.z < -LIMIT for score in scores(wrong, threads=1))


def test_error_bars_of_the_wrong_size_do_not_pass():
    """The limits of the variance tell an error bar from its half and its double."""
    exact = [(k % 20 - 9.5) / 5.77 for k in range(200)]  # variance 1
    for size, right in ((0.5, False), (1.0, True), (2.0, False)):
        found = [Score(CASES[0], "energy", 1.0, z, size, 0.0, "none") for z in exact]
        low, high = band(len(found), chance=1e-3)
        assert (low < variance(found) < high) is right
