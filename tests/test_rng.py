import inspect

import numpy as np
import pytest

from statmech_dsl import rng

FULL = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        (
            (0, 0, 0, 0),
            (0, 0),
            (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
        ),
        (
            (FULL, FULL, FULL, FULL),
            (FULL, FULL),
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
    ids=["zeros", "ones", "digits of pi"],
)
def test_the_vectors_of_random123(counter, key, words):
    low, high = key
    assert tuple(map(int, rng.philox(*counter, low | high << 32))) == words


def test_counters_broadcast():
    blocks, replicas = np.arange(3), np.arange(4)[:, None]
    together = np.array(rng.philox(blocks, replicas, 7, 1, 5))
    assert together.shape == (4, 4, 3)
    for b in range(3):
        for r in range(4):
            assert np.array_equal(together[:, r, b], rng.philox(b, r, 7, 1, 5))


def test_words_are_uniform():
    """Chi-squared over 256 bins: each byte, and its change from one counter to the next."""
    words = np.array(rng.philox(np.arange(2**16), 1, 2, 3, 4)).astype(np.uint32)
    for shift in (0, 8, 16, 24):
        byte = words >> shift & 255
        successive = (byte[:, 1:] - byte[:, :-1]) & 255
        for x in (*byte, *successive):
            counts = np.bincount(x, minlength=256)
            chi2 = np.sum((counts - len(x) / 256) ** 2) / (len(x) / 256)
            assert abs(chi2 - 255) < 5 * np.sqrt(2 * 255)


def test_keyed_words_are_uniform():
    """Chi-squared over the bytes of words, and over their changes from number to number and key to key."""
    blocks = [rng.move_words(0, 0, sweep, 1, 0, 5) for sweep in (0, 1)]
    keys = [low | high << 32 for low, high, _, _ in blocks]
    words = np.array([[rng.keyed_word(key, n) for n in range(2**13)] for key in keys], np.uint32)
    changes = (words[:, 1:] - words[:, :-1], words[1:] ^ words[:1])
    for x in (words, *changes):
        for shift in (0, 8, 16, 24):
            counts = np.bincount((x >> np.uint32(shift) & 255).reshape(-1), minlength=256)
            mean = counts.sum() / 256
            assert abs(((counts - mean) ** 2).sum() / mean - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("argument", range(5))
def test_one_bit_of_any_counter_or_of_the_seed_changes_half_of_the_bits(argument):
    base = [11, 22, 33, 44, 55]
    for bit in (0, 13, 31):
        other = list(base)
        other[argument] ^= 1 << bit
        x, y = np.array(rng.philox(*base)), np.array(rng.philox(*other))
        assert 40 <= np.bitwise_count(x ^ y).sum() <= 88  # 64 +- 4 sigma


def sfc32_in_plain_python(a, b, c):
    counter = 0
    while True:
        counter += 1
        word = (a + b + counter) & FULL
        a, b, c = b ^ b >> 9, c * 9 & FULL, ((c << 21 | c >> 11) & FULL) + word & FULL
        yield word


def test_the_words_of_a_rank():
    """Ranks of a lane of a tile take turns; another tile is another stream."""
    for rank in (0, 5, 21, rng.TILE + 37):
        tile, place = divmod(rank, rng.TILE)
        block = tile * rng.TILE_LANES + place % rng.TILE_LANES
        stream = sfc32_in_plain_python(
            *(int(x) for x in rng.philox(block, 3, 4, 2 | rng.TILE_STREAM, 9)[:3])
        )
        first = rng.WARM_UP + 3 * (place // rng.TILE_LANES)
        words = [next(stream) for _ in range(first + 3)]
        assert list(rng.rank_words(rank, 3, 3, 4, 2, 9)) == words[first:]


def test_words_of_neighboring_addresses_are_uniform_and_independent():
    base = rng.rank_words(0, 4096, 1, 2, 3, 4)
    for other in (
        rng.rank_words(1, 4096, 1, 2, 3, 4),
        rng.rank_words(rng.TILE, 4096, 1, 2, 3, 4),
        rng.rank_words(0, 4096, 2, 2, 3, 4),
        rng.rank_words(0, 4096, 1, 3, 3, 4),
        rng.rank_words(0, 4096, 1, 2, 4, 4),
        rng.rank_words(0, 4096, 1, 2, 3, 5),
    ):
        for bit in range(32):
            agree = int(np.sum((base ^ other) >> bit & 1 == 0))
            assert abs(agree - 2048) < 5 * 32
            assert abs(int(np.sum(other >> bit & 1)) - 2048) < 5 * 32


def test_uniforms_are_inside_the_open_interval():
    assert rng.uniform(0) == 2.0**-33
    assert rng.uniform(FULL) == 1 - 2.0**-33
    u = rng.uniform(rng.philox(np.arange(10**5), 0, 0, 0, 1)[0])
    assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(u))


def test_the_number_of_a_replica_knows_no_counts():
    assert list(inspect.signature(rng.replica_id).parameters) == ["chain", "index_of_T"]
    few = {(c, t): rng.replica_id(c, t) for c in range(2) for t in range(3)}
    many = {(c, t): rng.replica_id(c, t) for c in range(50) for t in range(40)}
    assert few.items() <= many.items()
    assert len(set(many.values())) == 50 * 40
    largest = rng.replica_id(2**rng.CHAIN_BITS - 1, 2 ** (32 - rng.CHAIN_BITS) - 1)
    assert largest == FULL


def test_initial_values_depend_on_their_own_numbers_only():
    def draw(seed, replica, variable):
        return rng.initial_generator(seed, replica, variable).integers(2**62)

    assert draw(1, 2, 3) == draw(1, 2, 3)
    numbers = [(s, r, v) for s in (0, 1, 2**63) for r in (0, 1, FULL) for v in (0, 1)]
    assert len({draw(*x) for x in numbers}) == len(numbers)


def test_words_of_swaps_depend_on_each_of_their_numbers():
    def words(*numbers):
        return tuple(int(w) for w in rng.swap_words(*numbers))

    numbers = [
        (k, c, r, t, s)
        for k in (0, 1)
        for c in (0, 1)
        for r in (0, 1)
        for t in (0, 9)
        for s in (0, 5)
    ]
    assert len({words(*x) for x in numbers}) == len(numbers)
    assert rng.SWAP_STREAM not in (rng.BIT_STREAM, rng.TILE_STREAM)
    assert rng.SWAP_STREAM > rng.STREAM_STRIDE * (rng.MAX_ATTEMPTS + 1), "beyond late attempts"
    blocks = rng.swap_words(np.arange(3)[:, None], np.arange(4), 0, 7, 1)
    assert blocks[0].shape == (3, 4)
    assert int(blocks[2][1, 3]) == words(1, 3, 0, 7, 1)[2]
