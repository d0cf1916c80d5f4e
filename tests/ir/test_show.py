import math
import re

import numpy as np
import pytest
from hypothesis import assume, given

from statmech_dsl.ir import domains
from statmech_dsl.ir.draws import Attempts, Bernoulli, Categorical, Index, Let, Normal, Uniform
from statmech_dsl.ir.expr import Expr, call, const, evaluate, law, read, slot
from statmech_dsl.ir.kernel import Accumulate, Assign, Bump, Gather, LoweredPass, Move, Role, Tally
from statmech_dsl.ir.listing import listing
from statmech_dsl.ir.model import Column, Family, ModelIR, Sum, Variable
from statmech_dsl.ir.notation import Notation, Symbol, Template, render
from statmech_dsl.ir.notations import LATEX, TEXT
from statmech_dsl.ir.ops import OPS
from statmech_dsl.ir.show import coefficients, describe, expression, family, hamiltonian, latex
from tests.ir.expressions import LARGEST, apply, largest, values, whole

a, b, c = slot(0), slot(1), slot(2)
NAMES = [Symbol("a"), Symbol("b"), Symbol("c")]


# ---- expressions ---------------------------------------------------------------------------------

PYTHON = Notation(
    symbol=lambda s: s.name,
    number=repr,
    total=lambda letters, where: "",
    times=" * ",
    times_number=" * ",
    power="{}**{}",
    function="OPS['{}']({})",
    templates={"()": Template("({})"), "abs": Template("abs({})")},
    relations={"eq": "==", "ne": "!=", "lt": "<", "le": "<="},
    truth="float({})",
    cases="({1} if {0} else {2})",
)
"""A notation that Python can read back."""


@given(whole, values)
def test_no_pair_of_parentheses_is_missing(e, x):
    assume(largest(e, x) < LARGEST)
    text = render(e, PYTHON, lambda s: f"x[{s.attr}]")
    assert eval(text, {"OPS": OPS, "x": x}) == evaluate(e, x, {})


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (-(a * b), "-a b"),
        (a - (b - c), "a - b + c"),
        (apply("add", a, apply("neg", b)), "a - b"),
        (apply("sub", const(-2), a), "-2 - a"),
        (apply("sub", apply("neg", a), apply("neg", b)), "b - a"),
        (apply("neg", apply("add", a, b)), "-a - b"),
        (a * (b + c), "a (b + c)"),
        (apply("mul", a, apply("neg", b)), "a (-b)"),
        (apply("mul", b, apply("mul", const(2), a)), "2 a b"),
        (apply("mul", a, apply("mul", const(2), const(3))), "2 * 3 a"),
        (a / b / c, "a / b / c"),
        (a / (b * c), "a / (b c)"),
        (apply("mul", apply("div", a, b), c), "c (a / b)"),
        (call("sqr", a + b), "(a + b)^2"),
        (apply("sqr", const(-2)), "(-2)^2"),
        (call("sqr", call("sqr", a)), "a^4"),
        (call("sqr", call("abs", a)), "|a|^2"),
        (call("exp", -a), "exp(-a)"),
        (call("atan2", a, b), "atan2(a, b)"),
        (call("eq", a, b) * c, "c [a = b]"),
        (call("where", call("lt", a, b), a, const(0)), "(a if a < b else 0)"),
        (call("where", a, b, c), "(b if a else c)"),
        (law(read("e.1")), "law(e.1)"),
        (const(-0.0), "0"),
        (const(1 / 3), "0.333333"),
        (const(math.inf), "inf"),
    ],
)
def test_text(e, text):
    assert expression(e, NAMES) == text


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (call("cos", a - b), r"\cos\left(a - b\right)"),
        (call("sqr", call("cos", a)), r"\cos\left(a\right)^{2}"),
        (a / (b + c), r"\frac{a}{b + c}"),
        (call("sqr", a / b), r"\left(\frac{a}{b}\right)^{2}"),
        (call("eq", a, b), r"\delta_{a, b}"),
        (call("le", a, b), r"\left[a \leq b\right]"),
        (
            call("where", call("eq", a, b), a, const(0)),
            r"\begin{cases} a & a = b \\ 0 & \text{otherwise} \end{cases}",
        ),
        (call("abs", a) * call("sqrt", b), r"\left|a\right| \sqrt{b}"),
        (call("atan2", a, b), r"\operatorname{atan2}\left(a, b\right)"),
        (const(2e-9) * a, r"2 \cdot 10^{-9} a"),
        (const(-1e20), "-10^{20}"),
        (const(-math.inf), r"-\infty"),
    ],
)
def test_latex(e, text):
    assert expression(e, NAMES, LATEX) == text


