"""Straight-line code on vectors of words, written in Python and emitted as LLVM vector instructions.

A function marked with `vectors` is called by compiled code but never compiled itself: where a kernel calls it,
it runs once, on objects that stand for vectors, and each of their operations appends one instruction. Numba
infers no types, and LLVM has no loops to vectorize and need not prove that rows do not overlap.
"""

# pyright: reportCallIssue=false, reportReturnType=false
# Numba supplies the first parameter of an intrinsic.

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTES = 64
"""Size of a vector of the shortest words: a cache line, and a register where these are widest."""
_I32, _I64, _F32 = ir.IntType(32), ir.IntType(64), ir.FloatType()


def _same(kind: ir.VectorType, number: float) -> ir.Constant:
    item = float(np.float32(number)) if kind.element == _F32 else int(number)
    return ir.Constant(kind, [item] * kind.count)


class Words:
    """Words of a vector in code that is being built; numbers stand for the same word everywhere."""

    __array_ufunc__ = None  # NumPy's scalars leave operators to this class

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder, self.value = builder, value

    @staticmethod
    def spread(builder: ir.IRBuilder, value: Any, width: int) -> Words:
        """A number of the kernel in all places."""
        undefined = ir.Constant(ir.VectorType(value.type, width), ir.Undefined)
        one = builder.insert_element(undefined, value, ir.Constant(_I32, 0))
        first = _same(ir.VectorType(_I32, width), 0)
        return Words(builder, builder.shuffle_vector(one, one, first))

    def any(self) -> ir.Value:
        """A number that is 0 if all words are."""
        kind = self.value.type
        some = self.builder.icmp_unsigned("!=", self.value, _same(kind, 0))
        return self.builder.zext(self.builder.bitcast(some, ir.IntType(kind.count)), _I64)

    def all(self, number: int) -> Words:
        """A vector of the same number everywhere."""
        return Words(self.builder, _same(self.value.type, number))

    def places(self) -> Words:
        """The numbers 0, 1, 2, ... of the places of the vector."""
        kind = self.value.type
        return Words(self.builder, ir.Constant(kind, list(range(kind.count))))

    def short(self) -> Words:
        """The lower 32 bits of words of 64."""
        kind = ir.VectorType(_I32, self.value.type.count)
        return Words(self.builder, self.builder.trunc(self.value, kind))

    def long(self) -> Words:
        """Words of 64 bits with the same values."""
        kind = ir.VectorType(_I64, self.value.type.count)
        return Words(self.builder, self.builder.zext(self.value, kind))

    def reals(self, signed: bool = False) -> Reals:
        """The nearest numbers in float32; words are integers with a sign or without."""
        convert = self.builder.sitofp if signed else self.builder.uitofp
        return Reals(self.builder, convert(self.value, self._of_reals))

    def as_reals(self) -> Reals:
        """The numbers in float32 that have these bits."""
        return Reals(self.builder, self.builder.bitcast(self.value, self._of_reals))

    @property
    def _of_reals(self) -> ir.VectorType:
        return ir.VectorType(_F32, self.value.type.count)

    def choose(self, yes: Words, no: Words) -> Words:
        """Where the outcome of a comparison is true the words of one vector, elsewhere of another."""
        return Words(self.builder, self.builder.select(self.value, yes.value, no.value))

    def _apply(self, operation: str, other: Any) -> Words:
        b = other if isinstance(other, Words) else self.all(other)
        return Words(self.builder, getattr(self.builder, operation)(self.value, b.value))

    def __and__(self, other: Any) -> Words:
        return self._apply("and_", other)

    def __or__(self, other: Any) -> Words:
        return self._apply("or_", other)

    def __xor__(self, other: Any) -> Words:
        return self._apply("xor", other)

    def __add__(self, other: Any) -> Words:
        return self._apply("add", other)

    def __mul__(self, other: Any) -> Words:
        return self._apply("mul", other)

    def __lshift__(self, other: Any) -> Words:
        return self._apply("shl", other)

    def __rshift__(self, other: Any) -> Words:
        return self._apply("lshr", other)

    def __invert__(self) -> Words:
        return Words(self.builder, self.builder.not_(self.value))

    __rand__, __ror__, __rxor__, __radd__, __rmul__ = __and__, __or__, __xor__, __add__, __mul__


