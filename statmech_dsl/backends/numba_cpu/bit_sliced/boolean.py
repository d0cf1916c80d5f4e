"""Boolean functions of words as text: adders that count bits, and masks of the lanes with certain counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

Lines = list[str]
ALL, NONE = "ONES", "ZERO"
"""Words of ones and of zeros, as generated modules name them."""


def count(inputs: Iterable[tuple[int, str]]) -> tuple[Lines, list[str]]:
    """Add bits of weight ``2**position`` by carry-save adders: lines, and the digits of the sum.

    Examples
    --------
    >>> lines, digits = count([(0, "a"), (0, "b")])
    >>> lines, digits
    (['b0 = a ^ b', 'b1 = a & b'], ['b0', 'b1'])
    """
    columns: dict[int, list[str]] = {}
    for position, name in inputs:
        columns.setdefault(position, []).append(name)
    lines: Lines = []
    digits: list[str] = []
    n = 0

    def bind(text: str) -> str:
        nonlocal n
        lines.append(f"b{n} = {text}")
        n += 1
        return f"b{n - 1}"

    position = 0
    while position <= max(columns, default=-1):
        column, carries = columns.get(position, []), columns.setdefault(position + 1, [])
        while len(column) >= 3:
            a, b, c = column.pop(0), column.pop(0), column.pop(0)
            half = bind(f"{a} ^ {b}")
            column.append(bind(f"{half} ^ {c}"))
            carries.append(bind(f"({a} & {b}) | ({half} & {c})"))
        if len(column) == 2:
            a, b = column
            column[:] = [bind(f"{a} ^ {b}")]
            carries.append(bind(f"{a} & {b}"))
        if not carries:
            del columns[position + 1]
        digits.append(column[0] if column else NONE)
        position += 1
    return lines, digits


def mask(digits: Sequence[str], wanted: Iterable[int], possible: Iterable[int]) -> str:
    """Text of the lanes whose digits spell a wanted number; any answer serves for impossible ones.

    Examples
    --------
    >>> mask(["b0", "b1", "b2"], {1, 3}, range(5))
    'b0'
    >>> mask(["b0", "b1"], {2}, range(4))
    '(b1 & ~b0)'
    """
    on = frozenset(wanted)
    return _shortest(
        frozenset(on), frozenset(possible) - on, tuple(range(len(digits))), tuple(digits)
    )[1]


@cache
def _shortest(
    on: frozenset[int], off: frozenset[int], left: tuple[int, ...], digits: tuple[str, ...]
) -> tuple[int, str]:
    """Number of operations and text of a function that is 1 on ``on`` and 0 on ``off``."""
    if not on:
        return 0, NONE
    if not off:
        return 0, ALL
    best = (10**6, "")
    for k in left:
        x, bit, rest = digits[k], 1 << k, tuple(q for q in left if q != k)
        on0, on1 = (frozenset(n & ~bit for n in on if bool(n & bit) == b) for b in (False, True))
        off0, off1 = (frozenset(n & ~bit for n in off if bool(n & bit) == b) for b in (False, True))
        options = []
        if not (on0 | off1):
            options.append((0, x))
        if not (on1 | off0):
            options.append((1, f"~{x}"))
        if not on0:
            options.append(_apply(_shortest(on1, off1, rest, digits), f"({x} & {{}})"))
        if not on1:
            options.append(_apply(_shortest(on0, off0, rest, digits), f"({{}} & ~{x})"))
        if not off1:
            options.append(_apply(_shortest(on0, off0, rest, digits), f"({x} | {{}})"))
        if not off0:
            options.append(_apply(_shortest(on1, off1, rest, digits), f"({{}} | ~{x})"))
        if not ((on0 | off1) & (off0 | on1)):
            options.append(_apply(_shortest(on0 | off1, off0 | on1, rest, digits), f"({x} ^ {{}})"))
        if not ((on0 | on1) & (off0 | off1)):
            options.append(_shortest(on0 | on1, off0 | off1, rest, digits))
        if not options:
            cost0, text0 = _shortest(on0, off0, rest, digits)
            cost1, text1 = _shortest(on1, off1, rest, digits)
            options.append((cost0 + cost1 + 3, f"({text0} ^ ({x} & ({text0} ^ {text1})))"))
        best = min(best, *options)
    return best


def _apply(inner: tuple[int, str], form: str) -> tuple[int, str]:
    constant = inner[1] in (ALL, NONE)  # another option says the same without it
    return inner[0] + 1 + constant, form.format(inner[1])
