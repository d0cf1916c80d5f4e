"""Which bit of which word holds which replica, or which site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statmech_dsl.compiled import compiled


def zeros(*shape: int) -> np.ndarray:
    """Words of zeros from the beginning of a cache line on: vectors that cross lines are slow."""
    n = int(np.prod(shape))
    room = np.zeros(n + 8, np.uint64)
    first = -room.ctypes.data % 64 // 8
    return room[first : first + n].reshape(shape)


@dataclass(frozen=True, eq=False)
class Slots:
    """Places of replicas: ``lane[r]`` counts the bits of all words, chunk by chunk.

    Without a fold, replicas whose numbers // 8 agree form a group, which owns a byte; the bit in it is the
    number % 8. So the random bits of a replica lie at the same place of its group's stream, whatever other
    replicas there are. With a fold, a chunk is a replica.

    ``groups`` [chunk, byte, word] are the numbers of the groups (of the replicas, under a fold).
    """

    lane: np.ndarray
    groups: np.ndarray
    fold: int | None

    @property
    def words(self) -> int:
        """Words of a chunk."""
        return self.groups.shape[2]

    @staticmethod
    def of(replicas: np.ndarray, fold: int | None, words: int) -> Slots:
        """Places for replicas of some numbers; equal numbers go to different bytes."""
        if fold is not None:
            return Slots(np.arange(len(replicas)), replicas.reshape(-1, 1, 1), fold)
        order = np.argsort(replicas, kind="stable")
        ordered = replicas[order]
        repeat = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        keys = np.stack([repeat, ordered // 8])
        bytes_, byte = np.unique(keys, axis=1, return_inverse=True)
        lane = np.empty(len(replicas), np.int64)
        lane[order] = byte.reshape(-1) * 8 + ordered % 8
        missing = -bytes_.shape[1] % (8 * words)
        groups = np.concatenate([bytes_[1], np.zeros(missing, bytes_.dtype)])
        groups = groups.reshape(-1, words, 8).transpose(0, 2, 1)
        return Slots(lane, np.ascontiguousarray(groups.astype(np.uint32)), None)

    def spread(self, x: np.ndarray) -> np.ndarray:
        """Numbers of replicas to lanes: [class, replica] to [chunk, class, lane of the chunk]."""
        if self.fold is not None:
            return np.ascontiguousarray(x.T[:, :, None])
        lanes = np.zeros((len(x), len(self.groups) * self.words * 64), x.dtype)
        lanes[:, self.lane] = x
        return np.ascontiguousarray(lanes.reshape(len(x), len(self.groups), -1).transpose(1, 0, 2))

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Back to replicas: [draw, chunk, sum, lane] to [draw, sum, replica]."""
        return x.swapaxes(1, 2).reshape(len(x), x.shape[2], -1)[..., self.lane]


def words_of(high: np.ndarray, slots: Slots) -> np.ndarray:
    """Words [chunk, row, word] of bits [replica, site]."""
    n_sites = high.shape[1]
    if slots.fold is not None:
        out = np.zeros((len(high), n_sites // slots.fold, 1), np.uint64)
        lanes = np.ascontiguousarray(high).view(np.uint8)
        _pack_lanes(lanes.reshape(len(high), slots.fold, -1), out[..., 0])
        return out
    lanes = np.zeros((len(slots.groups) * slots.words * 64, n_sites), bool)
    lanes[slots.lane] = high
    x = np.packbits(lanes, axis=0, bitorder="little").reshape(len(slots.groups), -1, n_sites)
    return np.ascontiguousarray(x.transpose(0, 2, 1)).view(np.uint64)


@compiled
def _pack_lanes(lanes, out):
    """Words [replica, row] of zeros and ones [replica, lane, row]."""
    for r in range(lanes.shape[0]):
        for lane in range(lanes.shape[1]):
            for row in range(lanes.shape[2]):
                out[r, row] |= np.uint64(lanes[r, lane, row]) << np.uint64(lane)


def bits_of(words: np.ndarray, slots: Slots) -> np.ndarray:
    """Bits [replica, site] of words [chunk, row, word]."""
    x = np.ascontiguousarray(words).view(np.uint8).transpose(0, 2, 1)
    if slots.fold is not None:
        lanes = np.unpackbits(x, axis=1, bitorder="little", count=slots.fold)
        return lanes.reshape(len(lanes), -1).view(bool)
    lanes = np.unpackbits(x.reshape(-1, x.shape[2]), axis=0, bitorder="little")
    return lanes[slots.lane].view(bool)


@compiled
def copy_lanes(words, source, target):
    """Copy lanes of words [chunk, row, word]; all sources are read before a target is written."""
    n, n_words = len(source), words.shape[2]
    bits = np.empty(n, np.uint64)
    for row in range(words.shape[1]):
        for k in range(n):
            word, bit = source[k] // 64, np.uint64(source[k] % 64)
            bits[k] = words[word // n_words, row, word % n_words] >> bit & np.uint64(1)
        for k in range(n):
            word, bit = target[k] // 64, np.uint64(target[k] % 64)
            c, w = word // n_words, word % n_words
            rest = words[c, row, w] & ~(np.uint64(1) << bit)
            words[c, row, w] = rest | bits[k] << bit


@compiled
def planes_of(limits, minus, repeat, planes, tail):
    """Bit planes [chunk, class, plane, word] of thresholds [chunk, class, lane].

    Class ``minus[k]`` is first subtracted (xor) from class k, if it is another one; the words of a chunk are
    repeated.
    """
    chunks, classes, lanes = limits.shape
    n_words = lanes // 64
    out = np.zeros((chunks, classes, planes, n_words * repeat), np.uint64)
    for c in range(chunks):
        for k in range(classes):
            row = limits[c, k] ^ limits[c, minus[k]] if minus[k] != k else limits[c, k]
            for q in range(planes):
                down = np.uint64(tail + planes - 1 - q)
                for w in range(n_words):
                    word = np.uint64(0)
                    for lane in range(64):
                        word |= (row[64 * w + lane] >> down & np.uint64(1)) << np.uint64(lane)
                    for r in range(repeat):
                        out[c, k, q, w + r * n_words] = word
    return out
