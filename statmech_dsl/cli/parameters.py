"""Parameters of a model's function, read from text by its signature."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from statmech_dsl.cli.arguments import did_you_mean, read_assignments
from statmech_dsl.errors import ArgumentError

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SIMPLE = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (lambda text: TRUTH[text.lower()], "true or false"),
}
"""How to read a value of each type and what to call it, in the order in which they are tried."""


def read_parameters(function: Callable[..., Any], texts: Iterable[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` for a function, each value as its annotation or default says.

    Raises
    ------
    ArgumentError
        A parameter is unknown, missing or cannot be read.

    Examples
    --------
    >>> def ising(L: int = 32, lattice: str = "square", periodic: bool = True): ...
    >>> read_parameters(ising, ["L=8", "lattice=cubic", "periodic=no"])
    {'L': 8, 'lattice': 'cubic', 'periodic': False}
    """
    known, given = _named(function), read_assignments("param", texts)
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"{function.__name__} has no parameter {name!r}",
                where=did_you_mean(name, known),
                mend=f"its parameters are {signature(function)}" if known else "it takes none",
            )
    missing = [p.name for p in known.values() if p.default is p.empty and p.name not in given]
    if missing:
        raise ArgumentError(
            f"{function.__name__} needs {', '.join(missing)}",
            mend=f"give it as -p {missing[0]}=VALUE",
        )
    hints = _hints(function)
    return {name: _read(name, _kinds(known[name], hints), text) for name, text in given.items()}


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
        for p in _named(function).values()
    )


def _named(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters
    return {name: p for name, p in parameters.items() if p.kind not in variadic}


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except Exception:  # an annotation of the user's that cannot be evaluated: defaults will do
        return {}


def _kinds(parameter: inspect.Parameter, hints: dict[str, Any]) -> tuple[Any, ...]:
    """Return the types that a parameter may have, none if nothing tells."""
    hint = hints.get(parameter.name)
    if hint is None:
        untold = parameter.default is parameter.empty or parameter.default is None
        return () if untold else (type(parameter.default),)
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _read(name: str, kinds: tuple[Any, ...], text: str) -> Any:
    choices = {str(c): c for kind in kinds if get_origin(kind) is Literal for c in get_args(kind)}
    if NoneType in kinds:
        choices["none"] = None
    if text in choices:
        return choices[text]
    simple = {kind: how for kind, how in SIMPLE.items() if kind in kinds}
    for read, _ in simple.values():
        with suppress(ValueError, KeyError):
            return read(text)
    if str in kinds:
        return text
    arrays = any(k not in (*SIMPLE, NoneType) and get_origin(k) is not Literal for k in kinds)
    if arrays or not kinds:
        with suppress(ValueError, SyntaxError):
            return ast.literal_eval(text)
    if not kinds:
        return text
    expected = [*choices, *(what for _, what in simple.values()), *["a Python list"] * arrays]
    raise ArgumentError(
        f"cannot read {name}={text}", where="-p", mend=f"give {' or '.join(expected)}"
    )
