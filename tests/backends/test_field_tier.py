"""Decisions in float32: their errors, their margins, and what is decided again."""

from __future__ import annotations

import numpy as np
import pytest

import statmech_dsl as sm
from statmech_dsl import rng
from statmech_dsl.backends.numba_cpu import field_printer, kernels
from statmech_dsl.backends.numba_cpu.layouts import SiteLanes
from statmech_dsl.backends.numba_cpu.runtime_float32 import WEIGHT2F_ERROR, top24, weight2f
from statmech_dsl.engine.compile import lower_model
from statmech_dsl.errors import ValidationError
from statmech_dsl.ir.kernel import Accumulate, FieldForm
from statmech_dsl.testing import check_backend
from statmech_dsl.testing.setup import build

single = np.float32


def glass(scale=1.0, noise=1.0, L=6):
    """Random signs times a size, plus noise: a large size makes sums that cancel, and lose digits."""
    lattice = sm.lattices.square(L)
    generator = np.random.default_rng(3)
    J = generator.choice([-1, 1], lattice.n_links) * scale + noise * generator.normal(
        size=lattice.n_links
    )
    with sm.Model() as model:
        s = sm.Spin("s", lattice)
        i, j = lattice.bonds
        sm.Energy("exchange", -J * s[i] * s[j])
    return model


def form_of(model) -> FieldForm | str:
    return lower_model(model).lowered.program.passes[0].field


# ---- errors --------------------------------------------------------------------------------------


def test_the_weight_in_float32():
    x = np.concatenate([np.linspace(-126, 126, 20001), np.linspace(-1, 1, 20001)]).astype(single)
    found = np.array([weight2f(v) for v in x], float)
    assert np.abs(found / np.exp2(x.astype(float)) - 1).max() < WEIGHT2F_ERROR
    assert weight2f(single(1e9)) == weight2f(single(126.0))


@pytest.mark.parametrize("word", [0, 1, 255, 256, 2**31, 2**32 - 1])
def test_the_uniform_number_in_float32(word):
    assert 0 <= rng.uniform(word) - top24(np.uint32(word)) <= 2.0**-24


@pytest.mark.parametrize("n", [2, 3, 6])
def test_a_decided_probability_is_right_to_22_bits_and_well_within_the_margin(n):
    """Sums over four neighbors of size 1 at beta = 1, before anything is decided again."""
    generator = np.random.default_rng(n)
    worst, beta = 0.0, 0.93
    for _ in range(300):
        J = generator.normal(size=4)
        J /= np.abs(J).sum()
        f = generator.uniform(-1, 1, (n, 4)).astype(single).astype(float)  # what float32 holds
        f[0] = 0.0
        exact = -beta * (f @ J)
        p = np.cumsum(np.exp(exact - exact.max()))
        e = np.zeros(n, single)
        for d in range(4):
            e += single(J[d]) * f[:, d].astype(single)
        w = -single(beta) * e
        w = np.array([weight2f(single(1.4426950408889634) * x) for x in w - w.max()], single)
        found = np.cumsum(w, dtype=single).astype(float)
        worst = max(worst, np.abs(found / found[-1] - p / p[-1]).max())
    form = FieldForm(
        Accumulate((), ()), 1.0, 2 + 1 + 2 + 4, False
    )  # coefficient, product; beta, product; sums
    fixed, each, _ = field_printer.margin(form, n)
    assert worst < 2.0**-22
    assert worst < 0.5 * (fixed + each * beta)


# ---- deciding again -------------------------------------------------------------------------------


def test_sums_that_cancel_are_decided_again():
    check_backend(glass(scale=3e4), replicas=(1, 64), threads=(1,), sweeps=6)


def test_a_margin_that_is_too_small_is_seen(monkeypatch):
    monkeypatch.setattr(field_printer, "margin", lambda form, n: (0.0, 0.0, 0.0))
    with pytest.raises(ValidationError, match="values of 's' differ"):
        check_backend(glass(scale=3e5), replicas=(64,), threads=(1,), sweeps=6)


@pytest.mark.parametrize("scale", [1e12, 1e30, 1e300])
def test_numbers_beyond_float32_are_decided_in_float64(scale):
    check_backend(glass(scale=scale, noise=0.3 * scale, L=4), replicas=(9,), threads=(1,), sweeps=2)


# ---- who is taken ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        (sm.models.potts(L=4, q=5), True),
        (sm.models.clock(L=4, q=5), True),
        (sm.models.edwards_anderson(L=4, couplings="gaussian"), True),
        (sm.models.boltzmann_machine(), True),
        (sm.models.curie_weiss(N=16), "every site depends on every other"),
        (sm.models.xy(L=4), "only discrete values"),
    ],
    ids=lambda x: "" if isinstance(x, bool | str) else None,
)
def test_which_passes_are_taken(model, taken):
    form = form_of(model)
    assert isinstance(form, FieldForm) if taken is True else str(form).startswith(taken)


def test_a_neighbor_with_real_values_is_refused():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        phi = sm.Field("phi", 4)
        sm.Energy("coupling", s * phi)
        sm.Energy("binding", phi**2)
    assert form_of(model) == "it reads the continuous variable 'phi'"
    assert "it reads the continuous variable 'phi'" in str(sm.explain(model))


# ---- threads within a color -----------------------------------------------------------------------


@pytest.mark.parametrize("updates", ["heat_bath", "metropolis"])
def test_threads_share_a_color(updates, monkeypatch):
    """Colors of 650 sites begin and end within tiles of 512."""
    monkeypatch.setattr(kernels, "WORTH_SHARING", 1)
    i, j = sm.lattices.chain(1300).bonds
    with sm.Model() as model:
        theta = sm.Angle("theta", 1300)
        sm.Energy("exchange", -1.0 * np.cos(theta[i] - theta[j]))
    sampler = build(model, 1, updates=updates, backend="numba", threads=2)
    assert isinstance(sampler.kernels.layout, SiteLanes)
    assert sampler.kernels._within_colors(1)
    check_backend(model, updates=updates, replicas=(1, 2), threads=(1, 2, 3), sweeps=2)
