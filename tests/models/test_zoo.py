"""Every model has the energy that its docstring states."""

import inspect
from itertools import product
from math import log, pi, sqrt
from pathlib import Path

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.replace import vectorize_graph
from scipy.special import logsumexp

import statmech_dsl as sm
from statmech_dsl.models import MODELS

SMALL = {"L": 3, "N": 8, "n_visible": 3, "n_hidden": 2, "n_patterns": 2}
every_model = pytest.mark.parametrize("name", MODELS)


def evaluate(model, output, **states):
    """Evaluate a graph on states along the leading axis."""
    batches = {model[name]: pt.constant(x, dtype=model[name].dtype) for name, x in states.items()}
    outputs = vectorize_graph(output, batches)
    return pytensor.function([], outputs, mode="FAST_COMPILE")()


def energies(model, **states):
    return evaluate(model, -sum(term.sum() for term in model.potentials), **states)


def all_states(values, n):
    return np.array(list(product(values, repeat=n)))


def log_partition(energy, T=1.0):
    return logsumexp(-energy / T)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


# The registry


def small(name, **arguments):
    parameters = inspect.signature(MODELS[name]).parameters
    sizes = {key: value for key, value in SMALL.items() if key in parameters}
    return MODELS[name](**sizes | arguments)


@every_model
def test_the_function_has_a_file_of_its_own(name):
    path = Path(inspect.getfile(MODELS[name]))
    assert path.stem == name
    assert len(path.read_text().splitlines()) <= 60


def test_no_file_is_left_out():
    folder = Path(inspect.getfile(MODELS["ising"])).parent
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", *MODELS}


@every_model
def test_the_docstring_states_the_hamiltonian_and_a_reference(name):
    doc = MODELS[name].__doc__
    for part in ("Hamiltonian", " E = ", "References\n", "Examples\n"):
        assert part in doc
    for parameter in inspect.signature(MODELS[name]).parameters:
        assert parameter in doc.partition("Parameters\n")[2].partition("Returns\n")[0]


@every_model
def test_the_defaults_can_be_written_on_the_command_line(name):
    for parameter in inspect.signature(MODELS[name]).parameters.values():
        assert isinstance(parameter.default, int | float | str | None)


def random_states(model):
    states = pm.draw(model.basic_RVs, draws=3, random_seed=1, mode="FAST_COMPILE")
    return dict(zip((v.name for v in model.basic_RVs), states, strict=True))


@every_model
def test_energy_and_observables_are_finite(name):
    model = small(name)
    assert isinstance(model, sm.Model)
    assert model.potentials
    assert model.deterministics
    states = random_states(model)
    for values in (energies(model, **states), *evaluate(model, model.deterministics, **states)):
        assert len(values) == 3
        assert np.isfinite(values).all()


RANDOM = [name for name, f in MODELS.items() if "seed" in inspect.signature(f).parameters]


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_fixes_the_disorder(name):
    model = small(name, seed=1)
    states = random_states(model)
    values = energies(model, **states)
    assert (energies(small(name, seed=1), **states) == values).all()
    assert (energies(small(name, seed=2), **states) != values).any()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ising", 2 / log(1 + sqrt(2))),
        ("ising", 1 / 0.221654626),
        ("lattice_gas", 0.5 / log(1 + sqrt(2))),
        ("lattice_gas", 0.25 / 0.221654626),
        ("xy", 1 / 0.45416474),
        ("heisenberg", 1 / 0.693003),
        ("p_spin", 1 / (2 * sqrt(log(2)))),
        ("p_spin", -sqrt(log(2))),
        ("z2_gauge", log(1 + sqrt(2)) / 2),
    ],
)
def test_numbers_in_docstrings(name, value):
    assert f"{value:.6f}" in MODELS[name].__doc__


# Spin models on a lattice


