"""How a kernel finds its way through arrays: which element of each input belongs to one of the loop.

Lengths and shifts are arguments, so that one kernel serves all shapes. Integer arithmetic is what a
kernel that only moves bytes can least afford: indices have 32 bits where they can, there is one division
for each axis but the first, and it is a multiplication and a shift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statmech_dsl.backends.pytensor_cupy.kernels import Read
from statmech_dsl.backends.pytensor_cupy.scalar import C_TYPES

NARROW = 2**31
"""Loops of fewer elements have indices of 32 bits."""


@dataclass(frozen=True)
class Loop:
    """A loop over the elements of arrays.

    Parameters
    ----------
    reads : tuple of Read
        How inputs are read.
    wide : bool
        Whether indices have 64 bits.
    """

    reads: tuple[Read, ...]
    wide: bool

    @property
    def index(self) -> str:
        """Type of indices."""
        return "int64" if self.wide else "uint32"

    @property
    def ctype(self) -> str:
        """C type of indices."""
        return C_TYPES[self.index]

    @property
    def _shifts(self) -> dict[tuple[int, int], str]:
        """Axis and shift, and the name of the parameter that holds the shift modulo the length."""
        pairs = dict.fromkeys((a, s) for r in self.reads for a, s in enumerate(r.axes) if s)
        return {p: f"shift{p[0]}_{k}" for k, p in enumerate(pairs)}

    @property
    def _ndim(self) -> int:
        """Number of axes of which coordinates are needed."""
        needed = any(r.needs_coordinates for r in self.reads)
        return max(len(r.axes) for r in self.reads) if needed else 0

    @property
    def parameters(self) -> list[str]:
        """Names of the kernel parameters: lengths of axes, how to divide by them, shifts."""
        axes = range(self._ndim)
        division = [] if self.wide else [f"{p}{a}" for a in axes[1:] for p in ("factor", "down")]
        return [*(f"length{a}" for a in axes), *division, *self._shifts.values()]

    @property
    def declarations(self) -> list[str]:
        """The parameters as CuPy wants them."""
        return [f"{self.index} {name}" for name in self.parameters]

    def arguments(self, shape: Sequence[int]) -> list[int]:
        """The values of the parameters for a loop of a given shape."""
        lengths = list(shape) if self._ndim else []
        division = [] if self.wide else [x for n in lengths[1:] for x in reciprocal(n)]
        return [*lengths, *division, *(s % shape[a] if shape[a] else 0 for a, s in self._shifts)]

    def statements(self, linear: str) -> str:
        """C statements that find the coordinates of an element of the loop.

        Parameters
        ----------
        linear : str
            C expression of its number.
        """
        lines = [f"const {self.ctype} at = {linear};"]
        rest = "at"
        for axis in reversed(range(1, self._ndim)):
            divided = f"(unsigned long long){rest} * factor{axis} >> down{axis}"
            if self.wide:
                divided = f"{rest} / length{axis}"
            lines.append(f"const {self.ctype} rest{axis} = {divided};")
            lines.append(f"const {self.ctype} c{axis} = {rest} - rest{axis} * length{axis};")
            rest = f"rest{axis}"
        if self._ndim:
            lines.append(f"const {self.ctype} c0 = {rest};")
        for (axis, _), name in self._shifts.items():
            wrapped = f"c{axis} - {name} + (c{axis} < {name} ? length{axis} : 0)"
            lines.append(f"const {self.ctype} at_{name} = {wrapped};")
        return "\n".join(lines)

    def place(self, read: Read) -> str:
        """C expression of where an input is read."""
        if read.in_step:
            return "at"
        where = ""
        for axis, s in enumerate(read.axes):
            if s is not None:
                c = f"at_{self._shifts[axis, s]}" if s else f"c{axis}"
                where = f"({where}) * length{axis} + {c}" if where else c
        return where or "0"


def reciprocal(n: int) -> tuple[int, int]:
    """The factor f and the shift d with ``k // n == k * f >> d`` for all k below 2^31.

    Granlund and Montgomery, Division by invariant integers using multiplication (1994), theorem 4.2.

    Examples
    --------
    >>> f, d = reciprocal(10)
    >>> f < 2**32, 2147483639 * f >> d
    (True, 214748363)
    """
    down = 31 + max(n - 1, 0).bit_length()
    return -(-(1 << down) // max(n, 1)), down
