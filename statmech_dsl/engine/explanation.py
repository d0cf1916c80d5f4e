"""What `explain` returns: titled sections that read well in a terminal and in a notebook."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

WIDTH = 100


@dataclass(frozen=True)
class Section:
    """A title and lines of text."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A model as the compiler sees it.

    Attributes
    ----------
    sections : tuple of Section
        The text, by topic.
    latex : str
        The Hamiltonian, without dollar signs.
    source : str
        Generated source, empty unless it was asked for.
    """

    sections: tuple[Section, ...]
    latex: str
    source: str = ""

    def __str__(self) -> str:
        latex = Section("LaTeX", (self.latex,))
        blocks = [f"{s.title}\n{_wrapped(s, '    ')}" for s in (*self.sections, latex)]
        return "\n\n".join([*blocks, *([self.source] if self.source else [])])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        blocks = [f"**{s.title}**\n```text\n{_wrapped(s, '')}\n```" for s in self.sections]
        code = [f"```python\n{self.source}\n```"] if self.source else []
        return "\n\n".join([f"$${self.latex}$$", *blocks, *code])


def _wrapped(section: Section, margin: str) -> str:
    """Lines indented, long ones continued further to the right."""
    return "\n".join(
        textwrap.fill(
            line.lstrip(),
            WIDTH,
            initial_indent=(before := margin + " " * (len(line) - len(line.lstrip()))),
            subsequent_indent=before + "    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in section.lines
    )


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of a table as lines with columns of equal width.

    Examples
    --------
    >>> aligned([("s", "Spin"), ("theta", "Angle")])
    ['s      Spin', 'theta  Angle']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([x.ljust(w) for x, w in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]
