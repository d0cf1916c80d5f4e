"""The sweep of dense programs: matrices, cached fields, and the arguments of the printed kernel.

Couplings are rounded to whole steps, so small that a row's sum is held without error by the integers or
floats that add it up. So fields never drift, and no order of summation, not even that of a BLAS, can be
seen in them; their one error is that of the couplings, and it bounds the lanes that are too close to call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import ThreadpoolController

from statmech_dsl.backends.couplings import Steps, couplings, in_steps
from statmech_dsl.backends.numba_cpu.cache import load
from statmech_dsl.backends.numba_cpu.dense_source import arguments, dense_source
from statmech_dsl.backends.numba_cpu.runtime_float32 import LARGEST_SLACK, MINUS_LOG2E, WIDER
from statmech_dsl.backends.numba_cpu.threads import spread
from statmech_dsl.ir.dense import DenseForm
from statmech_dsl.ir.kernel import LoweredPass, Program
from statmech_dsl.ir.model import Tables

if TYPE_CHECKING:
    from statmech_dsl.backends.numba_cpu.kernels import Packed

LIMIT = {"fields": 2**30, "products": 2**24}
"""Largest sums of steps: of integers of 32 bits, and of float32."""
LINE = 16
"""Numbers of 32 bits in a cache line."""


class DensePass:
    """Arrays of one pass that follow from the couplings."""

    def __init__(self, p: LoweredPass, program: Program, tables: Tables) -> None:
        assert p.dense is not None
        self.form: DenseForm = p.dense
        model = program.model
        self.sizes = [model.variable(v).n_sites for v in self.form.sources]
        steps = in_steps(couplings(p, self.form, model, tables), LIMIT[self.form.method])
        # float32 rounds to nearest: a slack must not become less
        slack = np.nextafter(steps.slack.astype(np.float32), np.float32(np.inf))
        self.largest_slack = float(steps.slack.max(initial=0.0))
        self.arrays = {"scale": steps.scale.astype(np.float32), "slack": slack}
        if self.form.method == "fields":
            self._cached(steps)
        else:
            self._by_color(steps, tables[p.segments])

    def _cached(self, steps: Steps) -> None:
        """Rows for sources, columns for sites by rank; one more line keeps rows off one cache set."""
        n, n_sources = steps.steps.shape
        width = -(-n // LINE) * LINE + LINE
        rows = np.zeros((n_sources, width), np.int32)
        rows[:, :n] = steps.steps.T
        self.offset = np.zeros(width, np.int32)
        self.offset[:n] = steps.offset
        first = np.concatenate([[0], np.cumsum(self.sizes)])
        self.arrays |= {"steps": rows, "first": first}

    def _by_color(self, steps: Steps, segments: np.ndarray) -> None:
        """The blocks of each color, with the sources that it has couplings to."""
        first = np.cumsum([0, *self.sizes[:-1]])
        variable = np.repeat(np.arange(len(self.sizes)), self.sizes)
        colors, blocks, members = [], [], []
        entries, listed = 0, 0
        for a, b in zip(segments, segments[1:], strict=False):
            found = np.flatnonzero(steps.steps[a:b].any(0))
            found = found if len(found) else np.zeros(1, np.int64)
            block = steps.steps[a:b, found]
            cuts = np.searchsorted(variable[found], np.arange(len(self.sizes) + 1))
            colors.append([a, b, entries, entries + block.size, *(listed + cuts)])
            blocks.append(block.ravel())
            members.append(found - first[variable[found]])
            entries, listed = entries + block.size, listed + len(found)
        self.arrays |= {
            "steps": np.concatenate(blocks).astype(np.float32),
            "offset": steps.offset.astype(np.float32),
            "colors": np.array(colors, np.int64),
            "members": np.concatenate(members),
        }

    def width(self, beta: np.ndarray) -> np.ndarray:
        """Factor from the slack of a field to that of the exponent; infinite where nothing is certain."""
        largest = np.abs(beta) * self.largest_slack
        wide = np.where(largest <= LARGEST_SLACK, WIDER * np.abs(beta), np.inf)
        return wide.astype(np.float32)

    def fresh_fields(self, lows: list[float], chunks: int, lanes: int) -> dict[str, np.ndarray]:
        """Fields and states seen so far as if all sources had their low values."""
        if self.form.method == "products":
            return {}
        seen = np.repeat(np.array(lows, np.int8), self.sizes)
        return {
            "fields": np.tile(self.offset, (chunks, lanes, 1)),
            "seen": np.tile(seen[:, None], (chunks, 1, lanes)),
        }


class DenseSweep:
    """Sweeps of a program whose passes are all dense."""

    def __init__(self, program: Program, tables: Tables, lanes: int) -> None:
        self.program, self.lanes = program, lanes
        self.source = dense_source(program, tables, lanes)
        self.replace_tables(tables)

    def replace_tables(self, tables: Tables) -> None:
        """Follow other couplings; fields are then computed afresh."""
        self._tables = [tables[name] for name in self.source.tables]
        self._passes = [DensePass(p, self.program, tables) for p in self.program.passes]

    def __call__(self, packed: Packed, n: int, threads: int) -> None:
        """Do n sweeps in place."""
        kernel, state = load(self.source.text), packed.state
        live = np.full(len(packed.beta), self.lanes)
        live[-1] = state.n_replicas - self.lanes * (len(live) - 1)
        arguments = (
            n,
            state.sweep,
            np.uint64(state.seed),
            live,
            packed.replicas,
            packed.beta,
            (MINUS_LOG2E * packed.beta).astype(np.float32),
            *self._arrays(packed),
            *packed.values.values(),
            *self._tables,
        )
        with self._one_blas_thread():
            spread(lambda a, b: kernel(a, b, *arguments), len(live), threads)
        state.sweep += n

    def _arrays(self, packed: Packed) -> list[np.ndarray]:
        """Arguments of the passes; the fields stay with the state while the couplings last."""
        if packed.fields_of is not self._passes:
            packed.fields_of, packed.fields = self._passes, [self._fresh(p, packed) for p in self._passes]
        out = []
        for p, q, fields in zip(self.program.passes, self._passes, packed.fields, strict=True):
            known = q.arrays | fields | {"width": q.width(packed.beta)}
            out += [known[name] for name in arguments(p)]
        return out

    def _fresh(self, p: DensePass, packed: Packed) -> dict[str, np.ndarray]:
        domains = [self.program.model.variable(v).domain for v in p.form.sources]
        lows = [d.values[0] for d in domains if d.values is not None]
        return p.fresh_fields(lows, *packed.beta.shape)

    def _one_blas_thread(self) -> AbstractContextManager:
        """Threads run over replicas: those of a BLAS would get in their way."""
        if all(p.form.method == "fields" for p in self._passes):
            return nullcontext()
        return _blas().limit(limits=1)


@cache
def _blas() -> ThreadpoolController:
    """Every BLAS that is loaded; Numba calls that of SciPy."""
    import scipy.linalg.cython_blas  # noqa: F401

    return ThreadpoolController().select(user_api="blas")
