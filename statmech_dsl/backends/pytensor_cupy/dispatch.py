"""`cupy_funcify`: what an Op does on the device, one rule per kind of Op."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

from pytensor.graph.basic import Apply

from statmech_dsl.errors import BackendError

Rule = Callable[..., Any]


@singledispatch
def cupy_funcify(op: Any, node: Apply) -> Rule:
    """A function of the values of a node's inputs that returns the value of its output.

    To support another Op, register a function for its type. It runs when a graph is compiled, and
    may look at the types of ``node``. What it returns is called with CuPy arrays, and with NumPy
    arrays for the inputs that `host_inputs` names; it returns a CuPy array, or a tuple of them if
    the node has several outputs. It must not change its inputs.

    Parameters
    ----------
    op : Op
        The Op.
    node : Apply
        Its node in a graph that the placement pass has written.

    Raises
    ------
    BackendError
        If there is no rule.

    Examples
    --------
    >>> import pytensor.tensor as pt
    >>> node = pt.linalg.expm(pt.matrix("x")).owner
    >>> cupy_funcify(node.op.core_op, node)
    Traceback (most recent call last):
    statmech_dsl.errors.BackendError: mode CUPY has no rule for the Op Expm...
    """
    raise BackendError(
        f"mode CUPY has no rule for the Op {op} ({type(op).__name__})",
        where=f"the node {node}",
        mend="write the graph with other Ops, compile with another mode, or register a rule with "
        "statmech_dsl.backends.pytensor_cupy.cupy_funcify",
    )
