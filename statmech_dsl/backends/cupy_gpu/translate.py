"""The elementary functions in C, from their Python source.

`ir.elementary` keeps to assignments, arithmetic, conditional expressions and calls, so a small part of Python's
syntax is enough; anything else is refused by name. Every operation is spelled where it stands, in the
same order.
"""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

PRIMITIVES = ("fma", "scale2", "exponent", "mantissa")
"""What `runtime.cuh` supplies; not translated."""
_CALLS = {"min": "least", "max": "most", "abs": "fabs"} | {p: p for p in PRIMITIVES}
_CALLS_FLOAT = _CALLS | {"abs": "fabsf", "fma": "fmaf"}
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARE = {ast.Lt: "<", ast.Gt: ">", ast.NotEq: "!=", ast.Eq: "==", ast.LtE: "<=", ast.GtE: ">="}
_NUMBERS = {"nan": "NOT_A_NUMBER", "inf": "INFINITE"}


def translate(module: ModuleType, prefix: str, kind: str) -> str:
    """All functions of a module, on numbers of a kind, under names with a prefix."""
    tree = ast.parse(inspect.getsource(module))
    functions = [
        f for f in tree.body if isinstance(f, ast.FunctionDef) and f.name not in PRIMITIVES
    ]
    own = {f.name for f in functions}
    return "\n\n".join(_function(f, own, vars(module), prefix, kind) for f in functions)


def _function(f: ast.FunctionDef, own: set[str], scope: dict, prefix: str, kind: str) -> str:
    calls = _CALLS if kind == "double" else _CALLS_FLOAT
    names = [a.arg for a in f.args.args]
    bound = set(names)

    def of(e: ast.expr) -> str:
        match e:
            case ast.Name(name):
                return name if name in bound else number(float(scope[name]), kind)
            case ast.Constant(int() | float() as value):
                return number(float(value), kind)
            case ast.Call(ast.Name("f32"), [value]):
                return number(float(scope["f32"](ast.literal_eval(value))), kind)
            case ast.BinOp(left, op, right):
                return f"({of(left)} {_BINARY[type(op)]} {of(right)})"
            case ast.UnaryOp(ast.USub(), x):
                return f"(-{of(x)})"
            case ast.Compare(left, [op], [right]):
                return f"({of(left)} {_COMPARE[type(op)]} {of(right)})"
            case ast.IfExp(test, yes, no):
                return f"({of(test)} ? {of(yes)} : {of(no)})"
            case ast.Call(ast.Name(name), args):
                called = f"{prefix}{name}" if name in own else calls[name]
                return f"{called}({', '.join(of(x) for x in args)})"
        raise NotImplementedError(f"{f.name}: {ast.unparse(e)}")

    def assigned(name: str, value: ast.expr) -> str:
        new = "const bool " if isinstance(value, ast.Compare) else f"{kind} "
        line = f"    {'' if name in bound else new}{name} = {of(value)};"
        bound.add(name)
        return line

    lines = [f"FN {kind} {prefix}{f.name}({', '.join(f'{kind} {n}' for n in names)}) {{"]
    for s in f.body:
        match s:
            case ast.Expr(ast.Constant()):
                pass  # the docstring
            case ast.Assign([ast.Name(name)], value):
                lines.append(assigned(name, value))
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)):
                new = [(t.id, v) for t, v in zip(targets, values, strict=True)]  # type: ignore[attr-defined]
                assert not bound & {name for name, _ in new}, f"{f.name} exchanges values"
                lines += [assigned(*pair) for pair in new]
            case ast.Return(value) if value is not None:
                lines.append(f"    return {of(value)};")
            case _:
                raise NotImplementedError(f"{f.name}: {ast.unparse(s)}")
    return "\n".join([*lines, "}"])


def number(x: float, real: str = "double") -> str:
    """A constant; what is no finite number has a name."""
    text = repr(abs(x))
    text = _NUMBERS.get(text, text)
    text = f"(-{text})" if x < 0 or (x == 0 and str(x)[0] == "-") else text
    return text if real == "double" else f"({real}){text}"
