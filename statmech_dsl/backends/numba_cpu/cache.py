"""Generated modules on disk, so that a second process compiles nothing.

The file's name is a hash of its source and of the runtime below it; Numba's own index beside it covers its
version and the processor. ``STATMECH_DSL_CACHE`` moves the folder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from statmech_dsl.compiled import locked


def folder() -> Path:
    """Folder of the generated modules."""
    if given := os.environ.get("STATMECH_DSL_CACHE"):
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "statmech_dsl" / "kernels"


@cache
def _runtime_hash() -> str:
    from statmech_dsl.backends.collective.clusters import runtime as cluster_runtime
    from statmech_dsl.backends.collective.clusters.bits import runtime as bit_cluster_runtime
    from statmech_dsl.backends.numba_cpu import (
        decide_lines,
        lookups,
        runtime,
        runtime_float32,
        swept_energy,
        vectors,
        verdicts,
    )
    from statmech_dsl.backends.numba_cpu.bit_sliced import counting
    from statmech_dsl.backends.numba_cpu.bit_sliced import runtime as bit_runtime
    from statmech_dsl.ir import elementary, elementary_float32

    moves = (cluster_runtime, bit_cluster_runtime)
    own = (
        decide_lines,
        lookups,
        swept_energy,
        runtime,
        runtime_float32,
        vectors,
        verdicts,
        bit_runtime,
        counting,
    )
    modules = (*own, *moves, elementary, elementary_float32)
    sources = [Path(m.__file__ or "").read_bytes() for m in modules]
    return hashlib.sha256(b"".join(sources)).hexdigest()


@cache
def load(source: str) -> Callable[..., Any]:
    """The ``kernel`` of a generated module, compiled at its first call or taken from disk."""
    key = hashlib.sha256((source + _runtime_hash()).encode()).hexdigest()[:20]
    name = (
        f"statmech_dsl_kernel_{key}"  # Numba stores this name: it must be the same in every process
    )
    path = _write(folder(), f"{name}.py", source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return locked(module.kernel)


def _write(where: Path, name: str, source: str) -> Path:
    """Write a module at once or not at all: several processes may do so at the same time."""
    path = where / name
    try:
        where.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            handle, temporary = tempfile.mkstemp(dir=where, suffix=".tmp")
            with os.fdopen(handle, "w") as file:
                file.write(source)
            os.replace(temporary, path)
        return path
    except OSError:  # a home that cannot be written to: no cache between processes
        fallback = Path(tempfile.mkdtemp(prefix="statmech_dsl_"))
        (fallback / name).write_text(source)
        return fallback / name
