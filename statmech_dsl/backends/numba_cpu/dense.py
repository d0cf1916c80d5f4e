"""Sweeps of dense programs.

Couplings are rounded to whole steps, so small that integers or floats of 32 bits hold the sum of a row
without error. So fields never drift, and no order of summation, not even that of a BLAS, can be seen in
them. Their one error is that of the rounded couplings; it is known, and bounds what is too close to call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from statmech_dsl.backends.numba_cpu.cache import load
from statmech_dsl.backends.numba_cpu.dense_arrays import DenseArrays
from statmech_dsl.backends.numba_cpu.dense_source import arguments, dense_source
from statmech_dsl.backends.numba_cpu.lookup_arrays import LookupArrays
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

if TYPE_CHECKING:
    from statmech_dsl.backends.numba_cpu.kernels import Packed


class DenseSweep:
    """Sweeps of a program whose passes are all dense."""

    def __init__(self, program: Program, tables: Tables, lanes: int) -> None:
        self.program, self.lanes = program, lanes
        self.source = dense_source(program, tables, lanes)
        self._given = tables
        self._passes = [
            (LookupArrays if p.dense and p.dense.method == "lookups" else DenseArrays)(
                p, program.model, tables
            )
            for p in program.passes
        ]
        self._couplings = object()

    def replace_tables(self, new: Tables) -> None:
        """Follow other couplings; cached fields are then computed afresh."""
        if new:
            self._given = {**self._given, **new}
            self._couplings = object()
            for q in self._passes:
                q.follow(self._given)

    def __call__(self, packed: Packed, n: int, threads: int) -> None:
        """Do n sweeps in place."""
        kernel, state, beta = load(self.source.text), packed.state, packed.beta
        live = _live(state.n_replicas, len(beta), self.lanes)
        arguments = (
            n,
            state.sweep,
            np.uint64(state.seed),
            live,
            packed.replicas,
            beta,
            *self._arrays(packed),
            *packed.values.values(),
            *(self._given[name] for name in self.source.tables),
        )
        with self._one_blas_thread():
            spread(lambda a, b: kernel(a, b, *arguments), len(beta), threads)
        state.sweep += n

    def _arrays(self, packed: Packed) -> list[np.ndarray]:
        """Arguments of the passes; cached fields stay with the state while the couplings last."""
        if packed.fields_of is not self._couplings:
            packed.fields_of = self._couplings
            packed.fields = [q.fresh_fields(*packed.beta.shape) for q in self._passes]
        out = []
        for p, q, fields in zip(self.program.passes, self._passes, packed.fields, strict=True):
            known = q.arrays | fields | q.factors(packed.beta)
            out += [known[name] for name in arguments(p)]
        return out

    def _one_blas_thread(self) -> AbstractContextManager:
        """Threads run over replicas: those of a BLAS would get in their way."""
        if all(q.form.method != "products" for q in self._passes):
            return nullcontext()
        return _blas().limit(limits=1)


@lru_cache(16)
def _live(n_replicas: int, chunks: int, lanes: int) -> np.ndarray:
    """Lanes of each chunk that hold replicas."""
    return np.clip(n_replicas - lanes * np.arange(chunks), 0, lanes)


@cache
def _blas() -> ThreadpoolController:
    """Every BLAS that is loaded; compiled products call that of SciPy."""
    import scipy.linalg.cython_blas  # noqa: F401

    return ThreadpoolController().select(user_api="blas")
