import re
import time

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest

import statmech_dsl as sm
from statmech_dsl.engine.explanation import Explanation, Section
from statmech_dsl.errors import IllegalUpdateError, ModelError
from statmech_dsl.models import MODELS
from statmech_dsl.updates import UPDATES


def lines(explanation, title):
    """Lines of a section; names of updates set the width of their column, whichever there are."""
    found = next((s.lines for s in explanation.sections if s.title == title), ())
    return tuple(re.sub(r"(?<=\S) {2,}", "  ", x) if title == "Updates" else x for x in found)


@pytest.fixture(scope="module")
def ising():
    return MODELS["ising"](L=4, h=0.5)


def test_ising_with_a_field(ising):
    e = sm.explain(ising)
    assert lines(e, "Hamiltonian") == (
        "H = c0 sum_<ij> s_i s_j + c1 sum_i s_i",
        "c0 = -1",
        "c1 = -0.5",
    )
    assert lines(e, "Variables") == ("s  Spin  -1, 1  16 sites  counting measure",)
    assert lines(e, "Energy terms") == (
        "exchange  c0 sum_<ij> s_i s_j  32 instances",
        "zeeman    c1 sum_i s_i         16 instances",
    )
    assert lines(e, "Dependencies") == (
        "s: as a function of one site the energy is linear, quadratic",
        "    a site shares terms with 4 other sites; bipartite",
        "    2 colors of 8 sites; sites of a color share no term",
    )
    first, *others = lines(e, "Updates")
    assert first == "s: heat_bath, random words of 32 bits: 1 a site"
    verdicts = dict(line.split(maxsplit=1) for line in others if line.startswith("    "))
    assert list(verdicts) == list(UPDATES)
    assert verdicts["heat_bath"] == "chosen, the first that is legal"
    assert verdicts["metropolis"] == "legal, but not asked for"
    assert e.latex == r"H = c_{0} \sum_{\langle ij \rangle} s_{i} s_{j} + c_{1} \sum_{i} s_{i}"
    assert lines(e, "Running sums") == ()


def test_how_observables_are_measured():
    with sm.Model() as model:
        s = sm.Spin("s", 80)
        J = pm.Normal("J")
        sm.Energy("pairs", -1.0 * s[1:] * s[:-1])
        sm.Observable("m", abs(s.mean()))
        sm.Observable("halves", s.reshape((2, 40)).sum(axis=1))
        sm.Observable("whole", 1 * s)
        sm.Observable("scaled", J * s.mean())
    unpacked = "evaluated on unpacked states, which costs more"
    assert lines(sm.explain(model), "Observables") == (
        "m       a function of 1 sum of 80 terms, added up in the kernel",
        "halves  a function of 2 sums of 80 terms, added up in the kernel",
        f"whole   {unpacked}: it takes 80 numbers from the state; at most 64 are measured as sums",
        f"scaled  {unpacked}: it depends on the random variable 'J'",
    )


def test_the_conventions_are_stated(ising):
    text = "\n".join(lines(sm.explain(ising), "Conventions"))
    for words in ("exp(-H(x)/T) / Z", "each bond is listed once", "ferromagnetic", "F = -T log Z"):
        assert words in text


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_explained(name):
    e = sm.explain(MODELS[name](), source=True)
    text = str(e).removesuffix(e.source)
    assert len(text) < 4000  # no table is printed whole
    assert max(map(len, text.splitlines())) <= 100
    assert e.latex.count("{") == e.latex.count("}")
    assert e.latex.count(r"\left") == e.latex.count(r"\right")
    assert e.source.count("def kernel(") == 2


def test_text_and_markdown(ising):
    e = sm.explain(ising)
    assert repr(e) == str(e)
    assert str(e).startswith("Hamiltonian\n    H = c0 sum_<ij>")
    assert "def kernel" not in str(e)
    markdown = e._repr_markdown_()
    assert markdown.startswith(f"$${e.latex}$$")
    assert "**Updates**\n```text\ns: heat_bath" in markdown


def test_the_source_comes_with_what_happens_at_a_site(ising):
    e = sm.explain(ising, source=True)
    assert "# heat_bath of s\n# for each free site i of s:\n#     e.1 = 0\n" in e.source
    assert "#     for each of 4 incidences: e.1 += 2 c0 s_j\n" in e.source
    compile(e.source, "source", "exec")
    assert e.source in str(e)
    assert "```python\n" in e._repr_markdown_()


