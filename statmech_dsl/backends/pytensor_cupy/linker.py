"""The linker: a rewritten graph becomes a program on the device; mode "CUPY" is registered here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from pytensor.compile.mode import Mode, register_linker, register_mode
from pytensor.compile.rewriting import (
    functional_rewrite_ofg_inner_graph,
    rewrite_ofg_inner_graph,
)
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.basic import JITLinker
from pytensor.scan.rewriting.inner_graph import (
    functional_rewrite_scan_inner_graph,
    rewrite_scan_inner_graph,
)
from pytensor.tensor.optimize import rewrite_optimize_inner_graph
from pytensor.tensor.rewriting.optimize import jit_rewrite_optimize_inner_graph

from statmech_dsl.backends.pytensor_cupy import array_module
from statmech_dsl.backends.pytensor_cupy.placement import homes_of_updated, place
from statmech_dsl.backends.pytensor_cupy.program import Program, program


class CuPyLinker(JITLinker):
    """Runs the whole of a graph with CuPy.

    Outputs come back as NumPy arrays. New values of shared variables stay on the device.

    Examples
    --------
    >>> from pytensor.compile.mode import get_mode
    >>> get_mode("CUPY").linker
    CuPyLinker()
    """

    required_rewrites = ("minimum_compile", "cupy")
    # Not among them: what writes C or BLAS calls, changes arrays in place, or ties an Op to the
    # buffers of another. Reductions are fused by our own pass.
    incompatible_rewrites = (
        "cxx_only",
        "BlasOpt",
        "inplace",
        "local_careduce_fusion",
        "scan_reduce_trace_prealloc",
        "reuse_decomposition_multiple_solves",
        "scan_split_non_sequence_decomposition_and_solve",
    )

    def fgraph_convert(self, fgraph: FunctionGraph, *args: Any, **kwargs: Any) -> Program:
        """The program of a graph."""
        array_module.load()
        if "pytensor.sparse" in sys.modules:  # its import adds rewrites to every mode
            from statmech_dsl.backends.pytensor_cupy import sparse  # noqa: F401
        updates: dict[int, int] = getattr(fgraph, "update_mapping", None) or {}
        wanted = {k: None if k in updates else "host" for k in range(len(fgraph.outputs))}
        return program(place(fgraph, wanted, homes_of_updated(fgraph, updates)))  # type: ignore[arg-type]

    def jit_compile(self, fn: Callable) -> Callable:
        """The program itself: its kernels are compiled by CuPy when they are first launched."""
        return fn

    def create_thunk_inputs(self, storage_map: dict[Variable, list[Any]]) -> Sequence[list[Any]]:
        """The storage of the inputs."""
        assert self.fgraph is not None
        return [storage_map[v] for v in self.fgraph.inputs]


rewrite_ofg_inner_graph.register(CuPyLinker)(functional_rewrite_ofg_inner_graph)
rewrite_scan_inner_graph.register(CuPyLinker)(functional_rewrite_scan_inner_graph)
rewrite_optimize_inner_graph.register(CuPyLinker)(jit_rewrite_optimize_inner_graph)

CUPY = Mode(CuPyLinker(), RewriteDatabaseQuery(include=["fast_run", "cupy", "lazy_ifelse"]))
register_linker("cupy", CuPyLinker())
register_mode("CUPY", CUPY)