class Reals(Words):
    """Numbers in float32 of a vector in code that is being built."""

    def all(self, number: float) -> Reals:
        """A vector of the same number everywhere."""
        return Reals(self.builder, _same(self.value.type, number))

    def _apply(self, operation: str, other: Any) -> Reals:
        return Reals(self.builder, super()._apply(f"f{operation}", other).value)

    def __add__(self, other: Any) -> Reals:
        return self._apply("add", other)

    def __sub__(self, other: Any) -> Reals:
        return self._apply("sub", other)

    def __mul__(self, other: Any) -> Reals:
        return self._apply("mul", other)

    def __gt__(self, other: Words) -> Words:
        return Words(self.builder, self.builder.fcmp_ordered(">", self.value, other.value))

    def fma(self, factor: Any, term: Any) -> Reals:
        """``self * factor + term`` with one rounding."""
        kind = self.value.type
        rest = [x if isinstance(x, Words) else self.all(x) for x in (factor, term)]
        fma = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fma.v{kind.count}f32"
        )
        return Reals(self.builder, self.builder.call(fma, [self.value, *(x.value for x in rest)]))

    def bits(self) -> Words:
        """Their bits."""
        kind = ir.VectorType(_I32, self.value.type.count)
        return Words(self.builder, self.builder.bitcast(self.value, kind))


class Rows:
    """An array of words from some place on: item k is the vector that begins k words further on."""

    def __init__(self, builder: ir.IRBuilder, first: ir.Value, kind: ir.VectorType) -> None:
        self.builder, self.first, self.kind = builder, first, kind
        self._size = kind.element.width // 8

    def at(self, place: ir.Value) -> Rows:
        """The array from a later place on."""
        return Rows(self.builder, self.builder.gep(self.first, [place]), self.kind)

    def _place(self, k: int) -> ir.Value:
        word = self.builder.gep(self.first, [ir.Constant(_I64, k)])
        return self.builder.bitcast(word, self.kind.as_pointer())

    def __getitem__(self, k: int) -> Words:
        return Words(self.builder, self.builder.load(self._place(k), align=self._size))

    def __setitem__(self, k: int, words: Words | int) -> None:
        value = words.value if isinstance(words, Words) else _same(self.kind, words)
        self.builder.store(value, self._place(k), align=self._size)


def vectors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make straight-line code on `Rows` and `Words` callable from compiled code, for n words at once.

    Callers give a literal n, less than a vector or a multiple of it; then an array (C order) and a flat index
    for each parameter annotated as `Rows`, a number for `Words`, and a literal for a whole number that is to
    stay one; numbers in float32 become `Reals`. Words that are returned become a number that is 0 if all n
    are.
    """
    parameters = inspect.signature(function).parameters
    rows = [p.annotation in (Rows, "Rows") for p in parameters.values()]
    returns = types.uint64 if "return" in function.__annotations__ else types.none

    def define(typingctx, n_words, *args):
        sizes = [t.dtype.bitwidth // 8 for t in args if isinstance(t, types.Array)]
        width = min(n_words.literal_value, BYTES // min(sizes))

        def generate(context, builder, signature, values):
            given = list(_arguments(context, builder, rows, signature.args[1:], values[1:], width))
            found = cgutils.alloca_once_value(builder, ir.Constant(_I64, 0))
            n_vectors = ir.Constant(_I64, n_words.literal_value // width)
            with cgutils.for_range(builder, n_vectors) as loop:
                place = builder.mul(loop.index, ir.Constant(_I64, width))
                words = function(*(x.at(place) if isinstance(x, Rows) else x for x in given))
                if words is not None:
                    builder.store(builder.or_(builder.load(found), words.any()), found)
            return builder.load(found) if returns is types.uint64 else context.get_dummy_value()

        return returns(n_words, *args), generate

    names = ["typingctx", "n_words"]
    for name, is_rows in zip(parameters, rows, strict=True):
        names += [name, f"{name}_from"] if is_rows else [name]
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    define.__signature__ = inspect.Signature([inspect.Parameter(n, positional) for n in names])
    define.__name__ = function.__name__
    return intrinsic(prefer_literal=True)(define)


def _arguments(context, builder, rows: list[bool], kinds, values, width: int) -> Iterator[Any]:
    """What a function sees of its arguments."""
    left = iter(zip(kinds, values, strict=True))
    for is_rows in rows:
        kind, value = next(left)
        if is_rows:
            data = context.make_array(kind)(context, builder, value).data
            index, place = next(left)
            if isinstance(index, types.Literal):
                place = ir.Constant(_I64, index.literal_value)
            vector = ir.VectorType(ir.IntType(kind.dtype.bitwidth), width)
            yield Rows(builder, builder.gep(data, [place]), vector)
        elif isinstance(kind, types.Literal):
            yield kind.literal_value
        else:
            words = Words.spread(builder, value, width)
            yield Reals(builder, words.value) if kind == types.float32 else words