@pytest.mark.parametrize(
    ("symbol", "text", "tex"),
    [
        (Symbol("s", "i"), "s_i", "s_{i}"),
        (Symbol("theta", "i"), "theta_i", r"\theta_{i}"),
        (Symbol("c.0", "ij"), "c0_ij", "c_{0,ij}"),
        (Symbol("hidden", "i"), "hidden_i", r"\mathrm{hidden}_{i}"),
        (Symbol("my_spin", "i"), "my_spin_i", r"\mathrm{my\_spin}_{i}"),
        (Symbol("a^{b}"), "a^{b}", r"\mathrm{a  b }"),
    ],
)
def test_symbols(symbol, text, tex):
    assert TEXT.symbol(symbol) == text
    assert LATEX.symbol(symbol) == tex


def test_every_operation_can_be_written():
    for op, meaning in OPS.items():
        e = Expr(op, (a, b, c)[: meaning.__code__.co_argcount if op != "abs" else 1])
        for notation in (TEXT, LATEX):
            assert "a" in expression(e, NAMES, notation)


# ---- models --------------------------------------------------------------------------------------


def state(name, index, component=0):
    return Column("state", name, index, component)


def coefficient(name, index=None):
    return Column("coefficient", name, index)


SPIN = domains.Spin()


def model(*families, sums=(), domain=SPIN):
    n = domain.components
    variable = Variable("s", domain, (9,) if n == 1 else (9, n))
    return ModelIR((variable,), families, sums)


PAIR = -(a * b * c)
BOND = Family("x.0", "x", PAIR, (state("s", "i.0"), state("s", "i.1"), coefficient("J")))


@pytest.mark.parametrize(
    ("f", "text", "tex"),
    [
        (BOND, "-J sum_<ij> s_i s_j", r"-J \sum_{\langle ij \rangle} s_{i} s_{j}"),
        (
            Family("x", "x", PAIR, (*BOND.columns[:2], coefficient("J", "i.2"))),
            "-sum_<ij> J_ij s_i s_j",
            r"-\sum_{\langle ij \rangle} J_{ij} s_{i} s_{j}",
        ),
        (
            Family("x", "x", -(a * b), (state("s", "i.0"), coefficient("h", "i.0"))),
            "-sum_i h_i s_i",
            r"-\sum_{i} h_{i} s_{i}",
        ),
        (
            Family(
                "x",
                "x",
                call("sqr", a + b + c),
                (state("s", "i.0"), coefficient("d", "i.1"), coefficient("d", "i.2")),
            ),
            "sum_i (d_i,2 + s_i + d_i,1)^2",
            r"\sum_{i} \left(d_{i,2} + s_{i} + d_{i,1}\right)^{2}",
        ),
        (
            Family("x", "x", a + b, (state("s", "i.0"), coefficient("h"))),
            "sum_i (s_i + h)",
            r"\sum_{i} \left(s_{i} + h\right)",
        ),
        (
            Family("x", "x", call("sqr", a), (coefficient("h", "i.0"),)),
            "sum_m h_m^2",
            r"\sum_{m} h_{m}^{2}",
        ),
        (Family("x", "x", 3.0 * a, (coefficient("h"),)), "3 h", "3 h"),
    ],
)
def test_families(f, text, tex):
    ir = model(f)
    assert family(f, ir) == text
    assert family(f, ir, LATEX) == tex


def test_components_of_a_vector_share_a_sum():
    parts = (
        Family(f"x.{k}", "x", PAIR, (state("s", "i.0", k), state("s", "i.1", k), coefficient("J")))
        for k in range(3)
    )
    (line,) = hamiltonian(model(*parts, domain=domains.UnitVector(3)))
    assert line == ("H", "-J sum_<ij> (s_ix s_jx + s_iy s_jy + s_iz s_jz)")


def test_sets_of_bonds_are_told_apart():
    further = Family(
        "y.0", "y", a * b * c, (state("s", "i.0"), state("s", "i.2"), coefficient("K"))
    )
    ir = model(BOND, further)
    text = "-J sum_{<ij> in A} s_i s_j + K sum_{<ij> in B} s_i s_j"
    assert hamiltonian(ir) == [("H", text)]
    assert family(further, ir) == "K sum_{<ij> in B} s_i s_j"
    assert r"\sum_{\langle ij \rangle \in B}" in latex(ir)


def test_running_sums_and_untempered_terms():
    ir = model(
        Family("m", "m", -(call("sqr", a) * b), (Column("sum", "sum.0", None), coefficient("J"))),
        Family("p", "p", a, (state("s", "i.0"),), tempered=False),
        Family("m.1", "m", a, (state("s", "i.0"),), feeds="sum.0"),
        sums=(Sum("sum.0", 1),),
    )
    assert hamiltonian(ir) == [("H", "-J S0^2"), ("H_0", "sum_i s_i"), ("S0", "sum_i s_i")]
    assert latex(ir) == (
        r"\begin{aligned} H &= -J S_{0}^{2} \\ H_{0} &= \sum_{i} s_{i} \\ "
        r"S_{0} &= \sum_{i} s_{i} \end{aligned}"
    )


