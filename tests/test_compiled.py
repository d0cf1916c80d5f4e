"""What processes that compile at the same time keep on disk."""

from __future__ import annotations

import numba as nb
import pytest
from filelock import FileLock, Timeout

from statmech_dsl.backends.numba_cpu import cache
from statmech_dsl.compiled import compiled, locked


@compiled
def twice(x):
    return x + x


SOURCE = """from numba import njit
@njit(cache=True)
def kernel(x):
    return x + x
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("STATMECH_DSL_CACHE", str(tmp_path))
    return cache.load.__wrapped__(SOURCE)


@pytest.mark.parametrize("step", ["_load_index", "_save_index", "_save_data"])
def test_no_other_process_comes_between(kernel, step, monkeypatch):
    """Without the lock two processes give the same number to files of different types."""
    files = kernel._cache._cache_file
    original, refused = getattr(files, step), []

    def watched(*arguments):
        with pytest.raises(Timeout):
            FileLock(f"{files._index_path}.lock", timeout=0).acquire()
        refused.append(step)
        return original(*arguments)

    monkeypatch.setattr(files, step, watched)
    assert kernel(1) == 2
    assert kernel(1.5) == 3.0
    assert refused


def test_numba_keeps_the_parts_that_are_locked():
    files = nb.njit(cache=True)(twice.py_func)._cache._cache_file
    assert {"save", "load", "_index_path"} <= set(dir(files))


def test_a_folder_that_cannot_be_locked(kernel, monkeypatch):
    def refuse(self, *arguments, **named):
        raise PermissionError

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert kernel(2) == 4


def test_forms_of_all_types_can_be_taken_from_disk(kernel):
    assert [kernel(1), kernel(1.5)] == [2, 3.0]
    again = locked(nb.njit(cache=True)(kernel.py_func))
    assert [again(1), again(1.5)] == [2, 3.0]
    assert sum(again.stats.cache_hits.values()) == 2


def test_functions_are_compiled_anew_if_what_they_call_has_changed(monkeypatch):
    def stamp():
        return compiled(twice.py_func)._cache._cache_file._source_stamp

    before = stamp()
    assert stamp() == before
    monkeypatch.setattr("statmech_dsl.compiled._runtime", lambda: "other")
    assert stamp() != before
