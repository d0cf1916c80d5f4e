"""Compiled functions that are kept on disk, safely where several processes compile at once.

Numba keeps the compiled forms of a function, one for each set of argument types, in numbered files that an
index lists. It reads the index and writes it back without a lock. So two processes that compile a function
for different types at once may exchange their files, and a third one runs code made for other arguments.

Nor does Numba see when what a function calls has changed, as long as the file of the function has not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal

import numba as nb
from filelock import FileLock


def compiled(
    function: Callable[..., Any], error_model: Literal["python", "numpy"] = "python"
) -> Callable[..., Any]:
    """Compile a function when it is first called, or take it from disk; it lets other threads run."""
    dispatcher = locked(nb.njit(cache=True, nogil=True, error_model=error_model)(function))
    files = dispatcher._cache._cache_file
    files._source_stamp = files._source_stamp, _runtime()
    return dispatcher


def unchecked(function: Callable[..., Any]) -> Callable[..., Any]:
    """`compiled`, with divisions that no one checks: they vectorize."""
    return compiled(function, "numpy")


@cache
def _runtime() -> str:
    """A hash of what compiled functions call."""
    folder = Path(__file__).parent / "backends" / "numba_cpu"
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.glob("*.py")))).hexdigest()


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
