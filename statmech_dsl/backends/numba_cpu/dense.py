"""Sweeps of dense programs.

Couplings are rounded to whole steps, so small that integers or floats of 32 bits hold the sum of a row
without error. So fields never drift, and no order of summation, not even that of a BLAS, can be seen in
them. Their one error is that of the rounded couplings; it is known, and bounds what is too close to call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from statmech_dsl.backends.numba_cpu.cache import load
from statmech_dsl.backends.numba_cpu.dense_arrays import DenseArrays
from statmech_dsl.backends.numba_cpu.dense_source import arguments, dense_source
from statmech_dsl.backends.numba_cpu.lookup_arrays import LookupArrays
from statmech_dsl.backends.numba_cpu.swept_energy import Rest, rest_of
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.kernel import Program
from statmech_dsl.ir.model import Tables

if TYPE_CHECKING:
    from statmech_dsl.backends.numba_cpu.kernels import Packed


_NONE = np.empty(0)


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

    @cached_property
    def rest(self) -> Rest | None:
        """What energies are besides the fields of the last pass; None if these do not tell them."""
        finite = np.isfinite(self._passes[-1].units.slack).all()
        return rest_of(self.program, self._given) if finite else None

    def replace_tables(self, new: Tables) -> None:
        """Follow other couplings; cached fields are then computed afresh."""
        if new:
            self._given = {**self._given, **new}
            self._couplings = object()
            self.__dict__.pop("rest", None)
            for q in self._passes:
                q.follow(self._given)

    def swept_energy(self, packed: Packed, n: int, threads: int, rest: Rest) -> np.ndarray:
        """Do n sweeps in place, at least one; energies then."""
        energy = np.full(len(packed.beta), rest.constant)
        self(packed, n, threads, rest.fours, energy)
        return energy[: packed.state.n_replicas]

    def __call__(
        self,
        packed: Packed,
        n: int,
        threads: int,
        sources: np.ndarray = _NONE,
        energy: np.ndarray = _NONE,
    ) -> None:
        """Do n sweeps in place; to ``energy``, if it has room, add what the last one tells of it."""
        kernel, state, beta = load(self.source.text), packed.state, packed.beta
        live = _live(state.n_replicas, len(beta), self.lanes)
        arguments = (
            n,
            state.sweep,
            np.uint64(state.seed),
            live,
            packed.replicas,
            beta,
            sources,
            self._passes[-1].units.unit,
            energy,
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
        if not packed.buffers:
            packed.buffers = [q.buffers(len(packed.beta)) for q in self._passes]
        out = []
        for p, q, fields, buffers in zip(
            self.program.passes, self._passes, packed.fields, packed.buffers, strict=True
        ):
            known = q.arrays | fields | buffers | q.factors(packed.beta)
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
