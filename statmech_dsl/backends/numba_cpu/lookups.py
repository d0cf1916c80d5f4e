"""Sums of couplings by lookup: what kernels of the dense tier import where tables of them are small.

A sum of couplings over the sources that have their high value takes an addition for each of them. Of four
sources together there are only 16 sums: one addition of a table's line does for all four. This is the method
of the four Russians (Arlazarov et al. 1970). A line holds the sums of `LINE` sites that do not depend on each
other.
"""

# pyright: reportCallIssue=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from statmech_dsl.backends.numba_cpu.vectors import Words

LINE = 32
"""Sites of a line: a few vectors of numbers of 32 bits, and a whole number of steps of a tile of streams."""
FOUR, CODES = 4, 16
"""Sources that are looked up together, and what they may be."""
NEAR = 20
"""Fours whose lines stay in the cache next to the processor while replica after replica looks them up."""
TOGETHER = 64
"""Sources whose codes are made together."""
_SHORT = 16, 8
"""The vectors of a line whose last quarter is empty."""
_CACHE_LINE = 64
_I8, _I16, _I32, _I64 = (ir.IntType(n) for n in (8, 16, 32, 64))


def lines_of(matrix: np.ndarray, kind: type) -> np.ndarray:
    """The table of a matrix, whose rows are sites and whose columns are sources: [block, four, code, site].

    Examples
    --------
    >>> lines_of(np.array([[1.0, 2.0, 4.0, 8.0, 16.0]]), np.int32)[0, :, :4, 0].tolist()
    [[0, 1, 2, 3], [0, 16, 0, 16]]
    """
    n_sites, n_sources = matrix.shape
    blocks, fours = -(-n_sites // LINE), -(-n_sources // FOUR)
    padded = np.zeros((blocks * LINE, fours * FOUR), kind)
    padded[:n_sites, :n_sources] = matrix
    columns = padded.reshape(blocks, LINE, fours, FOUR).transpose(0, 2, 3, 1)
    lines = aligned((blocks, fours, CODES, LINE), kind)
    for j in range(FOUR):
        lines[:, :, 2**j : 2 ** (j + 1)] = lines[:, :, : 2**j] + columns[:, :, j : j + 1]
    return lines


def aligned(shape: tuple[int, ...], kind: type) -> np.ndarray:
    """Zeros that begin with a cache line: a vector that lies across two of them costs twice as much.

    Examples
    --------
    >>> aligned((3, 5), np.int32).ctypes.data % 64
    0
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    memory = np.zeros(size + _CACHE_LINE, np.uint8)
    first = -memory.ctypes.data % _CACHE_LINE
    return memory[first : first + size].view(kind).reshape(shape)


def padded(x: np.ndarray) -> np.ndarray:
    """Numbers of sites, up to the end of the last line."""
    return np.pad(x, (0, -len(x) % LINE))


def runs(order: np.ndarray) -> np.ndarray:
    """For each line of ranks its first site, if its sites follow each other, else -1.

    Examples
    --------
    >>> runs(np.arange(3, 70)).tolist(), runs(np.array([4, 2])).tolist()
    ([3, 35, 67], [-1])
    """
    lines = np.split(order.astype(np.int64), range(LINE, len(order), LINE))
    return np.array([x[0] if (np.diff(x) == 1).all() else -1 for x in lines], np.int64)


@njit(error_model="numpy", nogil=True)
def encode(states, first, n, high, rest, codes, place):
    """The codes of n sources from ``first`` on, four of them a number of four bits, from ``place`` on.

    ``rest`` has room for `TOGETHER` states; what it holds is not ``high``.
    """
    whole = n // TOGETHER * TOGETHER
    in_fours(states, first, whole, high, codes, place)
    if whole < n:
        copy_bytes(rest, 0, states, first + whole, n - whole)
        in_fours(rest, 0, TOGETHER, high, codes, place + whole // FOUR)


def _places(context, builder, signature, values, *numbers: int) -> list[Any]:
    """Where arrays are read from: each argument with such a number at the index that is the next argument."""
    return [
        builder.gep(
            context.make_array(signature.args[k])(context, builder, values[k]).data,
            [values[k + 1]],
        )
        for k in numbers
    ]


@intrinsic
def copy_bytes(typingctx, to, place, source, first, n):
    """Copy n small values."""

    def generate(context, builder, signature, values):
        ends = _places(context, builder, signature, values, 0, 2)
        cgutils.raw_memcpy(builder, *ends, values[4], 1)
        return context.get_dummy_value()

    at = types.int64
    return types.none(to, at, source, at, at), generate


@intrinsic
def in_fours(typingctx, states, first, n, high, codes, place):
    """`encode` where n is a multiple of `TOGETHER`."""

    def generate(context, builder, signature, values):
        given, out = _places(context, builder, signature, values, 0, 4)
        bytes_, pairs = ir.VectorType(_I8, TOGETHER), ir.VectorType(_I16, TOGETHER // 8)
        wanted = Words.spread(builder, values[3], TOGETHER)
        with cgutils.for_range(builder, builder.udiv(values[2], ir.Constant(_I64, TOGETHER))) as k:
            at = builder.mul(k.index, ir.Constant(_I64, TOGETHER))
            x = builder.load(
                builder.bitcast(builder.gep(given, [at]), bytes_.as_pointer()), align=1
            )
            high = builder.icmp_unsigned("==", x, wanted.value)
            eights = builder.bitcast(high, ir.VectorType(_I8, TOGETHER // 8))
            x = builder.zext(eights, pairs)
            x = builder.or_(x, builder.shl(x, ir.Constant(pairs, [4] * pairs.count)))
            x = builder.and_(x, ir.Constant(pairs, [0x0F0F] * pairs.count))
            to = builder.gep(out, [builder.udiv(at, ir.Constant(_I64, FOUR))])
            builder.store(x, builder.bitcast(to, pairs.as_pointer()), align=1)
        return context.get_dummy_value()

    at = types.int64
    return types.none(states, at, at, types.int8, codes, at), generate


def _over_lines(combine: Callable):
    """An intrinsic that combines a line of ``start``, from number k on, with those of a table for some codes.

    The result goes into a line of ``out``. There are ``count`` codes; ``first`` is the first one's first line,
    ``place`` its place. Numbers are of 32 bits, whole or real, or real ones of 64. A line has ``sites`` sites;
    what stands beyond them may be left out. The result stays in registers until it is whole.
    """

    @intrinsic
    def over_lines(typingctx, out, to, start, k, lines, first, codes, place, count, sites):
        at = types.int64
        signature = types.none(out, at, start, at, lines, at, codes, at, at, at)

        def generate(context, builder, signature, values):
            first = builder.mul(values[5], ir.Constant(_I64, LINE))
            values = [*values[:5], first, *values[6:]]
            to, begin, table, codes = _places(context, builder, signature, values, 0, 2, 4, 6)
            short = builder.icmp_signed("<=", values[9], ir.Constant(_I64, sum(_SHORT)))
            with builder.if_else(short) as (then, otherwise):
                for branch, parts in ((then, _SHORT), (otherwise, (LINE,))):
                    with branch:
                        _combine(combine, builder, to, begin, table, codes, values[8], parts)
            return context.get_dummy_value()

        return signature, generate

    return over_lines


def _plus(builder: Any, x: Any, y: Any) -> Any:
    whole = isinstance(x.type.element, ir.IntType)
    return builder.add(x, y) if whole else builder.fadd(x, y)


add_lines = _over_lines(_plus)
multiply_lines = _over_lines(lambda builder, x, y: builder.fmul(x, y))


def _combine(combine, builder, to, begin, table, codes, count, parts: tuple[int, ...]) -> None:
    """A line of so many sites, in vectors of some of them."""
    item = begin.type.pointee
    vectors = [ir.VectorType(item, n) for n in parts]
    firsts = [sum(parts[:k]) for k in range(len(parts))]

    def place(start, k):
        part = builder.gep(start, [ir.Constant(_I64, firsts[k])])
        return builder.bitcast(part, vectors[k].as_pointer())

    totals = [cgutils.alloca_once(builder, vector) for vector in vectors]
    size = item_size(item)
    for k, total in enumerate(totals):
        builder.store(builder.load(place(begin, k), align=size), total)
    with cgutils.for_range(builder, count) as loop:
        code = builder.zext(builder.load(builder.gep(codes, [loop.index])), _I64)
        line = builder.add(builder.mul(loop.index, ir.Constant(_I64, CODES)), code)
        line = builder.gep(table, [builder.mul(line, ir.Constant(_I64, LINE))])
        for k, total in enumerate(totals):
            found = builder.load(place(line, k), align=size)
            builder.store(combine(builder, builder.load(total), found), total)
    for k, total in enumerate(totals):
        builder.store(builder.load(total), place(to, k), align=size)


@intrinsic
def sum_raised(typingctx, sums, first, states, place, high):
    """Sum of those of ``LINE`` numbers, from ``first`` on, whose sites, from ``place`` on, are high.

    Numbers of 32 bits are whole. They are added up as real ones, by halves.
    """

    def generate(context, builder, signature, values):
        numbers, states = _places(context, builder, signature, values, 0, 2)
        item = numbers.type.pointee
        given, reals = ir.VectorType(item, LINE), ir.VectorType(ir.DoubleType(), LINE)
        x = builder.load(builder.bitcast(numbers, given.as_pointer()), align=item_size(item))
        x = builder.sitofp(x, reals) if isinstance(item, ir.IntType) else x
        at = builder.bitcast(states, ir.VectorType(_I8, LINE).as_pointer())
        wanted = Words.spread(builder, values[4], LINE).value
        is_high = builder.icmp_unsigned("==", builder.load(at, align=1), wanted)
        x = builder.select(is_high, x, ir.Constant(reals, [0.0] * LINE))
        half = LINE // 2
        while half:
            low, high = (
                builder.shuffle_vector(
                    x, x, ir.Constant(ir.VectorType(_I32, half), list(range(k, k + half)))
                )
                for k in (0, half)
            )
            x, half = builder.fadd(low, high), half // 2
        return builder.extract_element(x, ir.Constant(_I32, 0))

    return types.float64(sums, types.int64, states, types.int64, types.int8), generate


def item_size(item: ir.Type) -> int:
    """Bytes of a number."""
    return item.width // 8 if isinstance(item, ir.IntType) else 8 if item == ir.DoubleType() else 4
