"""Thresholds of a pass as kernels compare with them: their planes, and the rest of their digits."""

from __future__ import annotations

import numpy as np

from statmech_dsl.backends.cupy_gpu.bit_sliced.layout import n_groups
from statmech_dsl.backends.numba_cpu.bit_sliced.words import Slots
from statmech_dsl.ir.bits import BitPass, class_energies, threshold
from statmech_dsl.ir.model import Tables
from statmech_dsl.rng import PLANES, TAIL


def thresholds(
    p: BitPass, tables: Tables, beta: np.ndarray, slots: Slots
) -> tuple[np.ndarray, np.ndarray]:
    """Levels and tails of the classes of a pass.

    Words of sites: levels [class, replica] are numbers of `PLANES` bits. Replicas: levels
    [class, plane, group] have a bit for each replica of a group, in each of their four bytes. Tails
    [class, replica or lane] are the digits below. The classes of all kinds follow each other; the last one of
    each is subtracted (xor) from its others.
    """
    sizes = [class_energies(kind, tables) for kind in p.kinds]
    energies = sum(sizes, []) or [0.0]  # one that nothing reads
    betas, which = np.unique(beta, return_inverse=True)
    limits = [[threshold(float(b), e) for b in betas] for e in energies]
    limit = np.array(limits, np.uint64).reshape(len(energies), len(betas))[:, which]
    if slots.fold is None:
        limit = slots.spread(limit)[0, :, : 8 * n_groups(slots)]
    tails = limit & np.uint64((1 << TAIL) - 1)
    high = (limit >> np.uint64(TAIL)).astype(np.uint32)
    for end, n in zip(np.cumsum([len(x) for x in sizes]), map(len, sizes), strict=True):
        high[end - n : max(end - 1, 0)] ^= high[end - 1 : end]
    if slots.fold is not None:
        return high, tails
    place = np.arange(PLANES - 1, -1, -1, dtype=np.uint32)[:, None]
    bits = (high[:, None] >> place & 1).astype(bool)
    bytes_ = np.packbits(bits, axis=-1, bitorder="little")
    return bytes_.astype(np.uint32) * np.uint32(0x01010101), tails
