"""CUDA C of scalar Ops for which PyTensor has no code that a device takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytensor.scalar.basic as ps
import pytensor.scalar.math as psm
from pytensor.graph.basic import Apply

from statmech_dsl.backends.pytensor_cupy.scalar import C_TYPES, cuda_code, is_float, refused


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
@cuda_code.register(psm.PolyGamma)
def _refuse(op: Any, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    raise refused(op, "any type", "write it with other functions")


@cuda_code.register
def _switch(op: ps.Switch, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    return f"{outs[0]} = {ins[0]} ? {ins[1]} : {ins[2]};"


@cuda_code.register
def _trunc(op: ps.Trunc, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    x = ins[0]
    return f"{outs[0]} = {f'trunc({x})' if is_float(node.inputs[0]) else x};"


@cuda_code.register
def _pow(op: ps.Pow, node: Apply, name: str, ins: Sequence[str], outs: Sequence[str]) -> str:
    kind = C_TYPES[node.outputs[0].type.dtype]  # type: ignore[attr-defined]
    x, y = ins
    if is_float(node.outputs[0]):
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


@cuda_code.register
def _trigamma(
    op: psm.TriGamma, node: Apply, _: str, ins: Sequence[str], outs: Sequence[str]
) -> str:
    # PyTensor's C code has eight digits, and none for negative numbers. Reflection, recurrence and
    # the asymptotic series: Abramowitz and Stegun, 6.4.7, 6.4.6 and 6.4.12.
    return f"""{{
    double z = {ins[0]}, shifted = 0, sine = sin(M_PI * z);
    const bool reflected = z < 0.5;
    if (reflected) z = 1 - z;
    for (; z < 12; z += 1) shifted += 1 / (z * z);
    const double q = 1 / (z * z);
    shifted += q / 2 + (1 + q * (1. / 6 - q * (1. / 30 - q * (1. / 42 - q * (1. / 30
        - q * (5. / 66 - q * 691. / 2730)))))) / z;
    {outs[0]} = reflected ? M_PI * M_PI / (sine * sine) - shifted : shifted;
}}"""
