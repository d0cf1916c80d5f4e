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


Recipe = str | list[tuple[str, int]]


def read_updates(text: str) -> Recipe | dict[str, Recipe]:
    """Read a recipe, ``NAME*TIMES`` or ``NAME`` with ``+`` between them, or ``VARIABLE=RECIPE,...``.

    Examples
    --------
    >>> read_updates("metropolis"), read_updates("heat_bath+overrelaxation*5")
    ('metropolis', [('heat_bath', 1), ('overrelaxation', 5)])
    >>> read_updates("s=metropolis,x=hmc(leapfrogs=5, step=0.1)+heat_bath*2")
    {'s': 'metropolis', 'x': [('hmc(leapfrogs=5, step=0.1)', 1), ('heat_bath', 2)]}
    """
    if "=" not in text.partition("(")[0]:
        return _recipe(text)
    recipes = read_assignments("updates", _split(text, ","))
    return {variable: _recipe(recipe) for variable, recipe in recipes.items()}


def _split(text: str, mark: str) -> list[str]:
    """Split at marks that are not within parentheses."""
    return re.split(rf"\{mark}(?![^()]*\))", text)


def _recipe(text: str) -> Recipe:
    if len(_split(text, "+")) == len(_split(text, "*")) == 1:
        return text.strip()
    pairs = []
    for update in _split(text, "+"):
        name, *times = (part.strip() for part in _split(update, "*"))
        if not name or len(times) > 1 or (times and not times[0].isdigit()):
            raise ArgumentError(
                "cannot read the updates",
                where=f"--updates {text}",
                mend="write NAME or NAME*TIMES with + between them: heat_bath+overrelaxation*5",
            )
        pairs.append((name, int(times[0]) if times else 1))
    return pairs


def write_recipe(recipe: str | Iterable[tuple[str, int]]) -> str:
    """Write a recipe as `read_updates` reads it.

    Examples
    --------
    >>> write_recipe([["heat_bath", 1], ["overrelaxation", 5]])
    'heat_bath+overrelaxation*5'
    """
    if isinstance(recipe, str):
        return recipe
    return "+".join(f"{name}*{times}" if times > 1 else name for name, times in recipe)


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
