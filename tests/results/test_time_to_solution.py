"""`sm.time_to_solution` and `sm.to_sampleset` on results of annealing."""

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl import errors


@pytest.fixture(scope="module")
def result():
    model = sm.models.edwards_anderson(L=4, d=2, seed=1)
    return sm.anneal(model, reads=100, sweeps=10, seed=1, progressbar=False)


def test_reads_at_or_below_the_target_count(result):
    reached = float((result.energy <= -20).mean())
    assert 0 < reached < 1
    found = sm.time_to_solution(result, target=-20)
    assert float(found.success_probability) == reached
    per_read = result.attrs["sampling_time"] / 100
    expected = per_read * max(1.0, np.log(0.01) / np.log1p(-reached))
    assert float(found.time_to_solution) == pytest.approx(expected)
    assert found.attrs == {"target": -20.0, "confidence": 0.99, "reads": 100}
    assert np.isinf(sm.time_to_solution(result, target=-24).time_to_solution)
    assert sm.time_to_solution(result).equals(found), "-20 is the lowest"


def test_other_results_are_refused(result):
    data = sm.sample(sm.models.ising(L=2), draws=4, tune=0, progressbar=False)
    for function in (sm.time_to_solution, sm.to_sampleset):
        with pytest.raises(errors.ArgumentError, match="expected the result of sm.anneal"):
            function(data)


def test_sample_sets():
    dimod = pytest.importorskip("dimod")
    model = sm.models.max_cut(N=10)
    result = sm.anneal(model, reads=5, sweeps=20, seed=1, progressbar=False)
    samples = sm.to_sampleset(result)
    assert samples.vartype is dimod.SPIN
    np.testing.assert_array_equal(samples.record.energy, result.energy)
    np.testing.assert_array_equal(samples.record.sample, result.s)
    np.testing.assert_allclose(sm.to_bqm(model).energies(samples), samples.record.energy)


def test_values_that_no_sample_set_has():
    result = sm.anneal(sm.models.potts(L=3), reads=2, sweeps=2, seed=1, progressbar=False)
    with pytest.raises(errors.ArgumentError, match="Potts 's'"):
        sm.to_sampleset(result)
