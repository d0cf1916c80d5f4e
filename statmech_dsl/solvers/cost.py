"""What an exact computation would cost, said in advance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Cost:
    """Floating-point operations for one temperature, about, and bytes of memory."""

    operations: int
    bytes: int

    def __str__(self) -> str:
        """For messages and attributes.

        Examples
        --------
        >>> print(Cost(12_345_678, 3 * 2**30))
        1.2e+7 operations for each temperature, 3 GiB of memory
        """
        n = f"{Decimal(self.operations):.1e}" if self.operations >= 1000 else str(self.operations)
        return f"{n} operations for each temperature, {memory(self.bytes)} of memory"


def memory(n: int) -> str:
    """Write a number of bytes.

    Examples
    --------
    >>> memory(5_000_000)
    '4.8 MiB'
    """
    unit, name = next(
        (2**k, x) for k, x in ((30, "GiB"), (20, "MiB"), (10, "KiB")) if n >= 2**k or k == 10
    )
    return f"{Decimal(n) / unit:.2g} {name}"
