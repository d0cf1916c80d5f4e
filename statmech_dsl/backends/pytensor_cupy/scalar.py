"""Scalar Ops as CUDA C: PyTensor's own C code where a device takes it; see also `scalar_rules`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import pytensor.scalar.basic as ps
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.utils import MethodNotDefined

from statmech_dsl.errors import BackendError

C_TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
}

# KERNEL: integer division in PyTensor's C code then does not raise Python errors.
PREAMBLE = (
    "".join(f"typedef {c} npy_{name};\n" for name, c in C_TYPES.items() if name != "bool")
    + """typedef unsigned char npy_bool;
#ifdef __CUDACC_RTC__
#define WITHIN_KERNEL __device__
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#endif
#ifndef NAN
#define NAN __int_as_float(0x7fffffff)
#endif
#ifndef M_PI
#define M_PI 3.14159265358979323846
#endif
#endif
#define KERNEL 1
#ifndef ga_double
#define ga_double double
#endif
"""
)


def statements(op: ps.ScalarOp, node: Apply, ins: Sequence[str], outs: Sequence[str]) -> str:
    """C statements that compute the outputs of a scalar Op.

    Parameters
    ----------
    op : ScalarOp
        The Op, or a Composite of many.
    node : Apply
        A node of it with scalar inputs.
    ins, outs : sequence of str
        Names of C variables.

    Raises
    ------
    BackendError
        If there is no code for the Op, or for one of its types.
    """
    for v in (*node.inputs, *node.outputs):
        if v.type.dtype not in C_TYPES:  # type: ignore[attr-defined]
            raise refused(op, f"the type {v.type.dtype}", "cast to float32 or float64")  # type: ignore[attr-defined]
    name = outs[0]
    if isinstance(op, ps.Composite):
        return _composite(op, name, ins, outs)
    return cuda_code(op, node, name, ins, outs)


def scalar_node(op: ps.ScalarOp, dtypes: Sequence[str]) -> Apply:
    """A node of a scalar Op with inputs of given types."""
    return op.make_node(*[ps.get_scalar_type(d).make_variable() for d in dtypes])


def support_code(op: ps.ScalarOp) -> str:
    """Functions that the statements of an Op call."""
    codes = {o.c_support_code().strip() for o in _members(op) if not _has_rule(o)}
    return "\n".join(sorted(codes - {""}))


def literal(x: Any, dtype: str) -> str:
    """The exact C literal of a number; hexadecimal, for PyTensor's decimals lose the type."""
    value = np.asarray(x, dtype=dtype)[()]
    if dtype == "bool":
        return "true" if value else "false"
    if dtype in ("float32", "float64"):
        if np.isnan(value):
            return f"(({C_TYPES[dtype]})NAN)"
        if np.isinf(value):
            return f"(({C_TYPES[dtype]}){'-' if value < 0 else ''}INFINITY)"
        return f"({float(value).hex()}{'f' if dtype == 'float32' else ''})"
    if dtype == "int64" and value == np.iinfo(np.int64).min:
        return "(-9223372036854775807LL - 1)"
    return f"(({C_TYPES[dtype]}){int(value)}{'ULL' if dtype == 'uint64' else 'LL'})"


@singledispatch
def cuda_code(
    op: ps.ScalarOp, node: Apply, name: str, ins: Sequence[str], outs: Sequence[str]
) -> str:
    """C statements of one scalar Op; register a function for what PyTensor has no usable code for."""
    try:
        return op.c_code(node, name, list(ins), list(outs), {"fail": "", "id": name})
    except (MethodNotDefined, NotImplementedError, AttributeError) as e:
        dtype = node.outputs[0].type.dtype  # type: ignore[attr-defined]
        if any(not is_float(v) for v in node.inputs) and dtype.startswith("float"):
            return _in_floating_point(op, dtype, name, ins, outs)
        types = ", ".join(v.type.dtype for v in node.inputs)  # type: ignore[attr-defined]
        raise refused(op, f"the types {types}", "write it with other functions") from e


def _in_floating_point(
    op: ps.ScalarOp, dtype: str, name: str, ins: Sequence[str], outs: Sequence[str]
) -> str:
    """The statements of an Op whose C code knows floating-point numbers only, for whole numbers."""
    names = [f"{name}_in{k}" for k in range(len(ins))]
    lines = [f"const {C_TYPES[dtype]} {n} = {x};" for n, x in zip(names, ins, strict=True)]
    node = scalar_node(op, [dtype] * len(ins))
    return "\n".join([*lines, cuda_code(op, node, name, names, outs)])


def _composite(op: ps.Composite, name: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    known = dict(zip(op.fgraph.inputs, ins, strict=True))
    lines = []

    def spelled(v: Any) -> str:
        return literal(v.data, v.type.dtype) if isinstance(v, Constant) else known[v]

    for k, node in enumerate(op.fgraph.toposort()):
        new = [f"{name}_{k}_{j}" for j in range(len(node.outputs))]
        arguments = [spelled(v) for v in node.inputs]
        for v, n in zip(node.outputs, new, strict=True):
            lines.append(f"{C_TYPES.get(v.type.dtype, v.type.dtype)} {n};")
            known[v] = n
        lines.append(statements(node.op, node, arguments, new))
    lines += [f"{o} = {spelled(v)};" for o, v in zip(outs, op.fgraph.outputs, strict=True)]
    return "\n".join(lines)


def _members(op: ps.ScalarOp) -> list[ps.ScalarOp]:
    if not isinstance(op, ps.Composite):
        return [op]
    return [o for node in op.fgraph.toposort() for o in _members(node.op)]


def _has_rule(op: ps.ScalarOp) -> bool:
    return cuda_code.dispatch(type(op)) is not cuda_code.dispatch(object)


def is_float(v: Any) -> bool:
    """Whether a scalar variable is of floating point."""
    return v.type.dtype.startswith("float")


def refused(op: ps.ScalarOp, what: str, mend: str) -> BackendError:
    """The error for a scalar Op without code."""
    return BackendError(
        f"mode CUPY has no kernel code for the scalar Op {op} ({type(op).__name__}) with {what}",
        mend=f"{mend}, or compile with another mode",
    )
