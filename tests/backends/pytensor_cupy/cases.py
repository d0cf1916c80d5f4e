"""Graphs with inputs: what is compiled in mode CUPY and held against PyTensor's default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor import sparse
from pytensor.conditional.op import ifelse
from pytensor.scan.utils import until
from scipy import sparse as scipy_sparse


class Case(NamedTuple):
    """Inputs, outputs and values."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    values: Sequence[Any]


CASES: dict[str, Callable[[], Case]] = {}


def case(function: Callable[[], Case]) -> Callable[[], Case]:
    """Register a case under the name of its function."""
    CASES[function.__name__] = function
    return function


RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 4))
V, B = RNG.normal(size=5), RNG.normal(size=(2, 3, 4))
I = np.array([0, 2, 2, 4], "int32")  # noqa: E741
x, y, v, b = pt.matrix("x"), pt.matrix("y"), pt.vector("v"), pt.tensor3("b")
c, n, i = pt.scalar("c"), pt.iscalar("n"), pt.ivector("i")


@case
def elementwise():
    return Case([x], [pt.exp(-(x**2)) * pt.tanh(x) + 3 * pt.sqrt(abs(x))], [X])


@case
def several_outputs():
    return Case([x], [pt.exp(x) * 2, pt.exp(x) + x, pt.exp(x) > 1], [X])


@case
def broadcasting():
    return Case([x, v, c], [x[:, :, None] * v + c, x + v[:3] * x[:, 0][:, None]], [X, V, 0.5])