def test_ising_energy_of_aligned_spins():
    up, down = np.ones((1, 16)), -np.ones((1, 16))
    assert energies(sm.models.ising(L=4, J=1.5), s=up) == -2 * 16 * 1.5
    assert energies(sm.models.ising(L=4, h=0.5), s=up) == -2 * 16 - 0.5 * 16
    assert energies(sm.models.ising(L=4, h=0.5), s=down) == -2 * 16 + 0.5 * 16
    assert energies(sm.models.ising(L=4, periodic=False), s=up) == -24
    assert energies(sm.models.ising(L=4, lattice="triangular"), s=up) == -48
    assert energies(sm.models.ising(lattice=sm.lattices.chain(16)), s=up) == -16


def test_ising_density_of_states():
    # Beale, Phys. Rev. Lett. 76, 78 (1996)
    energy = energies(sm.models.ising(L=4), s=all_states([-1, 1], 16))
    expected = [2, 0, 32, 64, 424, 1728, 6688, 13568, 20524]
    assert [np.sum(energy == E) for E in range(-32, 4, 4)] == expected


def test_potts_density_of_states():
    counts = [12, 0, 540, 936, 3240, 3996, 3348, 3240, 2592, 660, 810, 108, 144, 0, 54, 0, 0, 0, 3]
    energy = energies(sm.models.potts(L=3, q=3), s=all_states(range(3), 9))
    assert [np.sum(energy == -satisfied) for satisfied in range(19)] == counts


def test_potts_of_two_colors_is_ising(rng):
    colors = rng.integers(0, 2, (20, 16))
    potts = energies(sm.models.potts(L=4, q=2, J=3.0), s=colors)
    ising = energies(sm.models.ising(L=4, J=1.5), s=2 * colors - 1)
    assert potts == pytest.approx(ising - 1.5 * 32)


def test_potts_order_parameter():
    model = sm.models.potts(L=3, q=3)
    states = [np.full(9, 2), np.arange(9) % 3, [0, 0, 0, 0, 0, 0, 1, 1, 2]]
    assert evaluate(model, model["order"], s=states) == pytest.approx([1.0, 0.0, 0.5])


@pytest.mark.parametrize(("q", "log_z"), [(2, 12.457995432676132), (3, 9.263555125481336)])
def test_clock_partition_function(q, log_z):
    energy = energies(sm.models.clock(L=3, q=q), s=all_states(range(q), 9))
    assert log_partition(energy) - 9 * log(q) == pytest.approx(log_z, abs=1e-12)


def test_clock_is_xy_at_its_angles(rng):
    k = rng.integers(0, 5, (20, 9))
    clock, xy = sm.models.clock(L=3, q=5), sm.models.xy(L=3)
    angles = 2 * pi * k / 5
    assert energies(clock, s=k) == pytest.approx(energies(xy, theta=angles))
    for name in ("mx", "my"):
        values = evaluate(xy, xy[name], theta=angles)
        assert evaluate(clock, clock[name], s=k) == pytest.approx(values)


def test_xy_energy_of_aligned_and_twisted_spins():
    model = sm.models.xy(L=4, h=0.5, lattice="chain")
    aligned, twisted = np.zeros(4), np.arange(4) * pi / 2
    assert energies(model, theta=[aligned, twisted]) == pytest.approx([-4 - 2, 0])


def test_heisenberg_energy_of_aligned_and_crossed_spins():
    model = sm.models.heisenberg(L=4, J=2.0, h=0.5, lattice="chain")
    x, y, z = np.eye(3)
    states = [[z, z, z, z], [x, x, y, y], [z, -z, z, -z]]
    assert energies(model, s=states) == pytest.approx([-8 - 2, -4, 8])
    assert evaluate(model, model["m"], s=states)[1] == pytest.approx([0.5, 0.5, 0])
    planar = sm.models.heisenberg(L=3, n=2)
    assert energies(planar, s=np.tile([1, 0], (1, 27, 1))) == pytest.approx(-3 * 27)


def test_blume_capel_energy_of_aligned_and_empty_lattice():
    model = sm.models.blume_capel(L=4, D=1.9)
    states = [np.ones(16), -np.ones(16), np.zeros(16)]
    assert energies(model, s=states) == pytest.approx([16 * (1.9 - 2)] * 2 + [0])
    assert evaluate(model, model["density"], s=states) == pytest.approx([1, 1, 0])


