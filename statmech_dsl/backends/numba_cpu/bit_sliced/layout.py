"""Where things lie: words in the state, and rows of words in the scratch memory of a kernel.

All rows lie in one array at constant distances, which are the offsets of its loads and stores.
"""

from __future__ import annotations

from dataclasses import dataclass

from statmech_dsl.ir.bits import Bits
from statmech_dsl.rng import GROUP_LANES, PLANES, WORD_LANES


@dataclass(frozen=True)
class Block:
    """The sites that are done together.

    ``ranks`` ranks (words of sites under a fold) times ``words`` words of replicas make ``halves`` parts of
    ``width`` words. ``streams`` is the number of 64-bit random streams that serve them.
    """

    ranks: int
    words: int
    halves: int
    streams: int

    @property
    def width(self) -> int:
        """Words of a part."""
        return self.ranks * self.words // self.halves

    @property
    def draws(self) -> int:
        """Words that a block takes from each stream: 12 under a fold, else 3."""
        return self.halves * PLANES * self.width // self.streams

    def row(self, n: int) -> int:
        """Place of row n of part 0; in part h it lies ``h * stride`` further on.

        Before it lie the states of the streams, three words each, and room for the next states.
        """
        area, k = divmod(n, PLANES)
        return 6 * self.streams + area * self.halves * self.stride + k * self.width

    @property
    def stride(self) -> int:
        """Distance of a row in one part from the same row in the next."""
        return PLANES * self.width

    def size(self, rows: int) -> int:
        """Words of scratch memory for rows 0 .. rows - 1."""
        return self.row(-(-rows // PLANES) * PLANES)


def block(bits: Bits, n_words: int) -> Block:
    """The block for ``n_words`` words of replicas."""
    if bits.fold is not None:
        return Block(WORD_LANES, 1, 1, WORD_LANES)
    words = min(n_words, 4) if n_words != 3 else 4
    return Block(2 * GROUP_LANES, words, 2, 8 * GROUP_LANES * words)