def test_lanes_hold_sites_or_replicas():
    kernels = "\n".join(lines(sm.explain(MODELS["potts"](L=32, q=3)), "Kernels"))
    assert "1 replica: the lanes of a vector hold the sites of a color" in kernels
    assert "64 replicas: the lanes of a vector hold replicas, 64 at a time" in kernels
    assert "backend: " in kernels
    assert "law: boltzmann" in kernels


def test_tiers_and_why_not_a_faster_one(ising):
    kernels = lines(sm.explain(ising), "Kernels")
    assert "64 replicas: bit-sliced tier, 64 replicas in the bits of a word" in kernels
    folded = lines(sm.explain(MODELS["ising"](L=128)), "Kernels")
    assert "1 replica: bit-sliced tier, 64 sites of a color in the bits of a word" in folded
    gaussian = MODELS["edwards_anderson"](L=4, couplings="gaussian")
    kernels = lines(sm.explain(gaussian), "Kernels")
    assert "    s: field tier, decided in float32, in float64 where that is too close" in kernels
    assert "    s: not the dense field tier: a site has 6 couplings, fewer than 8" in kernels
    many = "    not the bit-sliced tier: exchange has couplings of many values"
    assert many in kernels
    glass = lines(sm.explain(MODELS["sherrington_kirkpatrick"](N=16)), "Kernels")
    assert "    s: dense field tier, local fields of all sites, moved by every flip" in glass
    assert "1 replica: the lanes of a vector hold one replica" in glass
    machine = lines(sm.explain(MODELS["restricted_boltzmann_machine"](16, 8)), "Kernels")
    assert (
        "    h: dense field tier, local fields of a color, sums of four couplings by lookup"
        in machine
    )
    machine = MODELS["restricted_boltzmann_machine"](16, 8)
    mixed = lines(sm.explain(machine, updates={"h": "metropolis"}), "Kernels")
    assert "    v: not the dense field tier: not all variables are dense" in mixed
    assert "    h: not the dense field tier: its update is metropolis, not heat_bath" in mixed