@case
def float32_and_integers():
    f, k = pt.fmatrix("f"), pt.lmatrix("k")
    outputs = [f * 0.1 + k, f.astype("int8"), k // 3 + k % 3, k**2, (f > 0) & (k > 0)]
    outputs += [~(f > 0) | (k > 0), pt.xor(k, 5), pt.cast(k, "uint8") * 3, f.astype("bool")]
    return Case([f, k], outputs, [X.astype("float32"), np.arange(12).reshape(4, 3) - 5])


@case
def choosing():
    return Case([x], [pt.switch(x > 0, x, -2 * x), pt.clip(x, -0.5, 0.5), pt.sign(x)], [X])


@case
def reductions():
    outputs = [x.sum(), x.sum(0), x.mean(1), x.max(0), x.min(), x.prod(), (x > 0).any(1)]
    return Case([x], [*outputs, (x > -9).all(), x.argmax(1), x.argmax(), x.var(0)], [X])


@case
def mapped_reductions():
    outputs = [(x**2).sum(1), pt.exp(x).max(0), (x * v[:3]).sum((0, 1)), abs(x).prod(0)]
    return Case([x, v], outputs, [X, V])


@case
def mapped_full_reductions():
    outputs = [(x**2).sum(), (x * v[:3]).sum(), pt.exp(x).max(), (x > 0).all(), (x - 1).min()]
    return Case([x, v], [*outputs, ((x > 0) & (x < 2)).any(), (x**2 + 1).prod()], [X, V])


@case
def float32_reductions():
    f = pt.fmatrix("f")
    return Case([f], [f.sum(), (f * f).sum(), (f * f).sum(0)], [X.astype("float32")])


@case
def integer_reductions():
    k = pt.lmatrix("k")
    return Case([k], [(k * k).sum(), (k * 2).max(), (k + 1).sum(0)], [np.arange(12).reshape(4, 3)])


@case
def one_integer_sum():
    k = pt.lmatrix("k")
    return Case([k], [(k * k).sum()], [np.arange(12).reshape(4, 3)])


@case
def nan_stays():
    return Case([v], [(v * 2).max(), (v * 2).min(), v.max()], [np.array([1.0, np.nan, 2.0])])


@case
def empty():
    return Case([x], [(x * 2).sum(), (x * 2).sum(0), x.sum(), x * 2 + 1], [np.zeros((0, 3))])


@case
def cumulative():
    return Case([x], [x.cumsum(0), x.cumprod(1), pt.sort(x, 0), pt.argsort(x, 1)], [X])


@case
def product_gradient():
    return Case([x], [pt.grad(x.prod(), x)], [np.where(X > 0.5, 0, X)])


@case
def dimensions():
    outputs = [x.T[None], x.reshape((3, 4)), x.reshape((-1,)), x.ravel()[:, None] * 2]
    return Case([x], [*outputs, x.dimshuffle(1, "x", 0)], [X])


@case
def reshape_to_given_shape():
    s = pt.lvector("s")
    return Case([x, s], [x.reshape(s, ndim=2)], [X, np.array([2, 6])])


@case
def slices():
    return Case([v, n], [v[1:4], v[::-1], v[n], v[-n:], v[:n]], [V, np.int32(2)])


@case
def index_arrays():
    outputs = [v[i], v[np.array([0, 3, 3])], x[i[:2]], x[np.array([0, 1]), np.array([2, 1])]]
    return Case([v, i, x], [*outputs, x[:, np.array([0, 2, 2])]], [V, I, X])


@case
def masks():
    return Case([v], [v[v > 0].sum(), pt.set_subtensor(v[v > 0], 0.0), pt.nonzero(v > 0)[0]], [V])


@case
def writing():
    outputs = [pt.set_subtensor(v[1:3], 0.0), pt.inc_subtensor(v[i], 1.0)]
    outputs += [pt.inc_subtensor(v[2:], v[:3]), pt.set_subtensor(v[i], pt.arange(4.0))]
    return Case([v, i], [*outputs, pt.inc_subtensor(pt.zeros((5, 2))[i], v[:2])], [V, I])


@case
def writing_integers():
    targets = [pt.zeros(5, dtype=d) for d in ("int64", "int8", "uint8", "int32")]
    outputs = [
        pt.inc_subtensor(t[i], pt.constant(-3, dtype="int8").astype(t.dtype)) for t in targets
    ]
    outputs.append(pt.inc_subtensor(pt.zeros(5, dtype="int64")[i], 2**40 - 1))
    return Case([i], outputs, [I])


@case
def joining():
    first, second = pt.split(x, [1, 3], axis=0)
    outputs = [pt.concatenate([v, v * 2, v[:1]]), pt.stack([v, v]), first, second * 2]
    return Case([v, x], [*outputs, pt.stack([v[0], x[0, 0], pt.exp(v[1])])], [V, X])


@case
def making():
    outputs = [pt.zeros((n, 3)) + c, pt.arange(n), pt.full((2, n), c), pt.eye(3) * c]
    return Case(
        [n, c], [*outputs, pt.alloc(pt.arange(3), n, 3), pt.diag(pt.eye(n) * c)], [np.int32(4), 1.5]
    )


@case
def repeating():
    outputs = [pt.repeat(x, 2, axis=0), pt.tile(v, 2), pt.searchsorted(pt.sort(v), v)]
    return Case([x, v, i], [*outputs, pt.repeat(v[:4], i)], [X, V, I])


@case
def products():
    return Case([x, y, v], [x @ y, pt.dot(v, v), pt.outer(v, v), x @ v[:3]], [X, Y, V])


@case
def batched_products():
    return Case([b, y], [b @ b.mT, b.mT @ b, b @ y.T, pt.einsum("bij,bkj->bik", b, b)], [B, Y])


@case
def softmax():
    outputs = [
        pt.special.softmax(x, axis=1),
        pt.logsumexp(x, axis=0),
        pt.special.log_softmax(x, axis=-1),
    ]
    return Case([x], [*outputs, pt.logsumexp(x), pt.grad(pt.logsumexp(x), x)], [X])


@case
def factorizations():
    a = x.T @ x + pt.eye(3)
    factor = pt.linalg.cholesky(a)
    outputs = [factor, pt.linalg.cholesky(a, lower=False), pt.linalg.solve(a, y), pt.linalg.inv(a)]
    outputs += [pt.linalg.solve_triangular(factor, y, lower=True), pt.linalg.det(a)]
    outputs += [pt.linalg.slogdet(a)[1], pt.linalg.eigh(a)[0], pt.linalg.svd(a, compute_uv=False)]
    outputs += [abs(pt.linalg.qr(a, mode="r")), pt.linalg.solve(a, y[:, 0], assume_a="pos")]
    return Case([x, y], [*outputs, pt.linalg.cho_solve((factor, True), y)], [X, Y])


@case
def general_matrices():
    a = pt.matrix("a")
    outputs = [pt.linalg.det(a), pt.linalg.pinv(x)]
    outputs += [pt.linalg.solve(a, y), pt.linalg.solve(a, y[:, 1], assume_a="sym")]
    outputs += [pt.linalg.kron(x, y), pt.einsum("ij,jk,kl->il", x, y, x)]
    return Case([a, x, y], outputs, [X[:3], X, Y])


@case
def singular_values():
    u, w, vt = pt.linalg.svd(x, full_matrices=False)
    return Case([x, y], [(u * w) @ vt, *pt.linalg.slogdet(y[:, :3])], [X, Y])


@case
def batched_cholesky():
    return Case([b], [pt.linalg.cholesky(b @ b.mT + pt.eye(3))], [B])


@case
def sparse_products():
    m = sparse.csr_matrix("m")
    matrix = scipy_sparse.csr_matrix(np.where(abs(X) > 0.5, X, 0))
    outputs = [sparse.dot(m, y), sparse.dot(x, m.T), sparse.structured_dot(m, y)]
    return Case([m, y, x], [*outputs, sparse.dense_from_sparse(m) * 2], [matrix, Y, X])


@case
def sparse_results():
    m = sparse.csr_matrix("m")
    matrix = scipy_sparse.csr_matrix(np.where(abs(X) > 0.5, X, 0))
    return Case([m, x], [sparse.true_dot(m, m.T), sparse.csr_from_dense(x)], [matrix, X])


@case
def named_dimensions():
    from pytensor.xtensor import as_xtensor, xtensor

    rows, columns = xtensor("rows", dims=("i", "j")), as_xtensor(v, dims=("j",))
    return Case([rows, v], [(rows * columns).sum("j").values, pt.exp(rows.values)], [X, V[:3]])


@case
def branches():
    outputs = [ifelse(c > 0, pt.exp(x), x.sum() + x), ifelse(x.sum() > 0, x, -x)]
    return Case([c, x], outputs, [1.0, X])


@case
def other_branches():
    return Case([c, x], [ifelse(c > 0, pt.exp(x), x.sum() + x)], [-1.0, X])


@case
def graphs_in_graphs():
    inner = pytensor.compile.builders.OpFromGraph([x, c], [pt.exp(x) * c, x.sum()])
    return Case([x, c], [*inner(x, c), pt.grad(inner(x, c)[0].sum(), x)], [X, 2.0])


def _decay():
    return pytensor.scan(
        lambda row, s, factor: factor * s + row,
        sequences=[x],
        outputs_info=[v],
        non_sequences=[c],
        return_updates=False,
    )


@case
def loops():
    return Case([x, v, c], [_decay(), _decay()[-1]], [X, V[:3], 0.9])


@case
def gradients_of_loops():
    outputs = [pt.grad(_decay()[-1].sum(), v), pt.grad((_decay() ** 2).sum(), x)]
    return Case([x, v, c], outputs, [X, V[:3], 0.9])


@case
def loops_with_two_taps():
    fibonacci = pytensor.scan(
        lambda p, q: p + q,
        outputs_info=[{"initial": pt.as_tensor([1.0, 1.0]), "taps": [-1, -2]}],
        n_steps=n,
        return_updates=False,
    )
    return Case([n], [fibonacci], [np.int32(6)])


@case
def loops_that_stop():
    halved = pytensor.scan(
        lambda s: (s / 2, until(s < 0.5)),
        outputs_info=[c],
        n_steps=20,
        return_updates=False,
    )
    return Case([c], [halved], [8.0])


def field_energy(phi):
    """Gradient energy and on-site terms of a scalar field, periodic along all axes."""
    gradient = sum(((pt.roll(phi, -1, a) - phi) ** 2).sum() for a in range(phi.type.ndim))
    return 0.5 * gradient + (0.3 * phi**2 + 0.1 * phi**4).sum()


@case
def lattice_field():
    energy = field_energy(x)
    return Case([x], [energy, pt.grad(energy, x)], [X])


@case
def lattice_field_3d():
    energy = field_energy(b)
    return Case([b], [energy, pt.grad(energy, b)], [B])


@case
def lattice_field_of_known_shape():
    phi = pt.tensor("phi", shape=(4, 3), dtype="float32")
    energy = field_energy(phi)
    return Case([phi], [energy, pt.grad(energy, phi)], [X.astype("float32")])


@case
def rolled():
    outputs = [pt.roll(x, 1, axis=0), pt.roll(x, -1, 1) * 2, pt.roll(pt.exp(x), 5, 0) + x]
    outputs += [pt.roll(pt.roll(x, 1, 0), 2, 1) - x, pt.roll(x, n, 0) + x]
    outputs += [pt.concatenate([x[1:], x[:1]]) * x, pt.roll(x.T, 1, 0) + x.T]
    outputs += [(pt.roll(x, 1, 0) * v[0]).sum(0), x[0] + pt.roll(x, 1, 1)]
    return Case([x, n, v], outputs, [X, np.int32(2), V])


@case
def plane_rotators():
    energy = -sum(pt.cos(x - pt.roll(x, 1, a)).sum() for a in range(2))
    return Case([x], [energy, pt.grad(energy, x)], [X])
