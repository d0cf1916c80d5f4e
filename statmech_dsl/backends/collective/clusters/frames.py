"""The fixed text of kernels of cluster moves.

``offsets[k]`` is the number of the first tie of form k. The neighbors of a site are those between
``pointer[i]`` and ``pointer[i + 1]``: ``others``, with the number of the tie in ``ties``. Ties to the ghost are
found by ``ghost_pointer`` and ``ghost_ties``. Where limits of words are looked up, ``limit`` has those of the
chosen reflection, and ``places`` and ``ghost_places`` say where those of a tie begin.
"""

from __future__ import annotations

from statmech_dsl.backends.numba_cpu.spell import RUNTIME_NAMES

BLOCK = 1024
"""Ties that are found before they are joined: a list that stays in the nearest cache."""


def indent(text: str, levels: int) -> str:
    """Lines further to the right."""
    return "\n".join("    " * levels + line for line in text.splitlines())


HEAD = f"""import numpy as np
from numba import njit
from statmech_dsl.backends.collective.clusters.runtime import (
    U, find_ties, join, keyed_word, part
)
from statmech_dsl.backends.numba_cpu.runtime import {RUNTIME_NAMES}

inline = njit(error_model="numpy", forceinline=True, nogil=True)
"""
FRAME = """@njit(cache=True, error_model="numpy", nogil=True)
def kernel(
    first, last, sweep, n, replicas, betas, key0, key1, offsets, counts, graph, levels, limits, {arrays}
):
    n_sites = {x}s.shape[1] // {components}
    label, marked = np.empty(n_sites + 1, np.uint32), np.zeros(n_sites, np.uint8)
    found = np.empty({block}, np.uint32){room}
    pointer, ties, others, places, ghost_pointer, ghost_ties, ghost_places = graph
    for r in range(first, last):
        beta, replica = betas[r], U(replicas[r])
{rows}
        for t in range(sweep, sweep + n):
            for k in range({times}):
                stream = U({stream}) | (U(k) << U(8))
                low, high, choice, place = philox(U(0), replica, U(t), stream, key0, key1)
                key = low | (high << U(32))
{body}
"""
SEED = """chosen = part(place, len({free}) + 1)
if chosen == U(len({free})):
    continue
label[0] = {free}[chosen]"""
MIRROR = """which = part(choice, len({mirrors}))
mirror = {mirrors}[which]"""
PICK = """row = {picks}[np.int64({x}[label[0]]) - {lowest}]
if row[0] == 0:
    continue
which = row[U(1) + part(choice, row[0])]
mirror = {mirrors}[which]"""
LIMIT = "limit = limits[levels[r], which]"
ALL_BEGIN = """for i in range(n_sites):
    label[i], marked[i] = i, 0"""
PAIRS = """for b in range(counts[{k}]):
    if {tied}:
        join(label, {first}[b], {second}[b])"""
FIELDS = """for b in range(counts[{k}]):
    if {tied}:
        marked[{first}[b]] = 1"""
LOOK_UP_PAIRS = """for begin in range(0, counts[{k}], {block}):
    end = min(begin + {block}, counts[{k}])
    n_found = find_ties(
        found, key, offsets[{k}], begin, end, limit, places, {first}, {second}, {x}, {lowest}, {width}
    )
    for f in range(n_found):
        join(label, {first}[found[f]], {second}[found[f]])"""
LOOK_UP_FIELDS = """for b in range(offsets[{k}], offsets[{k}] + counts[{k}]):
    i = {first}[b - offsets[{k}]]
    if keyed_word(key, b) < limit[places[b] + np.int64({x}[i]) - {lowest}]:
        marked[i] = 1"""
FIND = """for i in range(n_sites):
    label[i] = label[label[i]]
    if marked[i]:
        marked[label[i]] = 1"""
CHANGE = """for f in range(len({free})):
    i = {free}[f]
    if label[i] == i and not marked[i]:
        word = keyed_word(key, offsets[{n}] + i)
        marked[i] = {chosen}
    change = marked[label[i]]
    if change != 1:
{reflect}"""
GROW = """marked[label[0]] = 1
head, tail, held = U(0), U(1), False
while head < tail and not held:
    i = label[head]
    head += U(1)
{grow}"""
TURN = """for f in range(tail):
    i = label[f]
    marked[i] = 0
    if not held:
{reflect}"""
GHOST = """for e in range(U(ghost_pointer[i]), U(ghost_pointer[i + U(1)])):
    b = ghost_ties[e]
{decide}
    if tied:
        held = True
        break"""
OTHERS = """{entries}
    b, j = ties[e], others[e]
    if marked[j]:
        continue
{decide}
    if tied:
        label[tail] = j
        marked[j] = 1
        tail += U(1)"""
LOOK_UP_GHOST = """for e in range(U(ghost_pointer[i]), U(ghost_pointer[i + U(1)])):
    place = U(ghost_places[e]) + U(np.int64({x}[i]) - {lowest})
    if keyed_word(key, ghost_ties[e]) < limit[place]:
        held = True
        break"""
ENTRIES = "for e in range(U(pointer[i]), U(pointer[i + U(1)])):"
REGULAR_ENTRIES = """for d in range({degree}):
    e = U(i) * U({degree}) + U(d)"""
"""A constant number of neighbors, so that the loop is unrolled."""
LOOK_UP_OTHERS = """here = {width} * (np.int64({x}[i]) - {lowest}) - {lowest}
{entries}
    j = others[e]
    place = {start}U(here + np.int64({x}[j]))
    tied = (keyed_word(key, ties[e]) < limit[place]) & (marked[j] == 0)
    label[tail] = j
    marked[j] |= tied
    tail += U(tied)"""