def test_ashkin_teller_between_ising_and_potts(rng):
    s, t = rng.choice([-1, 1], (2, 20, 9))
    decoupled = energies(sm.models.ashkin_teller(L=3, J=1.5, K=0.0), s=s, t=t)
    ising = sm.models.ising(L=3, J=1.5)
    assert decoupled == pytest.approx(energies(ising, s=s) + energies(ising, s=t))
    symmetric = energies(sm.models.ashkin_teller(L=3, J=1.5, K=1.5), s=s, t=t)
    potts = energies(sm.models.potts(L=3, q=4, J=6.0), s=(1 + s) + (1 + t) // 2)
    assert symmetric == pytest.approx(potts + 1.5 * 18)
    up = np.ones((1, 9))
    assert energies(sm.models.ashkin_teller(L=3, J=1.0, K=0.5), s=up, t=-up) == -18 * 2.5


def test_lattice_gas_is_ising(rng):
    eps, mu, N, z = 1.3, -2.1, 16, 4
    n = rng.integers(0, 2, (20, N))
    gas = energies(sm.models.lattice_gas(L=4, eps=eps, mu=mu), n=n)
    ising = energies(sm.models.ising(L=4, J=eps / 4, h=mu / 2 + z * eps / 4), s=2 * n - 1)
    assert gas == pytest.approx(ising - N * (mu / 2 + z * eps / 8))


def test_liquid_and_gas_coexist_by_default(rng):
    n = rng.integers(0, 2, (20, 27))
    model = sm.models.lattice_gas(L=3, lattice="cubic")
    assert energies(model, n=n) == pytest.approx(energies(model, n=1 - n))


# Fields


@pytest.mark.parametrize(("mu2", "lam", "d"), [(-1.2723, 1.0, 2), (0.5, 0.7, 3)])
def test_phi4_energy(mu2, lam, d, rng):
    model = sm.models.phi4(L=3, mu2=mu2, lam=lam, d=d)
    uniform = 0.8 * np.ones(3**d)
    assert energies(model, phi=[uniform]) / 3**d == pytest.approx(mu2 / 2 * 0.64 + lam / 4 * 0.4096)
    phi = rng.normal(size=(5, *[3] * d))
    hopping = sum(phi * np.roll(phi, -1, axis) for axis in range(1, d + 1))
    density = -hopping + (d + mu2 / 2) * phi**2 + lam / 4 * phi**4
    energy = energies(model, phi=phi.reshape(5, -1))
    assert energy == pytest.approx(density.reshape(5, -1).sum(axis=1))


def test_phi4_action_of_the_literature_on_flows(rng):
    m2, lam = -4.0, 6.975
    phi = rng.normal(size=(3, 3))
    box = 4 * phi - sum(np.roll(phi, shift, axis) for shift in (1, -1) for axis in (0, 1))
    action = np.sum(phi * box + m2 * phi**2 + lam * phi**4)
    model = sm.models.phi4(L=3, mu2=m2, lam=lam)
    assert energies(model, phi=[sqrt(2) * phi.ravel()]) == pytest.approx(action)


def test_gaussian_field_partition_function():
    model = sm.models.gaussian_field(L=8, m2=0.1, d=1)
    one, two = np.eye(8), np.eye(8)[:, None] + np.eye(8)
    alone = energies(model, phi=one)
    pairs = energies(model, phi=two.reshape(64, 8)).reshape(8, 8)
    matrix = pairs - alone[:, None] - alone  # E is phi . matrix . phi / 2
    log_z = 4 * log(2 * pi) - np.linalg.slogdet(matrix).logabsdet / 2
    assert log_z == pytest.approx(6.175743233047331, abs=1e-12)
    assert np.linalg.inv(matrix)[0, 0] == pytest.approx(1.8352200712285724, abs=1e-12)
    w = 0.1 + 4 * np.sin(pi * np.arange(8) / 8) ** 2
    assert log_z == pytest.approx(np.log(2 * pi / w).sum() / 2, abs=1e-12)


def test_a_field_without_coupling_is_gaussian(rng):
    phi = rng.normal(size=(5, 27))
    free = energies(sm.models.gaussian_field(L=3, m2=0.3, d=3), phi=phi)
    assert energies(sm.models.phi4(L=3, mu2=0.3, lam=0.0, d=3), phi=phi) == pytest.approx(free)


# Random couplings


def couplings(model, term="exchange"):
    """The coupling of each group of spins: minus its energy when all spins are up."""
    return evaluate(model, model[term], s=np.ones(model["s"].type.shape)[None])[0]


def test_edwards_anderson_couplings(rng):
    bimodal = sm.models.edwards_anderson(L=4, seed=3)
    gaussian = sm.models.edwards_anderson(L=4, seed=3, couplings="gaussian")
    assert set(couplings(bimodal)) == {-1, 1}
    assert (np.sign(couplings(gaussian)) == couplings(bimodal)).all()
    assert abs(couplings(gaussian).mean()) < 0.2
    assert couplings(gaussian).var() == pytest.approx(1, abs=0.2)
    s = rng.choice([-1, 1], (5, 64))
    i, j = sm.lattices.cubic(4).bonds
    assert energies(gaussian, s=s) == pytest.approx(-(s[:, i] * s[:, j]) @ couplings(gaussian))
    with pytest.raises(KeyError, match="cauchy"):
        sm.models.edwards_anderson(couplings="cauchy")


def test_sherrington_kirkpatrick_couplings(rng):
    model = sm.models.sherrington_kirkpatrick(N=100)
    J = np.zeros((100, 100))
    J[np.triu_indices(100, 1)] = couplings(model)
    assert 100 * couplings(model).var() == pytest.approx(1, abs=0.06)
    s = rng.choice([-1, 1], (5, 100))
    assert energies(model, s=s) == pytest.approx([-x @ J @ x for x in s])


@pytest.mark.parametrize(("p", "variance"), [(2, 1 / 40), (3, 3 / 40**2)])
def test_p_spin_couplings(p, variance):
    J = couplings(sm.models.p_spin(N=40, p=p), "interaction")
    assert J.var() / variance == pytest.approx(1, abs=0.1)


def test_p_spin_energy_of_one_group():
    model = sm.models.p_spin(N=3)
    s = all_states([-1, 1], 3)
    assert energies(model, s=s) == pytest.approx(-couplings(model, "interaction") * s.prod(axis=1))


# Mean field and neural networks


def test_curie_weiss_partition_function():
    # The reference leaves out i = j, which adds J / 2 to the energy.
    model = sm.models.curie_weiss(N=4)
    assert energies(model, s=np.ones((1, 4))) == -2
    log_z = log_partition(energies(model, s=all_states([-1, 1], 4)), T=0.5)
    assert log_z == pytest.approx(3.919561529090401 + 0.5 / 0.5, abs=1e-12)
    assert energies(sm.models.curie_weiss(N=4, h=0.5), s=-np.ones((1, 4))) == -2 + 2


def test_hopfield_energy_by_overlaps(rng):
    model = sm.models.hopfield(N=20, n_patterns=3)
    s = rng.choice([-1, 1], (5, 20))
    overlap = evaluate(model, model["overlap"], s=s)
    assert energies(model, s=s) == pytest.approx(-10 * (overlap**2).sum(axis=1) + 1.5)


def test_hopfield_energy_of_a_pattern():
    pattern = np.array([1, -1, -1, 1, -1])
    model = sm.models.hopfield(patterns=[pattern])
    assert energies(model, s=[pattern, -pattern]) == pytest.approx([-2, -2])
    assert evaluate(model, model["overlap"], s=[pattern])[0] == pytest.approx(1)


def test_boltzmann_machine_energy(rng):
    W, b = rng.normal(size=(6, 6)), rng.normal(size=6)
    W = W + W.T
    model = sm.models.boltzmann_machine(weights=W, biases=b)
    n = all_states([0, 1], 6)
    off_diagonal = W - np.diag(np.diag(W))
    assert energies(model, n=n) == pytest.approx(
        [-x @ off_diagonal @ x / 2 - b @ x for x in n], abs=1e-12
    )


def test_restricted_boltzmann_machine_energy_and_partition_function(rng):
    W, a, b = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    model = sm.models.restricted_boltzmann_machine(weights=W, visible_biases=a, hidden_biases=b)
    units = all_states([0, 1], 7)
    v, h = units[:, :4], units[:, 4:]
    energy = energies(model, v=v, h=h)
    expected = [-a @ x - b @ y - x @ W @ y for x, y in zip(v, h, strict=True)]
    assert energy == pytest.approx(expected, abs=1e-12)
    visible = all_states([0, 1], 4)
    log_weights = visible @ a + np.log1p(np.exp(b + visible @ W)).sum(axis=1)
    assert log_partition(energy) == pytest.approx(logsumexp(log_weights))


# Gauge theories


def test_z2_gauge_energy():
    model = sm.models.z2_gauge(L=3, J=1.5)
    lattice = sm.lattices.hypercubic(3, 3)
    cold = np.ones(81)
    one_turned = np.where(np.arange(81) == 5, -1, 1)
    energy = energies(model, s=[cold, one_turned])
    assert energy == pytest.approx([-1.5 * 81, -1.5 * (81 - 2 * 4)])
    assert len(lattice.plaquettes) == 81


def test_z2_gauge_symmetry(rng):
    model = sm.models.z2_gauge(L=3)
    i, j = sm.lattices.hypercubic(3, 3).bonds
    s, turn = rng.choice([-1, 1], 81), rng.choice([-1, 1], 27)
    energy = energies(model, s=[s, turn[i] * s * turn[j]])
    assert energy[0] == energy[1]


def test_z2_gauge_plaquette_on_the_smallest_torus():
    model = sm.models.z2_gauge(L=2, d=2)
    states = all_states([-1, 1], 8)
    energy = energies(model, s=states)
    plaquette = evaluate(model, model["plaquette"], s=states)
    mean = np.average(plaquette, weights=np.exp(-0.5 * energy))
    assert mean == pytest.approx(0.5363436039908245, abs=1e-12)


def test_u1_gauge_energy(rng):
    model = sm.models.u1_gauge(L=3, d=2, J=1.5)
    cold, field = np.zeros((2, 3, 3)), rng.uniform(-pi, pi, (2, 3, 3))
    along, across = field
    flux = along + np.roll(across, -1, 0) - np.roll(along, -1, 1) - across
    energy = energies(model, theta=np.reshape([cold, field], (2, 18)))
    assert energy == pytest.approx([-1.5 * 9, -1.5 * np.cos(flux).sum()])


def test_u1_gauge_symmetry(rng):
    model = sm.models.u1_gauge(L=3, d=4)
    i, j = sm.lattices.hypercubic(3, 4).bonds
    theta, a = rng.uniform(-pi, pi, 324), rng.uniform(-pi, pi, 81)
    energy = energies(model, theta=[theta, theta + a[i] - a[j]])
    assert energy[0] == pytest.approx(energy[1])
    plaquette = evaluate(model, model["plaquette"], theta=[theta])
    assert energy[0] == pytest.approx(-486 * plaquette[0])


def test_max_cut_of_a_file(tmp_path):
    """By hand: the best cut of a square with one diagonal of weight -3 leaves the diagonal uncut."""
    path = tmp_path / "square.txt"
    path.write_text("4 5\n1 2 1\n2 3 1\n3 4 1\n4 1 1\n1 3 -3\n")
    model = sm.models.max_cut(str(path))
    s = all_states([-1, 1], 4)
    w, i, j = np.array([1, 1, 1, 1, -3]), [0, 1, 2, 3, 0], [1, 2, 3, 0, 2]
    cut = ((s[:, i] != s[:, j]) * w).sum(axis=1)
    np.testing.assert_allclose(energies(model, s=s), -cut)
    (observed,) = evaluate(model, [model["cut"]], s=s)
    np.testing.assert_allclose(observed, cut)
    assert cut.max() == 4