def test_elements_of_running_sums_have_letters():
    ir = model(
        Family("m", "m", call("log", a), (Column("sum", "sum.0", "i.3"),)),
        Family(
            "m.1",
            "m",
            a * b,
            (state("s", "i.0"), coefficient("W", "i.1")),
            feeds="sum.0",
            element="i.2",
        ),
        sums=(Sum("sum.0", 4),),
    )
    assert hamiltonian(ir) == [("H", "sum_a log(S0_a)"), ("S0_a", "sum_i W_ai s_i")]


def test_a_long_hamiltonian_is_cut_short():
    families = (Family(f"x.{k}", "x", float(k + 2) * a, (state("s", f"i.{k}"),)) for k in range(99))
    ((_, text),) = hamiltonian(model(*families))
    assert len(text) < 600
    assert " + ... + 100 sum" in text


def test_no_table_is_printed_whole():
    ir = model(Family("x", "x", a * b, (state("s", "i.0"), coefficient("h", "i.0"))))
    tables = {"i.0": np.arange(9), "h": np.linspace(-1, 2, 9)}
    assert coefficients(ir, tables) == {"h": "9 values from -1 to 2"}
    assert describe(np.array([-0.5])) == "-0.5"


# ---- passes --------------------------------------------------------------------------------------


def test_the_listing_of_a_pass():
    ir = model(BOND, sums=(Sum("sum.0", 1),))
    role = Role("r", (state("s", "r.0"), coefficient("J", "r.1"), coefficient("K")), 4)
    irregular = Role("q", (state("s", "r.0"),), None, "q.pointer")
    target = Column("sum", "sum.0", None)
    weights = tuple(read(f"e.{k}") for k in range(9))
    body = (
        Accumulate(
            ("e.1", "e.2"),
            (
                Gather(role, (("e.1", a * b), ("e.2", a * c))),
                Gather(irregular, (("e.1", a * read("old.0")),)),
            ),
        ),
        Let("x", read("coefficient.K") * read("sum.sum.0") * read("beta")),
        Categorical("new", weights),
        Bernoulli("accept", call("min", const(0), -read("e.1"))),
        Index("choice", 5),
        Attempts("y", (Uniform("u"), Normal("g")), call("lt", read("u"), read("x")), read("g")),
        Tally(read("accept")),
        Bump(Role("b", (target,), 1), target, read("x")),
        Move(read("e.1")),
        Assign((2.0 * read("new"),)),
    )
    p = LoweredPass("test", "s", body, (), "s.order", "s.segments", 0, 4, False)
    assert listing(p, ir, {"r.0": np.zeros((4, 9))}) == [
        "for each free site i of s:",
        "    e.1, e.2 = 0",
        "    for each of 4 incidences:",
        "        e.1 += J_ij s_j",
        "        e.2 += K s_j",
        "    for each incidence: e.1 += s_i s_j",
        "    x = K beta S0",
        "    new ~ Categorical(log_weights = e.0, e.1, e.2, ..., e.8)",
        "    accept ~ Bernoulli(log_p = min(0, -e.1))",
        "    choice ~ Index(n = 5)",
        "    repeat:",
        "        u ~ Uniform()",
        "        g ~ Normal()",
        "        until u < x",
        "    y = g",
        "    accepted += accept",
        "    S0 += x",
        "    energy += e.1",
        "    s_i = 2 new",
    ]


def test_components_of_one_neighbor_share_a_letter():
    ir = model(domain=domains.UnitVector(2))
    columns = (state("s", "r.0", 0), state("s", "r.1", 1), state("s", "r.2", 1))
    body = (Accumulate(("e.1",), (Gather(Role("r", columns, 4), (("e.1", a * b * c),)),)),)
    p = LoweredPass("test", "s", body, (), "s.order", "s.segments", 0, 0, False)
    tables = {"r.0": np.arange(4), "r.1": np.arange(4), "r.2": np.ones(4)}
    assert "s_jx s_jy s_ky" in listing(p, ir, tables)[-1]


def test_latex_is_balanced():
    for e in (PAIR, call("where", call("lt", a, b), a / b, call("sqrt", call("floor", c)))):
        text = expression(e, NAMES, LATEX)
        assert text.count("{") == text.count("}")
        assert len(re.findall(r"\\left", text)) == len(re.findall(r"\\right", text))
