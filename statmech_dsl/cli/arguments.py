"""From the text of options to the arguments that the API takes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

import numpy as np

from statmech_dsl.errors import ArgumentError


def read_numbers(name: str, text: str) -> float | list[float]:
    """Read one number, or a list of numbers and of ranges that include both ends.

    Examples
    --------
    >>> read_numbers("T", "2.3")
    2.3
    >>> read_numbers("T", "1,2.0:2.5:3")
    [1.0, 2.0, 2.25, 2.5]
    """
    try:
        if not set(text) & set(",:"):
            return float(text)
        pieces = [piece for piece in text.split(",") if piece.strip()]
        return [number for piece in pieces for number in _span(piece)]
    except ValueError:
        raise ArgumentError(
            "cannot read the numbers",
            where=f"--{name} {text}",
            mend="write a number, numbers with commas between them, or LOW:HIGH:COUNT",
        ) from None


def read_ladder(name: str, text: str) -> tuple[float, float] | float | list[float]:
    """Read a range LOW:HIGH, or what `read_numbers` reads.

    Examples
    --------
    >>> read_ladder("T", "0.5:2"), read_ladder("T", "0.5:2:4")
    ((0.5, 2.0), [0.5, 1.0, 1.5, 2.0])
    """
    if text.count(":") == 1 and "," not in text:
        low, high = np.ravel([read_numbers(name, end) for end in text.split(":")]).tolist()
        return low, high
    return read_numbers(name, text)


def read_range(name: str, text: str) -> tuple[float, ...]:
    """Read a range LOW:HIGH, or LOW:HIGH:COUNT, as it is.

    Examples
    --------
    >>> read_range("energies", "-8:8:30")
    (-8.0, 8.0, 30.0)
    """
    try:
        return tuple(float(end) for end in text.split(":"))
    except ValueError:
        raise ArgumentError(
            "cannot read the range",
            where=f"--{name} {text}",
            mend="write LOW:HIGH or LOW:HIGH:COUNT",
        ) from None


def _span(text: str) -> list[float]:
    if ":" not in text:
        return [float(text)]
    low, high, count = text.split(":")
    return np.linspace(float(low), float(high), int(count)).tolist()


def read_updates(text: str) -> str | dict[str, str]:
    """Read the name of an update, or ``VARIABLE=UPDATE,...``.

    Examples
    --------
    >>> read_updates("metropolis"), read_updates("s=metropolis,t=heat_bath")
    ('metropolis', {'s': 'metropolis', 't': 'heat_bath'})
    >>> read_updates("x=hmc(leapfrogs=5, step=0.1),s=heat_bath")
    {'x': 'hmc(leapfrogs=5, step=0.1)', 's': 'heat_bath'}
    """
    if "=" not in text.partition("(")[0]:
        return text
    return read_assignments("updates", re.split(r",(?![^()]*\))", text))


def read_assignments(option: str, texts: Iterable[str]) -> dict[str, str]:
    """Read each ``NAME=VALUE``; a name may be given once."""
    values: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not name or not equals:
            raise ArgumentError(
                f"--{option} takes NAME=VALUE",
                where=f"got {text!r}",
                mend="write for instance L=64",
            )
        if name in values:
            raise ArgumentError(f"--{option} gives {name} twice")
        values[name] = value
    return values


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a question for the parentheses of an error, if something known is similar.

    Examples
    --------
    >>> did_you_mean("isin", ["ising", "potts"])
    'did you mean ising?'
    """
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else None
