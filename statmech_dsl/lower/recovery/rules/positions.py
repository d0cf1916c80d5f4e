"""Where elements go: an Op that only moves elements, run on their positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from statmech_dsl.errors import EnergyError
from statmech_dsl.lower.recovery.terms import size_of
from statmech_dsl.lower.recovery.walker import Walker


def moved(
    op: Any, data: Sequence[Variable], rest: Sequence[Variable], walk: Walker, k: int = 0
) -> np.ndarray:
    """Output ``k`` of an Op, as positions in the elements of ``data`` one after the other.

    Parameters
    ----------
    op : pytensor Op
        An Op whose first inputs are ``data`` and whose other inputs are ``rest``.
    data : sequence of Variable
        What it moves.
    rest : sequence of Variable
        Indices, shapes and the like.
    walk : Walker
        The walk.
    k : int
        Which output.
    """
    values = [walk.known.structure(x) for x in rest]
    return moved_by(op, [walk.shape_of(x) for x in data], rest, values, k)


def moved_by(
    op: Any,
    shapes: Sequence[tuple[int, ...]],
    rest: Sequence[Variable],
    values: Sequence[Any],
    k: int = 0,
) -> np.ndarray:
    """Like `moved`, with given shapes of the data and given values of the other inputs."""
    starts = np.cumsum([0] + [size_of(s) for s in shapes])
    positions = [
        np.arange(a, b).reshape(s) for s, a, b in zip(shapes, starts, starts[1:], strict=False)
    ]
    # The Op takes the type of its result from its inputs, and positions need all 64 bits.
    node = op.make_node(*(pt.tensor(dtype="int64", shape=s) for s in shapes), *rest)
    storage: list[list[Any]] = [[None] for _ in node.outputs]
    try:
        op.perform(node, [*positions, *values], storage)
    except IndexError as e:
        raise EnergyError(
            f"an index is out of range: {e}", mend="indices count from 0 to the number of sites - 1"
        ) from e
    except ValueError as e:
        raise EnergyError(f"shapes do not fit: {e}") from e
    return np.asarray(storage[k][0]).astype(np.intp, copy=False)
