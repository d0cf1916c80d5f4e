"""`infer`: posteriors against quadrature, what it says of itself, and what it refuses."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

import statmech_dsl as sm
from statmech_dsl.errors import (
    ArgumentError,
    IdentifiabilityWarning,
    ModelError,
    NotConvergedWarning,
    UnboundedLikelihoodError,
)
from statmech_dsl.inference.infer import choose
from statmech_dsl.inference.methods import METHODS, Run, bethe, path
from statmech_dsl.inference.problem.identifiability import unidentified
from statmech_dsl.inference.problem.posed import pose
from statmech_dsl.solvers.approximations import bethe as propagation

N = 8
RING = sm.lattices.chain(N)
FROM, TO = RING.bonds
STATES = np.random.default_rng(3).choice([-1, 1], (40, N))
QUIET = {"draws": 150, "tune": 150, "chains": 2, "seed": 1, "progressbar": False}


def ring(prior=lambda: pm.Normal("J", 0, 1)):
    with sm.Model() as model:
        J = prior()
        s = sm.Spin("s", RING)
        sm.Energy("exchange", -J * s[FROM] * s[TO])
    return model


GRID = np.linspace(-0.4, 0.4, 401)


def moments(log_likelihood):
    """Mean and standard deviation of J on the grid, under the normal prior."""
    log_p = log_likelihood - GRID**2 / 2
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = p @ GRID
    return mean, np.sqrt(p @ (GRID - mean) ** 2)


def quadrature():
    """Of the posterior of J, from the known log Z of a ring."""
    S = (STATES[:, FROM] * STATES[:, TO]).sum()
    log_Z = N * np.log(2) + np.log(np.cosh(GRID) ** N + np.sinh(GRID) ** N)
    return moments(GRID * S - len(STATES) * log_Z)


@pytest.mark.parametrize(("method", "within"), [("exact", 1e-9), ("bethe", 0.02), ("path", 0.15)])
def test_likelihoods_are_that_of_a_ring(method, within):
    found = METHODS[method].likelihood(pose(ring(), {"s": STATES}), Run(1, 1, 1, 1, 1, False))
    mean, sd = moments(np.array([found.total(np.array([-J]))[0] for J in GRID]))
    expected_mean, expected_sd = quadrature()
    assert mean == pytest.approx(expected_mean, abs=within * expected_sd)
    assert sd == pytest.approx(expected_sd, rel=within)


def test_nuts_samples_the_posterior():
    result = sm.infer(ring(), {"s": STATES}, **(QUIET | {"draws": 300}))
    mean, sd = quadrature()
    assert float(result.posterior.J.mean()) == pytest.approx(mean, abs=0.35 * sd)
    assert float(result.posterior.J.std()) == pytest.approx(sd, rel=0.25)


def test_what_a_path_says_of_itself():
    result = sm.infer(ring(), {"s": STATES}, method="path", **(QUIET | {"draws": 20, "tune": 80}))
    assert result.attrs["method"] == "path"
    assert result.attrs["reason"] == "as asked for"
    assert result.attrs["outside"] <= 0.1
    assert 0 < result.attrs["expected_shift"] < 0.2
    assert result.log_likelihood.s.dims == ("chain", "draw", "state")


TINY = QUIET | {"draws": 10, "tune": 20}


def test_a_path_that_does_not_cover_the_posterior_warns(monkeypatch):
    monkeypatch.setattr(path, "OUTSIDE", -1.0)
    monkeypatch.setattr(path, "ROUNDS", 2)  # the region is moved once
    monkeypatch.setattr(path, "PER_STATE", 20)
    with pytest.warns(NotConvergedWarning, match="outside the region"):
        sm.infer(ring(), {"s": STATES}, method="path", **TINY)


def test_a_path_with_large_errors_warns(monkeypatch):
    monkeypatch.setattr(path, "POOR", 0.0)
    with pytest.warns(NotConvergedWarning, match="may shift the posterior by"):
        sm.infer(ring(), {"s": STATES}, method="path", **TINY)


def test_propagation_that_does_not_converge_warns(monkeypatch):
    monkeypatch.setattr(propagation, "MAX_ITERATIONS", 1)
    monkeypatch.setattr(bethe, "SHORT", 1)
    with pytest.warns(NotConvergedWarning, match="did not converge at 100.0%"):
        result = sm.infer(ring(), {"s": STATES}, method="bethe", **TINY)
    assert result.attrs["not_converged"] == 1.0


def test_everything_in_a_result():
    data = STATES.astype(float)
    result = sm.infer(ring(), {"s": data}, posterior_predictive=5, **(QUIET | {"draws": 20}))
    assert result.attrs["method"] == "exact"
    assert "feasible" in result.attrs["reason"]
    assert result.attrs["unidentified"] == []
    np.testing.assert_array_equal(result.observed_data.s, data)
    states = result.posterior_predictive.s
    assert states.shape == (1, 5, N)
    assert set(np.unique(states)) <= {-1, 1}
    J = result.posterior.J.values[0, 0]
    log_Z = np.log((2 * np.cosh(J)) ** N + (2 * np.sinh(J)) ** N)
    each = J * (STATES[:, FROM] * STATES[:, TO]).sum(axis=1) - log_Z
    np.testing.assert_allclose(result.log_likelihood.s[0, 0], each)


def test_a_seed_makes_it_reproducible():
    short = QUIET | {"draws": 20, "tune": 20, "method": "pseudolikelihood"}
    a, b = (sm.infer(ring(), {"s": STATES}, **short).posterior.J for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_auto_says_why():
    assert choose(pose(ring(), {"s": STATES}), "auto")[0].name == "exact"
    lattice = sm.lattices.square(16)
    i, j = lattice.bonds
    with sm.Model() as few:
        J = pm.Normal("J", 0, 1)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
    method, reason = choose(pose(few, {"s": np.ones(256)}), "auto")
    assert method.name == "path"
    assert reason.startswith("not exact: it would visit 2^256 states")


def hidden():
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        s, t = sm.Spin("s", N), sm.Spin("t", N)
        sm.Energy("exchange", -J * s * t)
    return model


def nonlinear():
    with sm.Model() as model:
        J = pm.Normal("J", 0, 1)
        x = sm.Angle("s", N)
        sm.Energy("field", pm.math.exp(J * pm.math.cos(x)))
    return model


BAD = {
    "method": (ring, {"method": "magic"}, ArgumentError, "unknown method 'magic'"),
    "draws": (ring, {"draws": 0}, ArgumentError, "draws must be"),
    "predictive": (ring, {"posterior_predictive": -1}, ArgumentError, "posterior_predictive must"),
    "hidden": (hidden, {"method": "path"}, ModelError, "'t' was not seen"),
    "nonlinear": (nonlinear, {"method": "path"}, ModelError, "no linear function"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    build, options, error, words = BAD[case]
    with pytest.raises(error, match=words):
        sm.infer(build(), {"s": STATES}, **(QUIET | options))


def test_constant_data_under_a_flat_prior():
    with pytest.raises(UnboundedLikelihoodError, match="prior of J is flat"):
        sm.infer(ring(lambda: pm.Flat("J")), {"s": np.ones((3, N))}, **QUIET)


def test_constant_data_under_a_proper_prior():
    with pytest.warns(IdentifiabilityWarning, match="all values of 's' are the same"):
        result = sm.infer(ring(), {"s": np.ones((3, N))}, **(QUIET | {"draws": 20, "tune": 50}))
    assert len(result.attrs["unidentified"]) == 1


UNIDENTIFIED = {
    "product": (lambda J, w: J * w, 1.0, "only a combination of J, w"),
    "sum": (lambda J, w: J + w, 1.0, "only a combination of J, w"),
    "signs": (lambda J, w: J * w, 1.0, "J and w change sign"),
    "square": (lambda J, w: J**2, 1.0, "when J change"),
}


@pytest.mark.parametrize("case", UNIDENTIFIED)
def test_what_data_do_not_tell(case):
    coupling, at, words = UNIDENTIFIED[case]
    with sm.Model() as model:
        J, w = pm.Normal("J", 0, 1), pm.Normal("w", 0, 1)
        s = sm.Spin("s", RING)
        sm.Energy("exchange", -coupling(J, w) * s[FROM] * s[TO])
    posterior = xr.Dataset({name: (("chain", "draw"), [[at, at]]) for name in ("J", "w")})
    found = unidentified(
        pose(model, {"s": STATES}), xr.DataTree.from_dict({"posterior": posterior})
    )
    assert any(words in str(w) for w in found)


def test_statistics_that_no_state_tells_apart():
    with sm.Model() as model:
        h, g = pm.Normal("h", 0, 1), pm.Normal("g", 0, 1)
        s = sm.Spin("s", N)
        sm.Energy("zeeman", -h * s)
        sm.Energy("occupied", -g * (1 + s) / 2)
    at = xr.Dataset({name: (("chain", "draw"), [[0.3, 0.4]]) for name in ("h", "g")})
    (found,) = unidentified(pose(model, {"s": STATES}), xr.DataTree.from_dict({"posterior": at}))
    assert "only a combination of h, g" in str(found)


def test_two_couplings_that_data_tell_apart():
    with sm.Model() as model:
        J, h = pm.Normal("J", 0, 1), pm.Normal("h", 0, 1)
        s = sm.Spin("s", RING)
        sm.Energy("exchange", -J * s[FROM] * s[TO])
        sm.Energy("zeeman", -h * s)
    at = xr.Dataset({name: (("chain", "draw"), [[0.3, 0.4]]) for name in ("J", "h")})
    assert unidentified(pose(model, {"s": STATES}), xr.DataTree.from_dict({"posterior": at})) == []


def test_gauge_symmetries_of_hidden_sites():
    with sm.Model() as model:
        w = pm.Normal("w", shape=3)
        b = pm.Normal("b")
        v, h = sm.Spin("v", 3), sm.Spin("h", 1)
        sm.Energy("weights", -w * v * h[0])
        sm.Energy("bias", -b * v)
    states = np.random.default_rng(1).choice([-1, 1], (20, 3))
    with pytest.warns(
        IdentifiabilityWarning, match=r"'h', which was not seen, and w\[0\], w\[1\], w\[2\]"
    ):
        sm.infer(model, {"v": states}, draws=5, tune=5, chains=1, seed=1, progressbar=False)


def test_no_gauge_symmetry_with_a_known_field_on_hidden_sites():
    with sm.Model() as model:
        w = pm.Normal("w", shape=3)
        v, h = sm.Spin("v", 3), sm.Spin("h", 1)
        sm.Energy("weights", -w * v * h[0])
        sm.Energy("field", -0.5 * h)
    states = np.random.default_rng(1).choice([-1, 1], (20, 3))
    tree = sm.infer(model, {"v": states}, draws=5, tune=5, chains=1, seed=1, progressbar=False)
    assert not any("gauge" in text for text in tree.attrs["unidentified"])
