"""Factorizations and solutions of linear equations, by cuSOLVER through CuPy."""

from __future__ import annotations

from typing import Any

from pytensor.graph.basic import Apply
from pytensor.tensor.linalg.decomposition.cholesky import Cholesky
from pytensor.tensor.linalg.decomposition.eigen import Eigh, Eigvalsh
from pytensor.tensor.linalg.decomposition.qr import QR
from pytensor.tensor.linalg.decomposition.svd import SVD
from pytensor.tensor.linalg.inverse import MatrixInverse, MatrixPinv
from pytensor.tensor.linalg.solvers.general import Solve
from pytensor.tensor.linalg.solvers.psd import CholeskySolve
from pytensor.tensor.linalg.solvers.triangular import SolveTriangular
from pytensor.tensor.linalg.summary import Det, SLogDet

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.dispatch import Rule, cupy_funcify
from statmech_dsl.errors import BackendError


def _floating(node: Apply) -> Any:
    """A function that casts to the type in which a node computes."""
    dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
    return lambda x: x.astype(dtype, copy=False)


@cupy_funcify.register
def _cholesky(op: Cholesky, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)

    def cholesky(x: Any) -> Any:
        # CuPy reads the lower triangle, which for the upper factor is to be the upper one.
        factor = cp.linalg.cholesky(cast(x) if op.lower else cast(x).T)
        return factor if op.lower else factor.T

    return cholesky


@cupy_funcify.register
def _solve(op: Solve, node: Apply) -> Rule:
    if op.assume_a not in ("gen", "sym", "her", "pos"):
        raise BackendError(
            f"mode CUPY has no rule for a Solve that assumes a {op.assume_a} matrix",
            mend='use assume_a="gen"',
        )
    cp, cast = array_module.load(), _floating(node)

    def solve(a: Any, b: Any) -> Any:
        return cp.linalg.solve(_symmetric(cp, cast(a), op), cast(b))

    return solve


def _symmetric(cp: Any, a: Any, op: Solve) -> Any:
    """The whole matrix where only a triangle of it is to be read."""
    if op.assume_a == "gen":
        return a
    half = cp.tril(a) if op.lower else cp.triu(a)
    rest = cp.tril(a, -1) if op.lower else cp.triu(a, 1)
    return half + rest.T


@cupy_funcify.register
def _solve_triangular(op: SolveTriangular, node: Apply) -> Rule:
    array_module.load()
    function, cast = array_module.load("cupyx.scipy.linalg").solve_triangular, _floating(node)
    options = {"lower": op.lower, "unit_diagonal": op.unit_diagonal}
    return lambda a, b: function(cast(a), cast(b), **options)


@cupy_funcify.register
def _cholesky_solve(op: CholeskySolve, node: Apply) -> Rule:
    function, cast = array_module.load("cupyx.scipy.linalg").solve_triangular, _floating(node)

    def solve(c: Any, b: Any) -> Any:
        c = cast(c)
        lower, upper = (c, c.T) if op.lower else (c.T, c)
        return function(upper, function(lower, cast(b), lower=True), lower=False)

    return solve


@cupy_funcify.register
def _inverse(op: MatrixInverse, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)
    return lambda x: cp.linalg.inv(cast(x))


@cupy_funcify.register
def _pseudo_inverse(op: MatrixPinv, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)
    return lambda x: cp.linalg.pinv(cast(x))


@cupy_funcify.register
def _determinant(op: Det, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)
    return lambda x: cp.linalg.det(cast(x))


@cupy_funcify.register
def _log_determinant(op: SLogDet, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)
    return lambda x: tuple(cp.linalg.slogdet(cast(x)))


@cupy_funcify.register
def _eigh(op: Eigh, node: Apply) -> Rule:
    _refuse_second_matrix(op, node)
    cp, cast, triangle = array_module.load(), _floating(node), "L" if op.lower else "U"
    return lambda x: tuple(cp.linalg.eigh(cast(x), UPLO=triangle))


@cupy_funcify.register
def _eigvalsh(op: Eigvalsh, node: Apply) -> Rule:
    _refuse_second_matrix(op, node)
    cp, cast, triangle = array_module.load(), _floating(node), "L" if op.lower else "U"
    return lambda x: cp.linalg.eigvalsh(cast(x), UPLO=triangle)


def _refuse_second_matrix(op: Any, node: Apply) -> None:
    if len(node.inputs) > 1:
        raise BackendError(
            f"mode CUPY has no rule for {type(op).__name__} with two matrices",
            mend="transform to an ordinary eigenvalue problem with a Cholesky factor",
        )


@cupy_funcify.register
def _svd(op: SVD, node: Apply) -> Rule:
    cp, cast = array_module.load(), _floating(node)

    def svd(x: Any) -> Any:
        result = cp.linalg.svd(cast(x), full_matrices=op.full_matrices, compute_uv=op.compute_uv)
        return tuple(result) if op.compute_uv else result

    return svd


@cupy_funcify.register
def _qr(op: QR, node: Apply) -> Rule:
    modes = {"full": "complete", "economic": "reduced", "r": "r"}
    if op.pivoting or op.mode not in modes:
        raise BackendError(
            f"mode CUPY has no rule for {op}", mend='use mode="economic" without pivoting'
        )
    cp, cast = array_module.load(), _floating(node)

    def qr(x: Any) -> Any:
        result = cp.linalg.qr(cast(x), mode=modes[op.mode])
        return result if op.mode == "r" else tuple(result)

    return qr
