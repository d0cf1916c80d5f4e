"""Scalar Ops as CUDA C: PyTensor's own C code where a device takes it, ours where not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import pytensor.scalar.basic as ps
import pytensor.scalar.math as psm
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
            raise _refused(op, f"the type {v.type.dtype}", "cast to float32 or float64")  # type: ignore[attr-defined]
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
        types = ", ".join(v.type.dtype for v in node.inputs)  # type: ignore[attr-defined]
        raise _refused(op, f"the types {types}", "write it with other functions") from e


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


def _refused(op: ps.ScalarOp, what: str, mend: str) -> BackendError:
    return BackendError(
        f"mode CUPY has no kernel code for the scalar Op {op} ({type(op).__name__}) with {what}",
        mend=f"{mend}, or compile with another mode",
    )


def _is_float(v: Any) -> bool:
    return v.type.dtype.startswith("float")


def _function(name: str) -> Any:
    def code(op: Any, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
        """Call a function of CUDA's mathematical library, in double precision for whole numbers."""
        suffix = "f" if node.outputs[0].type.dtype == "float32" else ""  # type: ignore[attr-defined]
        kind = "float" if suffix else "double"
        return f"{outs[0]} = {name}{suffix}({', '.join(f'({kind}){x}' for x in ins)});"

    return code


for _op, _name in {
    psm.Erfcx: "erfcx",
    psm.Erfinv: "erfinv",
    psm.Erfcinv: "erfcinv",
    psm.I0: "cyl_bessel_i0",
    psm.I1: "cyl_bessel_i1",
    psm.J0: "j0",
    psm.J1: "j1",
}.items():
    cuda_code.register(_op)(_function(_name))


@cuda_code.register(psm.GammaInc)
@cuda_code.register(psm.GammaIncC)
@cuda_code.register(psm.BetaInc)
def _refuse(op: Any, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    raise _refused(op, "any type: its C code needs files that kernels cannot read", "rewrite it")


@cuda_code.register
def _switch(op: ps.Switch, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    return f"{outs[0]} = {ins[0]} ? {ins[1]} : {ins[2]};"


@cuda_code.register
def _trunc(op: ps.Trunc, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    x = ins[0]
    return f"{outs[0]} = {f'trunc({x})' if _is_float(node.inputs[0]) else x};"


@cuda_code.register
def _pow(op: ps.Pow, node: Apply, name: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    kind = C_TYPES[node.outputs[0].type.dtype]  # type: ignore[attr-defined]
    x, y = ins
    if _is_float(node.outputs[0]):
        return f"{outs[0]} = pow(({kind}){x}, ({kind}){y});"
    # Whole numbers by squaring, which wraps around as NumPy's do; a negative power of one is 0 or +-1.
    return f"""{{
    {kind} result = 1, base = ({kind}){x};
    long long power = (long long){y};
    if (power < 0) {{
        result = base == ({kind})1 ? 1 : base == ({kind})-1 ? (power % 2 ? base : 1) : 0;
        power = 0;
    }}
    for (; power; power >>= 1, base *= base) if (power & 1) result *= base;
    {outs[0]} = result;
}}"""