def test_the_hash_names_the_couplings():
    hashes = [lines(sm.explain(MODELS["ising"](L=4, J=J)), "Kernels")[-1] for J in (1.0, 1.0, 2.0)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_mean_field_shows_its_running_sum():
    e = sm.explain(MODELS["curie_weiss"](N=10))
    assert lines(e, "Hamiltonian")[:2] == ("H = c0 S0^2", "S0 = sum_i s_i")
    (running,) = lines(e, "Running sums")
    assert running.startswith("S0: one number")
    assert "10 contributions; read by exchange" in running
    assert "every site depends on every other through S0" in lines(e, "Dependencies")[1]


def test_updates_that_are_refused_say_why():
    with sm.Model() as model:
        x = sm.Field("x", 4)
        sm.Energy("quartic", x**4)
    updates = lines(sm.explain(model), "Updates")
    assert updates[0].startswith("x: metropolis")
    assert "    width is tuned to an acceptance of 0.5; it starts at 2" in updates
    reason = "not legal: the energy is not a quadratic function of each site"
    assert ["heat_bath", reason] in [x.split(maxsplit=1) for x in updates]


def test_updates_that_are_asked_for(ising):
    updates = lines(sm.explain(ising, updates={"s": "metropolis"}), "Updates")
    assert updates[0].startswith("s: metropolis")
    verdicts = [x.split(maxsplit=1) for x in updates]
    assert ["metropolis", "chosen, asked for"] in verdicts
    assert ["heat_bath", "legal, but not asked for"] in verdicts
    with pytest.raises(IllegalUpdateError, match="no update 'magic'"):
        sm.explain(ising, updates="magic")


def test_rejection_loops_take_words_of_the_site_first():
    updates = lines(sm.explain(MODELS["xy"](L=4)), "Updates")
    assert updates[0] == "theta: heat_bath, random words of 32 bits: 6 a site, 4 a further attempt"


def test_random_couplings_are_shown_and_refused_by_sample():
    lattice = sm.lattices.square(4)
    i, j = lattice.bonds
    with sm.Model() as model:
        J, field = pm.Normal("J", 0.3), pm.Data("field", 0.5)
        s = sm.Spin("s", lattice)
        sm.Energy("exchange", -J * s[i] * s[j])
        sm.Energy("zeeman", -field * s)
    formulas = lines(sm.explain(model), "Hamiltonian")
    assert formulas[0] == "H = c0 sum_<ij> s_i s_j + c1 sum_i s_i"
    assert formulas[1] == "c0 = neg(J), random; at the model's initial point -0.3"
    assert formulas[2] == "c1 = neg(field), can be set; at present -0.5"
    assert formulas[3].startswith("sample refuses this model:")
    with pytest.raises(ModelError):
        sm.sample(model, draws=1, tune=0)


def test_clamped_sites_are_counted():
    def model(observed):
        with sm.Model() as model:
            s = sm.Spin("s", sm.lattices.chain(6), observed=observed)
            i, j = sm.lattices.chain(6).bonds
            sm.Energy("exchange", -1.0 * s[i] * s[j])
        return model

    some = sm.explain(model(np.ma.array(np.ones(6), mask=[1, 1, 0, 0, 0, 1])))
    assert "6 sites (3 clamped)" in lines(some, "Variables")[0]
    every = sm.explain(model(np.ones(6)), source=True)
    assert lines(every, "Updates") == ("every site is clamped: there is nothing to move",)
    assert every.source == ""


def test_other_densities_are_not_divided_by_T():
    with sm.Model() as model:
        s = sm.Spin("s", 4)
        sm.Energy("zeeman", -1.0 * s)
        pm.Potential("prior", 0.5 * s.sum())
    e = sm.explain(model)
    assert lines(e, "Hamiltonian")[1].startswith("H_0 = ")
    assert "exp(-H(x)/T - H_0(x)) / Z" in lines(e, "Conventions")[0]
    assert lines(e, "Energy terms")[1].endswith("T does not divide it")


def test_a_variable_without_energy_and_a_frustrated_lattice():
    with sm.Model() as model:
        s = sm.Spin("s", sm.lattices.triangular(6))
        sm.Potts("idle", 5, q=100)
        i, j = sm.lattices.triangular(6).bonds
        sm.Energy("exchange", 1.0 * s[i] * s[j])
    e = sm.explain(model)
    assert "    a site shares terms with 6 other sites; not bipartite" in lines(e, "Dependencies")
    assert "idle: no energy depends on it; its sites are independent" in lines(e, "Dependencies")
    assert "0, 1, 2, ..., 99" in lines(e, "Variables")[1]


def test_double_bonds_are_one_neighbor():
    dependencies = lines(sm.explain(MODELS["ising"](L=2)), "Dependencies")
    assert "    a site shares terms with 2 other sites; bipartite" in dependencies


def test_functions_of_many_sums():
    weights = np.random.default_rng(0).normal(size=(3, 20))
    with sm.Model() as model:
        v = sm.Occupation("v", 20)
        sm.Energy("hidden", -pt.log(1 + pt.exp(pt.dot(pt.constant(weights), v))))
    e = sm.explain(model, source=True)
    assert lines(e, "Hamiltonian")[:2] == (
        "H = -sum_a log(1 + exp(S0_a))",
        "S0_a = sum_i c0_ai v_i",
    )
    assert lines(e, "Running sums")[0].startswith("S0: 3 elements")
    assert "S0_a += c0_ia" in e.source


def test_a_million_sites_take_seconds():
    model = MODELS["ising"](L=1000, h=0.1)
    start = time.process_time()
    sm.explain(model)
    assert time.process_time() - start < 8


def test_what_is_no_model_is_refused():
    with pytest.raises(ModelError, match="expected a model, got int"):
        sm.explain(3)


def test_long_lines_are_continued_further_to_the_right():
    e = Explanation((Section("Words", ("    " + "word " * 40,)),), "H = 0")
    first, second, *_ = str(e).splitlines()[1:]
    assert first.startswith(" " * 8 + "word")
    assert second.startswith(" " * 12 + "word")
    assert len(first) <= 100


def test_a_cluster_move_says_what_ties_sites_together(ising):
    explanation = sm.explain(ising, updates="wolff", source=True)
    assert lines(explanation, "Updates")[:2] == (
        "s: wolff, a collective move",
        "    1 reflection; ties: 32 of two sites, 16 to what does not move",
    )
    assert "# ---- wolff of s ---" in explanation.source
    refused = sm.explain(MODELS["curie_weiss"](N=80))
    verdict = ["wolff", "not legal: the term 'exchange' is a function of a sum over many sites"]
    assert verdict in [x.split(maxsplit=1) for x in lines(refused, "Updates")]
