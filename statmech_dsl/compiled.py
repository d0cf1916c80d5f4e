"""Compiled functions that are kept on disk, safely where several processes compile at once.

Numba keeps the compiled forms of a function, one for each set of argument types, in numbered files that an
index lists. It reads the index and writes it back without a lock. So two processes that compile a function
for different types at once may exchange their files, and a third one runs code made for other arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numba as nb
from filelock import FileLock


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when it is first called, or take it from disk; it lets other threads run."""
    return locked(nb.njit(cache=True, nogil=True)(function))


def locked(dispatcher: Any) -> Any:
    """Let one process at a time read or write what Numba keeps of a function on disk."""
    files = dispatcher._cache._cache_file
    lock = FileLock(f"{files._index_path}.lock")

    def alone(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def run(*arguments: Any) -> Any:
            try:
                lock.acquire()
            except OSError:  # a folder that cannot be written to: Numba will keep nothing either
                return method(*arguments)
            try:
                return method(*arguments)
            finally:
                lock.release()

        return run

    files.save, files.load = alone(files.save), alone(files.load)
    return dispatcher
