"""Print how a word is decided: counts of bits, classes, and the comparison with thresholds plane by plane."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from statmech_dsl.backends.cupy_gpu.bit_sliced.terms import Bit
from statmech_dsl.backends.cupy_gpu.spell import Lines, block
from statmech_dsl.backends.numba_cpu.bit_sliced.boolean import count, mask
from statmech_dsl.ir.bits import BitKind
from statmech_dsl.rng import PLANES


def masks(kind: BitKind, weighted: Sequence[tuple[int, Bit]]) -> Lines:
    """Bind the lanes of energy 0, m0, of the other classes but the last, m1, m2, ..., and ``rises``."""
    bits = [
        (q, f"a{k}")
        for k, (weight, _) in enumerate(weighted)
        for q in range(weight.bit_length())
        if weight >> q & 1
    ]
    adders, digits = count(bits)
    places = range(len(kind.counts))

    def lanes(wanted: Callable[[int], bool]) -> str:
        return mask(digits, [kind.counts[n] for n in places if wanted(n)], kind.counts)

    classes = range(max(kind.n_classes, 1))
    return [
        *(f"const word a{k} = {bit.text};" for k, (_, bit) in enumerate(weighted)),
        *(f"const word {line};" for line in adders),
        *(f"const word m{k} = {lanes(lambda n, k=k: kind.classes[n] == k)};" for k in classes),
        f"const word rises = {lanes(lambda n: kind.rises[n])};",
        "word low = ZERO, open = ~m0, r;",
    ]


def planes(
    n_classes: int,
    plane: Callable[[str], str],
    level: Callable[[int, str], str],
    rolled: bool = False,
) -> Lines:
    """Compare planes, the least significant first: a bit that differs from the threshold's decides.

    Levels are those of the last class, and of the others where they differ from it. A ``rolled`` loop is less
    code to compile.
    """

    def compare(q: str) -> Lines:
        others = (f" ^ (m{c} & {level(c, q)})" for c in range(1, n_classes))
        return [
            f"r = {plane(q)};",
            f"t = {level(n_classes, q)}{''.join(others)};",
            "x = r ^ t, low ^= x & (t ^ low), open &= ~x;",
        ]

    steps = [str(q) for q in reversed(range(PLANES))]
    if not n_classes:
        lines = [f"r = {plane(q)};" for q in steps]
    elif rolled:
        loop = block(f"for (u32 q = {PLANES}; q-- > 0;)", compare("q"))
        lines = ["word t, x;", "#pragma unroll 1", *loop]
    else:
        lines = ["word t, x;", *(line for q in steps for line in compare(q))]
    return [*lines, "low ^= m0 & (low ^ ~r);"]


def finish(n_classes: int, unlikely: str) -> Lines:
    """Decide the lanes that the planes leave open: lane j, of class c + 1."""
    if not n_classes:
        return []
    number = "".join(f"m{c} >> j & 1 ? {c - 1} : " for c in range(1, n_classes))
    one = [
        f"const u32 j = lowest(open), c = {number}{n_classes - 1};",
        f"if ({unlikely}) low ^= (word)1 << j;",
    ]
    return block("for (; open; open &= open - 1)", one)
