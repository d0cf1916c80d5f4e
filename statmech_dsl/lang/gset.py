"""Files of weighted graphs: the format of the generator rudy, in which the G-set and Biq Mac come."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from statmech_dsl.errors import LatticeError
from statmech_dsl.lang.lattices.graph import Graph, from_edges

FORMAT = "write `sites bonds` first, then `i j weight` for each bond, with sites counted from 1"


def read_gset(source: str | Path) -> tuple[Graph, np.ndarray]:
    r"""Read a weighted graph in the rudy format of the G-set.

    Parameters
    ----------
    source : str or Path
        A file, possibly compressed (``.gz``), or its text. The first line has the numbers of sites and bonds,
        each other one a bond ``i j weight``, with sites counted from 1; a missing weight is 1.

    Returns
    -------
    graph : Graph
        The sites and bonds.
    weights : ndarray
        Weight of each bond.

    Raises
    ------
    LatticeError
        There is no such file, or it has another format.

    Examples
    --------
    Two lines are enough for a maximum cut:

    >>> import statmech_dsl as sm
    >>> graph, weights = sm.read_gset("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
    >>> result = sm.anneal(sm.models.max_cut(graph, weights), seed=1, progressbar=False)
    >>> float(-result.energy.min())
    2.0
    """
    text = str(source)
    name = "text"
    if "\n" not in text:
        path, name = Path(source), Path(source).name
        if not path.is_file():
            raise LatticeError(f"there is no file {path}")
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    lines = [(k, line.split()) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
    rows = [_numbers(words, k, name, first=n == 0) for n, (k, words) in enumerate(lines)]
    n_sites, n_bonds = (int(x) for x in rows[0][:2])
    if len(rows) - 1 != n_bonds:
        raise LatticeError(
            f"{n_bonds} bonds are announced and {len(rows) - 1} follow", where=name, mend=FORMAT
        )
    table = np.array(rows[1:]).reshape(n_bonds, 3)
    graph = from_edges(table[:, :2].astype(np.int64) - 1, n_sites, name=name)
    return graph, table[:, 2]


def _numbers(words: list[str], line: int, name: str, first: bool) -> list[float]:
    """The numbers of a line, a missing weight being 1."""
    try:
        numbers = [float(w) for w in words]
        whole = all(x.is_integer() for x in numbers[:2])
    except ValueError:
        numbers, whole = [], False
    if not whole or len(numbers) not in ((2,) if first else (2, 3)):
        what = "the numbers of sites and bonds" if first else "a bond"
        raise LatticeError(
            f"line {line} is not {what}", where=f"{name}: {' '.join(words)}", mend=FORMAT
        )
    return numbers if first or len(numbers) == 3 else [*numbers, 1.0]
