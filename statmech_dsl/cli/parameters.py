"""Parameters of a model's function, read from text by its signature."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from statmech_dsl.cli.arguments import did_you_mean, read_assignments
from statmech_dsl.errors import ArgumentError

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SIMPLE = {int: int, float: float, bool: lambda text: TRUTH[text.lower()]}
"""How to read a value of each type, in the order in which they are tried."""


def read_parameters(function: Callable[..., Any], texts: Iterable[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` for a function, each value as what its annotation or default says.

    Examples
    --------
    >>> def ising(L: int = 32, lattice: str = "square", periodic: bool = True): ...
    >>> read_parameters(ising, ["L=8", "lattice=cubic", "periodic=no"])
    {'L': 8, 'lattice': 'cubic', 'periodic': False}
    """
    known = inspect.signature(function).parameters
    given = read_assignments("param", texts)
    name = function.__name__
    for unknown in given.keys() - known.keys():
        raise ArgumentError(
            f"{name} has no parameter {unknown}{did_you_mean(unknown, known)}",
            mend=f"its parameters are {signature(function)}" if known else "it takes none",
        )
    missing = [p.name for p in known.values() if p.default is p.empty and p.name not in given]
    if missing:
        raise ArgumentError(
            f"{name} needs {', '.join(missing)}", mend=f"give it as -p {missing[0]}=VALUE"
        )
    hints = _hints(function)
    return {k: _read(known[k], _kinds(known[k], hints), text) for k, text in given.items()}


def signature(function: Callable[..., Any]) -> str:
    """Return parameters and defaults as they are written after ``-p``.

    Examples
    --------
    >>> def ising(L, J=1.0, lattice="square"): ...
    >>> signature(ising)
    'L, J=1.0, lattice=square'
    """
    return ", ".join(
        p.name if p.default is p.empty else f"{p.name}={p.default}"
        for p in inspect.signature(function).parameters.values()
    )


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except Exception:  # an annotation of the user's that cannot be evaluated: defaults will do
        return {}


def _kinds(parameter: inspect.Parameter, hints: dict[str, Any]) -> tuple[Any, ...]:
    """Return the types that a parameter may have, empty if nothing tells."""
    hint = hints.get(parameter.name)
    if hint is None:
        untold = parameter.default is parameter.empty or parameter.default is None
        return () if untold else (type(parameter.default),)
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _read(parameter: inspect.Parameter, kinds: tuple[Any, ...], text: str) -> Any:
    choices = [c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)]
    for choice in choices:
        if text == str(choice):
            return choice
    if type(None) in kinds and text.lower() == "none":
        return None
    for kind, read in SIMPLE.items():
        if kind in kinds:
            try:
                return read(text)
            except (ValueError, KeyError):
                continue
    if str in kinds:
        return text
    plain = {*SIMPLE, type(None)}
    if not kinds or not all(kind in plain or get_origin(kind) is Literal for kind in kinds):
        try:
            return ast.literal_eval(text)  # a list for an array, say
        except (ValueError, SyntaxError):
            if not kinds:
                return text
    expected = [*map(str, choices), *(getattr(k, "__name__", str(k)) for k in kinds if k in plain)]
    raise ArgumentError(
        f"cannot read the parameter {parameter.name}",
        where=f"got {text!r}",
        mend=f"give {' or '.join(expected) or 'a Python number or list'}",
    )
