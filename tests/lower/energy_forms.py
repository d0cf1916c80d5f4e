"""Energy forms that users write, by name.

`FORMS` are recovered and compared with PyTensor; `REFUSED` must fail with an error that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pymc as pm
import pytensor
import pytensor.sparse as psp
import pytensor.tensor as pt
import scipy.sparse as sp
from pytensor.graph.replace import clone_replace

import statmech_dsl as sm
from statmech_dsl.ir.marks import EnergyMark, attach

RNG = np.random.default_rng(7)
L, N, M = 6, 36, 70
I, J = (RNG.integers(0, N, M) for _ in range(2))  # noqa: E741
K = (I + RNG.integers(1, N, M)) % N
COUPLINGS = RNG.normal(size=M)
FIELDS = RNG.normal(size=N)
DENSE = RNG.normal(size=(N, N))
SPARSE = sp.random(N, N, 0.08, random_state=1, format="csr")
SITES = np.arange(N).reshape(L, L)
RIGHT, DOWN = np.roll(SITES, -1, 1), np.roll(SITES, -1, 0)
NEIGHBORS = np.stack([RIGHT, np.roll(SITES, 1, 1), DOWN, np.roll(SITES, 1, 0)], -1).reshape(N, 4)
PLAQUETTES = np.stack([SITES, RIGHT, DOWN, np.roll(RIGHT, -1, 0)], -1).reshape(N, 4)
ODD = np.arange(N) % 2 == 1
PATTERNS = RNG.choice([-1.0, 1.0], size=(3, N))
WEIGHTS = RNG.normal(size=(5, 12))
SPARSE_ROWS = RNG.normal(size=(20, N)) * (RNG.random((20, N)) < 0.15)


@dataclass(frozen=True)
class Form:
    """An energy of declared variables."""

    declare: tuple[Callable[[], object], ...]
    energy: Callable[..., object]


def spin(*shape: int) -> Callable[[], object]:
    return lambda: sm.Spin("s", shape)


def field(*shape: int) -> Callable[[], object]:
    return lambda: sm.Field("x", shape)


def angle(*shape: int) -> Callable[[], object]:
    return lambda: sm.Angle("a", shape)


def potts(q: int, *shape: int) -> Callable[[], object]:
    return lambda: sm.Potts("p", shape, q=q)


def vector(*shape: int) -> Callable[[], object]:
    return lambda: sm.UnitVector("u", shape)


FORMS: dict[str, Form] = {
    # Pairs of sites.
    "gather": Form((spin(N),), lambda s: -1.5 * s[I] * s[J]),
    "gather with couplings": Form(
        (spin(N),), lambda s: -COUPLINGS * s[I] * s[J] + 0.3 * s.sum() / M
    ),
    "summed by hand": Form((spin(N),), lambda s: -pt.sum(s[I] * s[J]) + (0.3 * s).sum()),
    "slices of a chain": Form(
        (spin(N),), lambda s: -pt.sum(s[1:] * s[:-1]) + s[0] * s[-1] - 0.5 * s[2]
    ),
    "next neighbors by steps": Form((spin(N),), lambda s: 0.4 * s[:-4:2] * s[4::2]),
    "reversed and transposed": Form(
        (spin(L, L),), lambda s: s.T * s[::-1] + 0.1 * s[:, ::-2].sum()
    ),
    "roll in 1D": Form((spin(N),), lambda s: -s * pt.roll(s, 1)),
    "roll in 1D, L=2": Form((spin(2),), lambda s: -s * pt.roll(s, 1)),
    "roll in 2D": Form((spin(L, L),), lambda s: -s * (pt.roll(s, 1, 0) + pt.roll(s, 1, 1))),
    "roll in 2D, L=2": Form((spin(2, 2),), lambda s: -s * (pt.roll(s, 1, 0) + pt.roll(s, 1, 1))),
    "roll in 2D, L=3": Form((spin(3, 3),), lambda s: -s * pt.roll(s, 1, 0) - s * pt.roll(s, 1, 1)),
    "roll in 3D": Form((spin(3, 3, 3),), lambda s: -s * sum(pt.roll(s, 1, k) for k in range(3))),
    "second neighbors by two rolls": Form(
        (spin(L, L),), lambda s: s * pt.roll(pt.roll(s, 1, 0), -1, 1)
    ),
    "dense couplings": Form((spin(N),), lambda s: -0.5 * s @ DENSE @ s),
    "dense couplings, few of them": Form((spin(N),), lambda s: -0.5 * s @ SPARSE.toarray() @ s),
    "dense couplings times spins": Form((spin(N),), lambda s: -0.5 * s * (DENSE @ s)),
    "outer product": Form((spin(N),), lambda s: DENSE * pt.outer(s, s)),
    "broadcast product": Form((spin(N),), lambda s: SPARSE.toarray() * s[:, None] * s[None, :]),
    "einsum": Form((spin(N),), lambda s: pt.einsum("i,ij,j->", s, DENSE, s)),
    "dot of gathers": Form((spin(N),), lambda s: pt.dot(s[I] * COUPLINGS, s[J])),
    "sparse couplings": Form(
        (spin(N),), lambda s: -s * psp.structured_dot(SPARSE, s[:, None])[:, 0]
    ),
    "sparse matrix from the right": Form(
        (spin(N),),
        lambda s: psp.dot(s[None, :].astype("float64"), psp.as_sparse_variable(SPARSE))[0] * s,
    ),
    "matrix power of couplings": Form(
        (spin(N),), lambda s: s @ pt.linalg.matrix_power(pt.as_tensor(SPARSE.toarray()), 2) @ s
    ),
    "state matrix squared": Form((spin(4, 4),), lambda s: pt.trace(s @ s @ s)),
    "distance matrix": Form(
        (spin(N),),
        lambda s: pt.switch(
            np.eye(N, dtype=bool),
            0.0,
            s[:, None] * s / (1.0 + abs(np.subtract.outer(*2 * [np.arange(N)]))),
        ),
    ),
    # More than two sites.
    "three sites": Form((spin(N),), lambda s: COUPLINGS * s[I] * s[J] * s[K]),
    "plaquettes by prod": Form((spin(N),), lambda s: -pt.prod(s[PLAQUETTES], axis=1)),
    "plaquettes by rolls": Form(
        (spin(L, L),),
        lambda s: -s * pt.roll(s, 1, 0) * pt.roll(s, 1, 1) * pt.roll(pt.roll(s, 1, 0), 1, 1),
    ),
    "neighbor table": Form((spin(N),), lambda s: -0.5 * s * s[NEIGHBORS].sum(axis=1)),
    "square of a neighbor sum": Form((spin(N),), lambda s: (s[NEIGHBORS].sum(axis=1) - s) ** 2),
    "sparse rows squared": Form((field(N),), lambda x: ((SPARSE_ROWS @ x) ** 2).sum()),
    "majority of five": Form((spin(N),), lambda s: -abs(s + s[NEIGHBORS].sum(axis=1))),
    # Functions of sites.
    "phi^4 by gradients": Form(
        (field(L, L),),
        lambda x: (
            0.5 * (x - pt.roll(x, 1, 0)) ** 2
            + 0.5 * (x - pt.roll(x, 1, 1)) ** 2
            - 0.3 * x**2
            + 0.1 * x**4
        ),
    ),
    "powers": Form(
        (field(N),),
        lambda x: x**3 - 0.5 * x**2 * x[::-1] + 0.1 * x**6 + abs(x) ** 0.5 + (1 + x**2) ** -1,
    ),
    "exponentials": Form(
        (field(N),),
        lambda x: pt.exp(-(x**2)) + pt.log1p(x**2) + pt.log(2 + pt.cosh(x)) + pt.expm1(x),
    ),
    "sigmoid, softplus, tanh": Form(
        (field(N),), lambda x: pt.sigmoid(x) + pt.softplus(3 * x) + pt.tanh(x - x[::-1])
    ),
    "rounding": Form(
        (field(N),),
        lambda x: pt.round(2 * x) + pt.floor(x) - pt.ceil(3 * x) + pt.sign(x) + pt.trunc(5 * x),
    ),
    "inverse trigonometry": Form(
        (field(N),),
        lambda x: (
            pt.arctan(x)
            + pt.arctan2(x, 2.0)
            + pt.arcsin(pt.tanh(x))
            + pt.arccos(pt.tanh(x))
            + pt.tan(x / 9)
        ),
    ),
    "hyperbolic": Form(
        (field(N),),
        lambda x: pt.sinh(x) + pt.arcsinh(x) + pt.arccosh(1 + x**2) + pt.arctanh(x / (1 + abs(x))),
    ),
    "clip, maximum, minimum": Form(
        (field(N),),
        lambda x: pt.clip(x, -0.5, 1.0) + pt.maximum(x, 0.0) * pt.minimum(x[::-1], FIELDS),
    ),
    "division": Form(
        (field(N),), lambda x: x / (1 + x[::-1] ** 2) + FIELDS / (2 + pt.cos(x)) + 1 / (3 + x**2)
    ),
    "comparisons": Form(
        (field(N),),
        lambda x: ((x > 0) & (x[::-1] <= 0.3) | ~(x < -0.5)) * 1.5 + pt.xor(x >= 0, pt.neq(x, 1.0)),
    ),
    "truth values": Form(
        (potts(3, N),),
        lambda p: (
            (pt.eq(p[I], p[J]) + pt.eq(p[J], p[K])) * 1.5 - pt.eq(p[I], p[J]) * pt.neq(p[I], p[K])
        ),
    ),
    "switch on states": Form((field(N),), lambda x: pt.switch(x[I] > x[J], abs(x[I] - x[J]), 0.0)),
    "varying powers": Form(
        (field(N),),
        lambda x: abs(x) ** (1 + FIELDS**2) + 2.0 ** pt.tanh(x) + x ** np.arange(N) * 1e-20,
    ),
    "largest of neighbors": Form(
        (field(N),), lambda x: pt.max(x[NEIGHBORS], axis=1) - x[PLAQUETTES].min(axis=-1)
    ),
    "softmax of few": Form(
        (field(9, 4),),
        lambda x: (
            (pt.special.softmax(x, axis=-1) * np.arange(4)).sum() + pt.logsumexp(x, axis=1).sum()
        ),
    ),
    "norms": Form(
        (field(9, 4),), lambda x: pt.sqrt((x**2).sum(axis=1) + 0.1) + pt.linalg.norm(x, axis=1)
    ),
    "whole numbers": Form(
        (lambda: sm.Levels("n", (N,), values=[-3, -1, 0, 2, 5]),),
        lambda n: n % 3 + n // 2 - (-1.0) ** n + pt.eq(n, 2) * 4 - n.astype("bool").astype("int8"),
    ),
    # Angles, colors, vectors.
    "XY": Form((angle(N),), lambda a: -pt.cos(a[I] - a[J]).sum() - (0.2 * pt.sin(2 * a)).sum()),
    "gauge field": Form((angle(N),), lambda a: -pt.cos(a[PLAQUETTES] @ np.array([1, 1, -1, -1]))),
    "clock": Form((lambda: sm.Clock("c", (N,), q=5),), lambda c: -pt.cos(c.angle[I] - c.angle[J])),
    "Potts": Form(
        (potts(3, N),), lambda p: -(COUPLINGS * pt.eq(p[I], p[J])).sum() + 0.2 * pt.eq(p, 1).sum()
    ),
    "Potts with a table": Form(
        (potts(3, N),),
        lambda p: pt.as_tensor(DENSE[:3, :3])[p[I], p[J]] + pt.as_tensor(FIELDS[:3])[p].sum() / M,
    ),
    "vectors of a table": Form(
        (potts(3, N),), lambda p: (pt.as_tensor(DENSE[:3, :4])[p] * DENSE[:, :4]).sum(axis=1)
    ),
    "column of a table": Form(
        (potts(3, N),), lambda p: pt.as_tensor(DENSE[:4, :3])[:, p] * DENSE[:4]
    ),
    "one-hot colors": Form(
        (potts(3, N),), lambda p: (pt.eq(p[:, None], np.arange(3)) * DENSE[:, :3]).sum(axis=1)
    ),
    "Heisenberg": Form((vector(N),), lambda u: -(u[I] * u[J]).sum() - 0.3 * u[:, 2].sum()),
    "anisotropic exchange": Form(
        (vector(N),), lambda u: u[I] * np.array([1.0, 0.0, -0.4]) * u[J] + 0.1 * u[:1, :1] ** 2
    ),
    "Dzyaloshinskii-Moriya": Form(
        (vector(N),),
        lambda u: (
            (u[I, 0] * u[J, 1] - u[I, 1] * u[J, 0]) * COUPLINGS
            + (pt.stack([u[I, 1] * u[J, 2], u[I, 2] * u[J, 0]]) * 0.3).sum(axis=0)
        ),
    ),
    "exchange tensor": Form(
        (vector(N),), lambda u: pt.einsum("ba,ac,bc->b", u[I], DENSE[:3, :3], u[J])
    ),
    "spin ice projections": Form((vector(8),), lambda u: ((u * DENSE[:8, :3]).sum(axis=1)) ** 2),
    "spins and angles": Form(
        (
            spin(N),
            angle(N),
        ),
        lambda s, a: -s[I] * s[J] * pt.cos(a[I] - a[J]),
    ),
    "spins, colors and a field": Form(
        (
            spin(N),
            potts(3, N),
            field(N),
        ),
        lambda s, p, x: x * s * pt.eq(p, 1) + 0.5 * x**2 - s[I[:N]] * x[J[:N]],
    ),
    "vectors on sites, spins on bonds": Form(
        (
            vector(N),
            spin(M),
        ),
        lambda u, s: -s * (u[I] * u[J]).sum(axis=1),
    ),
    "occupations": Form(
        (lambda: sm.Occupation("n", (L, L)),),
        lambda n: 2.0 * n * pt.roll(n, 1, 0) - n + (1 - n) * (1 - pt.roll(n, 1, 1)),
    ),
    # Moving elements around.
    "reshape and transpose": Form(
        (spin(N),), lambda s: s.reshape((L, L))[:, :-1] * s.reshape((L, -1)).T[:, 1:]
    ),
    "stack and join": Form(
        (spin(N),),
        lambda s: pt.concatenate([s[:5], s[-5:]]) * pt.stack([s[7:17], s[3:13]]).sum(axis=0),
    ),
    "zero padding": Form(
        (spin(N),), lambda s: pt.concatenate([[0.0], s]) * pt.concatenate([s, [0.0]])
    ),
    "pad": Form((spin(L, L),), lambda s: pt.pad(s, 1)[2:, 1:-1] * s),
    "boolean index": Form((spin(N),), lambda s: s[ODD] * s[~ODD]),
    "where with a mask": Form((spin(N),), lambda s: pt.where(ODD, 0.7 * s, -s * pt.roll(s, 1))),
    "set and add to elements": Form(
        (spin(N),),
        lambda s: (
            pt.set_subtensor(s[3:6], 0) * s[::-1]
            + pt.inc_subtensor(s[np.array([0, 0, 4])], s[1] * s[2]) * FIELDS
        ),
    ),
    "diagonals": Form(
        (spin(L, L),),
        lambda s: pt.diagonal(s) * pt.diagonal(s, 1)[0] + (pt.diag(s[0]) * DENSE[:L, :L]).sum() / L,
    ),
    "fill diagonal, triangles": Form(
        (spin(L, L),), lambda s: pt.fill_diagonal(s, 0) * s.T + pt.tril(s) * 0.5
    ),
    "repeat and tile": Form((spin(4),), lambda s: pt.repeat(s, 3) * pt.tile(s, 3)),
    "ones and zeros like": Form(
        (spin(N),), lambda s: pt.ones_like(s) * 0.5 * s + pt.zeros_like(s) + 2
    ),
    "differences": Form((field(N),), lambda x: pt.diff(x) ** 2),
    "tensordot": Form(
        (spin(L, L),),
        lambda s: pt.tensordot(s, s, axes=2) + pt.tensordot(s, DENSE[:L, :L], axes=1).sum(),
    ),
    "batched products": Form((spin(2, 3, 3),), lambda s: s @ DENSE[:3, :3] @ s.mT),
    "a loop in Python": Form(
        (spin(N),),
        lambda s: sum(
            float(c) * s[int(i)] * s[int(j)] for c, i, j in zip(COUPLINGS, I, J, strict=True)
        ),
    ),
    # Running sums.
    "mean field": Form((spin(N),), lambda s: -0.5 / N * s.sum() ** 2),
    "mean field by the mean": Form((spin(N),), lambda s: -0.5 * s.mean() ** 2 * N),
    "mean field as a product": Form(
        (spin(N),), lambda s: -0.5 / N * s.sum() * s.sum() - 0.1 * s.sum() * s.mean()
    ),
    "mean field in each site": Form((spin(N),), lambda s: -0.5 * s * s.mean()),
    "mean field by powers": Form((spin(N),), lambda s: N * s.mean() ** 3 - N * s.mean() ** 4),
    "absolute magnetization": Form(
        (spin(N),), lambda s: pt.abs(s.sum()) + pt.sqrt(1 + (0.5 * s.sum()) ** 2)
    ),
    "mean-field XY": Form(
        (angle(N),), lambda a: -pt.sqrt(pt.cos(a).sum() ** 2 + pt.sin(a).sum() ** 2)
    ),
    "mean-field Potts": Form(
        (potts(3, N),), lambda p: sum(-0.5 / N * pt.eq(p, k).sum() ** 2 for k in range(3))
    ),
    "two sums": Form(
        (
            spin(N),
            angle(N),
        ),
        lambda s, a: s.sum() * pt.cos(a).sum() / N + (s.sum() - 3) ** 2 / N,
    ),
    "Hopfield": Form((spin(N),), lambda s: -0.5 / N * ((PATTERNS @ s) ** 2).sum()),
    "dense associative memory": Form((spin(N),), lambda s: -((PATTERNS @ s) ** 4).sum() / N**3),
    "Boltzmann machine": Form(
        (lambda: sm.Occupation("v", (12,)),),
        lambda v: -pt.softplus(WEIGHTS @ v + 0.3).sum() - v @ WEIGHTS[0],
    ),
    "sums of dense and sparse rows": Form(
        (field(N),), lambda x: pt.tanh(SPARSE_ROWS @ x).sum() + (DENSE[:4] @ x) @ (DENSE[4:8] @ x)
    ),
    "magnetization of rows": Form(
        (spin(10, 10),),
        lambda s: (s.sum(axis=1) ** 2 / 10).sum() + (s * s.sum(axis=0, keepdims=True) / 10).sum(),
    ),
    "variance": Form((field(N),), lambda x: x.var() + ((x - x.mean()) ** 2).sum()),
    "field times function of magnetization": Form(
        (spin(N),), lambda s: FIELDS * s * pt.tanh(s.mean()) + FIELDS * pt.cos(s.mean())
    ),
    "structure factor": Form(
        (spin(N),),
        lambda s: (
            (
                (np.cos(2 * np.pi * np.arange(N) / N) @ s) ** 2
                + (np.sin(2 * np.pi * np.arange(N) / N) @ s) ** 2
            )
            / N
        ),
    ),
    "volume constraint": Form(
        (potts(4, L, L),),
        lambda p: (
            pt.stack([(pt.eq(p, k).sum() - 9.0) ** 2 for k in range(4)])
            + pt.neq(p, pt.roll(p, 1, 0)).sum() / 4
        ),
    ),
    "index that chooses among a few sites": Form((potts(3, N),), lambda p: p[p] * FIELDS),
    "index that chooses in each row": Form(
        (spin(N, 3), potts(3, N)), lambda s, p: COUPLINGS[:N] * s[np.arange(N), p]
    ),
    "gamma function": Form((field(N),), lambda x: pt.gammaln(0.001 + x**2)),
}

REFUSED: dict[str, tuple[Form, str]] = {
    "cumsum": (Form((spin(N),), lambda s: pt.cumsum(s) ** 2), "Cumsum"),
    "sort": (Form((field(N),), lambda x: pt.sort(x) * FIELDS), "Sort"),
    "argmax": (Form((field(N),), lambda x: pt.argmax(x)), "Argmax"),
    "scan": (
        Form(
            (spin(N),),
            lambda s: pytensor.scan(
                lambda a, b: a * b, s, pt.constant(1, dtype="int64"), return_updates=False
            )[-1],
        ),
        "[Ss]can",
    ),
    "state as an index": (
        Form((potts(9, N),), lambda p: p[p] * 1.0),
        "an index depends on the states",
    ),
    "long product": (Form((spin(N),), lambda s: s.prod()), "over 36 elements"),
    "softmax of many": (
        Form((field(N),), lambda x: pt.special.softmax(x) ** 2),
        "over 36 elements",
    ),
    "determinant": (Form((field(4, 4),), lambda x: pt.linalg.det(x)), "Det"),
    "error function": (Form((field(N),), lambda x: pt.erf(x)), "erf"),
    "bits of numbers": (Form((potts(4, N),), lambda p: p & 1), "whole numbers"),
    "deep network": (
        Form((spin(N),), lambda s: pt.tanh(DENSE[:20] @ pt.tanh(DENSE @ s)).sum()),
        "deep network",
    ),
    "site and sum in a function": (
        Form((spin(N),), lambda s: pt.cos(s + pt.tanh(s.sum()))),
        "both directly and through a sum",
    ),
    "convolution": (Form((field(N),), lambda x: pt.signal.convolve1d(x, FIELDS[:3])), "Convolve"),
    "too many pairs": (Form((spin(200, 200),), lambda s: (s - s.mean()) ** 2), "local terms"),
    "couplings in a function of one sum": (
        Form((spin(N),), lambda s: pt.exp(FIELDS * pt.tanh(s.sum()))),
        "different couplings",
    ),
}
"""Energies that must fail, and what the error says."""


def build(form: Form) -> tuple[sm.Model, list, object]:
    """Model with the energy, its variables, and the energy as PyTensor has it."""
    with sm.Model() as model:
        variables = [d() for d in form.declare]
        energy = pt.as_tensor_variable(form.energy(*variables))
        attach(
            pm.Potential("form", -pt.cast(energy, "float64")), EnergyMark("form")
        )  # what sm.Energy does, unchecked
    return model, variables, energy


def by_pytensor(variables: list, energy: object) -> Callable[..., float]:
    """The energy as a function of the states, by PyTensor."""
    inputs = [v.type() for v in variables]
    total = clone_replace(
        pt.sum(energy, dtype="float64"), dict(zip(variables, inputs, strict=True))
    )  # type: ignore[arg-type]
    f = pytensor.function(inputs, total, mode=pytensor.Mode("py", None), on_unused_input="ignore")
    return lambda *states: float(f(*states))
