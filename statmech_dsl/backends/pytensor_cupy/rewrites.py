"""Where our rewrites stand among PyTensor's; all have the tag "cupy"."""

from __future__ import annotations

from typing import Any

from pytensor.compile.builders import OpFromGraph
from pytensor.compile.mode import optdb
from pytensor.compile.rewriting import inline_ofg_node
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.graph.rewriting.db import SequenceDB
from pytensor.tensor.rewriting.basic import topo_constant_folding

from statmech_dsl.backends.pytensor_cupy.carry_rolls import CARRY_ROLLS
from statmech_dsl.backends.pytensor_cupy.find_rolls import FIND_ROLLS
from statmech_dsl.backends.pytensor_cupy.fusion import FUSE


@node_rewriter([OpFromGraph])
def local_inline_graph(fgraph: Any, node: Apply) -> list[Variable]:
    """An OpFromGraph (softmax, logsumexp, ...) is replaced by its graph, so that it can be fused."""
    return inline_ofg_node(node)


# After the first merge, which makes equal slice bounds the same variable, and before the slices
# are rewritten.
_find = SequenceDB()
optdb.register("cupy_find_rolls", _find, "cupy", position=0.02)
for _k, _rewriter in enumerate(FIND_ROLLS):
    _find.register(f"cupy_find_rolls_{_k}", _rewriter, "cupy", position=_k)

# After all that works on whole Ops, and before fusion at 49.
_prepare = SequenceDB()
optdb.register("cupy_prepare", _prepare, "cupy", position=48.2)
_prepare.register("cupy_inline", dfs_rewriter(local_inline_graph), "cupy", position=0)
_prepare.register("cupy_fold", topo_constant_folding, "cupy", position=1)
for _k, _rewriter in enumerate(CARRY_ROLLS, start=2):
    _prepare.register(f"cupy_carry_rolls_{_k}", _rewriter, "cupy", position=_k)

_fuse = SequenceDB()
optdb.register("cupy_fuse", _fuse, "cupy", position=49.4)
for _k, _rewriter in enumerate(FUSE):
    _fuse.register(f"cupy_fuse_{_k}", _rewriter, "cupy", position=_k)
