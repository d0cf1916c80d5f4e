"""Work spread over threads; the kernels release the GIL."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """A pool for this process: the threads of a forked parent do not exist in the child."""
    return ThreadPoolExecutor(threads)


def together(work: Callable[[int], None], team: int) -> None:
    """Call ``work(me)`` in ``team`` threads that wait for each other; none of them may have to queue."""
    others = [threading.Thread(target=work, args=(me,), daemon=True) for me in range(1, team)]
    for thread in others:
        thread.start()
    work(0)
    for thread in others:
        thread.join()


def spread(work: Callable[[int, int], None], n: int, threads: int) -> None:
    """Call ``work(first, last)`` on ranges that cover 0 .. n-1."""
    parts = min(threads, n)
    if parts <= 1:
        work(0, n)
        return
    bounds = [n * k // parts for k in range(parts + 1)]
    pool = _pool(os.getpid(), threads)
    futures = [pool.submit(work, a, b) for a, b in zip(bounds, bounds[1:], strict=False)]
    for future in futures:
        future.result()
