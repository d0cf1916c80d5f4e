"""The PyTensor variable that a declaration returns, and what arithmetic makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from statmech_dsl.errors import EnergyError
from statmech_dsl.ir.marks import VariableMark, mark_of


class SiteVariable(TensorVariable):
    """A declared variable, or an expression that operators make of one.

    Index arrays enter as constants: PyTensor looks at every element of a NumPy index array in Python,
    which takes 5 s for 10^6 bonds. Shapes that do not fit are named in terms of the user's variables.
    """

    def __getitem__(self, index: Any) -> SiteVariable:
        items = index if isinstance(index, tuple) else (index,)
        constants = tuple(
            pt.constant(x) if isinstance(x, np.ndarray) and x.dtype.kind in "iu" else x
            for x in items
        )
        return as_site_variable(
            super().__getitem__(constants if isinstance(index, tuple) else constants[0])
        )


def as_site_variable(variable: Any) -> Any:
    """The same variable with our operators."""
    if type(variable) is TensorVariable:
        variable.__class__ = SiteVariable
    return variable


_OPERATORS = (
    *(
        f"__{r}{op}__"
        for op in ("add", "sub", "mul", "truediv", "pow", "matmul")
        for r in ("", "r")
    ),
    *("__neg__", "__abs__", "__lt__", "__le__", "__gt__", "__ge__"),
)


def _guarded(operator: str) -> Any:
    plain = getattr(TensorVariable, operator)

    def apply(self: SiteVariable, *other: Any) -> Any:
        try:
            return as_site_variable(plain(self, *other))
        except ValueError as e:
            shapes = " and ".join(str(_shape(x)) for x in (self, *other))
            raise EnergyError(
                f"the shapes {shapes} do not fit together",
                where=f"in an expression of {', '.join(_names(self, *other))}",
                mend="per-site arrays have one number for each site, per-bond arrays one for each bond",
            ) from e

    apply.__name__, apply.__doc__ = operator, plain.__doc__
    return apply


for _operator in _OPERATORS:
    setattr(SiteVariable, _operator, _guarded(_operator))


def _shape(x: Any) -> tuple:
    return x.type.shape if isinstance(x, TensorVariable) else np.shape(x)


def _names(*operands: Any) -> list[str]:
    graphs = [x for x in operands if isinstance(x, TensorVariable)]
    marks = (mark_of(v) for v in ancestors(graphs))
    return sorted({repr(m.name) for m in marks if isinstance(m, VariableMark)})
