"""A strict stand-in for CuPy on NumPy: nothing is copied between host and device without being counted.

As in CuPy, functions refuse NumPy arrays, NumPy refuses arrays of the device, and numbers are brought
to the host by explicit copies only, which wait for the device. Kernels are compiled for the host from
the very text that a GPU would get.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse

from tests.backends.pytensor_cupy.kernel_sources import Source, compiled, parameters, run

COPIES = {"up": 0, "down": 0}
"""Copies to the device and back, since the process began."""

LAUNCHES: list[str] = []
"""Names of the kernels launched."""

KERNELS: list[tuple[Source, frozenset[str]]] = []
"""Kernels made, with the parameters that were numbers when they were launched."""


class ndarray:  # noqa: N801
    """An array on the device."""

    def __init__(self, a: Any) -> None:
        self._a = np.asarray(a)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def get(self) -> np.ndarray:
        COPIES["down"] += 1
        return self._a.copy()

    def _number(self) -> Any:
        return self.get()[()]

    def item(self) -> Any:
        return self._number().item()

    def __int__(self) -> int:
        return int(self._number())

    __index__ = __int__

    def __float__(self) -> float:
        return float(self._number())

    def __bool__(self) -> bool:
        return bool(self._number())

    def tolist(self) -> Any:
        return self.get().tolist()

    def __len__(self) -> int:
        return len(self._a)

    def __getitem__(self, k: Any) -> Any:
        return _up(self._a[_index(k)])

    def __setitem__(self, k: Any, value: Any) -> None:
        self._a[_index(k)] = _down(value)

    def __deepcopy__(self, memo: Any) -> Any:
        return ndarray(self._a.copy())

    shape = property(lambda s: s._a.shape)
    ndim = property(lambda s: s._a.ndim)
    dtype = property(lambda s: s._a.dtype)
    size = property(lambda s: s._a.size)
    T = property(lambda s: _up(s._a.T))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("flat", "data", "base"):
            raise AttributeError(name)
        method = getattr(self._a, name)
        return lambda *a, **k: _up(method(*map(_down, a), **k))


def _operator(name: str) -> Any:
    def operate(self: ndarray, *args: Any) -> Any:
        return _up(getattr(self._a, name)(*map(_down, args)))

    return operate


for _name in (
    "add radd sub rsub mul rmul truediv rtruediv pow rpow mod floordiv neg pos abs lt le gt ge eq ne"
    " and or xor invert matmul"
).split():
    setattr(ndarray, f"__{_name}__", _operator(f"__{_name}__"))
ndarray.__hash__ = None  # type: ignore[assignment]


def _down(x: Any) -> Any:
    """What a device function works on; arrays of the host are refused as in CuPy."""
    if isinstance(x, ndarray):
        return x._a
    if isinstance(x, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(x, list | tuple):
        return type(x)(map(_down, x))
    return x


def _up(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.generic):
        return ndarray(x)
    if isinstance(x, tuple):
        return tuple(map(_up, x))
    return list(map(_up, x)) if isinstance(x, list) else x


def _index(k: Any) -> Any:
    if isinstance(k, tuple):
        return tuple(map(_index, k))
    if isinstance(k, slice):
        assert not any(isinstance(b, ndarray) for b in (k.start, k.stop, k.step))
        return k
    return _down(k)


def _rubbish(shape: Any, dtype: Any) -> np.ndarray:
    """What memory that nobody has written may hold."""
    return np.full(shape, 77, dtype)


class _Kernel:
    """What both kinds of kernel do: check arguments, compile, run."""

    source: Source

    def _run(self, values: list[Any], shape: tuple[int, ...], results: int) -> None:
        scalars = frozenset(
            p.name
            for p, v in zip(self.source.params, values, strict=True)
            if not isinstance(v, ndarray)
        )
        KERNELS.append((self.source, scalars))
        held = []
        for p, v in zip(self.source.params, values, strict=True):
            if isinstance(v, ndarray):
                assert v.dtype == p.dtype, f"{p.text} is given {v.dtype}"
                a = v._a
                if p.is_input and not p.raw:
                    a = np.ascontiguousarray(a)
                assert a.flags.c_contiguous, f"{p.text} is not contiguous"
            else:
                assert not p.raw
                assert not isinstance(v, np.ndarray), f"{p.text} is given a NumPy array"
                assert not isinstance(v, np.generic) or v.dtype == p.dtype
                a = np.array(v, p.dtype)
            held.append(a)
        function = compiled(self.source.host(scalars)).run
        run(function, held, int(np.prod(shape, dtype=object)), results)


def _spread(values: Iterable[Any], params: Any) -> tuple[list[Any], tuple[int, ...]]:
    """The loop's shape from arrays that are not raw, and those in that shape."""
    pairs = list(zip(values, params, strict=True))
    loop = [v for v, p in pairs if isinstance(v, ndarray) and not p.raw]
    if not loop:
        raise ValueError("Loop size is undecided.")
    shape = np.broadcast_shapes(*[v.shape for v in loop])
    spread = [
        ndarray(np.broadcast_to(v._a, shape)) if isinstance(v, ndarray) and not p.raw else v
        for v, p in pairs
    ]
    return spread, shape


class ElementwiseKernel(_Kernel):
    """`cupy.ElementwiseKernel`."""

    def __init__(
        self, in_params: str, out_params: str, operation: str, name: str = "k", preamble: str = ""
    ) -> None:
        self._ins, self._outs = parameters(in_params, True), parameters(out_params, False)
        assert "i" not in [p.name for p in self._ins + self._outs]
        self._name = name
        self.source = Source((*self._ins, *self._outs), preamble, operation)

    def __call__(self, *args: Any) -> Any:
        assert len(args) in (len(self._ins), len(self._ins) + len(self._outs))
        LAUNCHES.append(self._name)
        given = list(args[len(self._ins) :])
        params = self.source.params[: len(args)]
        spread, shape = _spread(args, params)
        outs = given or [ndarray(_rubbish(shape, p.dtype)) for p in self._outs]
        assert all(o.shape == shape for o in outs)
        self._run([*spread[: len(self._ins)], *outs], shape, 1)
        return outs[0] if len(outs) == 1 else tuple(outs)


class ReductionKernel(_Kernel):
    """`cupy.ReductionKernel`."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        map_expr: str,
        reduce_expr: str,
        post_map_expr: str,
        identity: str,
        name: str = "r",
        reduce_type: str = "",
        preamble: str = "",
    ) -> None:
        self._ins, self._outs = parameters(in_params, True), parameters(out_params, False)
        self._name = name
        self.source = Source(
            (*self._ins, *self._outs),
            preamble,
            map_expr,
            reduce_expr,
            post_map_expr,
            identity,
            reduce_type,
        )

    def __call__(self, *args: Any, axis: Any = None) -> Any:
        assert len(args) in (len(self._ins), len(self._ins) + len(self._outs))
        LAUNCHES.append(self._name)
        spread, shape = _spread(args[: len(self._ins)], self._ins)
        axes = tuple(range(len(shape))) if axis is None else np.atleast_1d(axis).tolist()
        kept = [k for k in range(len(shape)) if k not in axes]
        order = [*axes, *kept]
        if any(p.raw for p in self._ins):
            assert order == list(range(len(shape))), "raw arguments forbid moving axes"
        moved = [
            ndarray(v._a.transpose(order)) if isinstance(v, ndarray) and not p.raw else v
            for v, p in zip(spread, self._ins, strict=True)
        ]
        result = tuple(shape[k] for k in kept)
        outs = list(args[len(self._ins) :]) or [
            ndarray(_rubbish(result, p.dtype)) for p in self._outs
        ]
        assert all(o.shape == result or p.raw for o, p in zip(outs, self._outs, strict=True))
        if outs[0].size:
            self._run([*moved, *outs], shape, max(1, int(np.prod(result))))
        return outs[0]


def asarray(x: Any, dtype: Any = None) -> ndarray:
    """A copy on the device."""
    if isinstance(x, ndarray):
        return x if dtype is None else x.astype(dtype)
    COPIES["up"] += 1
    return ndarray(np.array(x, dtype))


class _Add:
    """`cupy.add`, whose `at` knows few types."""

    @staticmethod
    def at(a: ndarray, index: Any, values: Any) -> None:
        if str(a.dtype) not in ("int32", "uint32", "uint64", "float16", "float32", "float64"):
            raise TypeError(f"add.at does not support {a.dtype}")
        np.add.at(a._a, _index(index), _down(values))


class _Generator:
    """`cupy.random.Generator`: its methods, by NumPy's generator."""

    _METHODS = (
        "beta",
        "binomial",
        "chisquare",
        "dirichlet",
        "exponential",
        "gamma",
        "geometric",
        "integers",
        "poisson",
        "random",
        "standard_exponential",
        "standard_gamma",
        "standard_normal",
        "uniform",
    )

    def __init__(self, bits: Any) -> None:
        self._generator = np.random.Generator(bits)

    def __getattr__(self, name: str) -> Any:
        if name not in self._METHODS:
            raise AttributeError(name)
        method = getattr(self._generator, name)
        return lambda *a: _up(np.asarray(method(*map(_down, a))))


class _Sparse:
    """A matrix of `cupyx.scipy.sparse`."""

    def __init__(self, m: Any) -> None:
        self._m = m

    def get(self) -> Any:
        COPIES["down"] += 1
        return self._m

    shape = property(lambda s: s._m.shape)
    T = property(lambda s: _Sparse(s._m.T))

    def astype(self, dtype: Any) -> Any:
        return _Sparse(self._m.astype(dtype))

    def toarray(self) -> ndarray:
        return ndarray(self._m.toarray())

    def _matmul(self, a: Any, b: Any) -> Any:
        result = a @ b
        return _Sparse(result) if scipy.sparse.issparse(result) else ndarray(result)

    def __matmul__(self, other: Any) -> Any:
        return self._matmul(self._m, other._m if isinstance(other, _Sparse) else _down(other))

    def __rmatmul__(self, other: Any) -> Any:
        return self._matmul(_down(other), self._m)


def _matrix(kind: str) -> Any:
    def make(x: Any) -> Any:
        if isinstance(x, ndarray):
            return _Sparse(getattr(scipy.sparse, kind)(x._a))
        COPIES["up"] += 1
        return _Sparse(x)

    return make


def _mirror(module: Any, names: str) -> SimpleNamespace:
    """Functions of a module, taking and giving arrays on the device."""

    def wrap(function: Any) -> Any:
        return lambda *a, **k: _up(function(*map(_down, a), **k))

    return SimpleNamespace(**{n: wrap(getattr(module, n)) for n in names.split()})


cupy = SimpleNamespace(
    **vars(
        _mirror(
            np,
            "abs all any arange argmax argsort ascontiguousarray broadcast_to concatenate cos cumprod"
            " cumsum diagonal exp eye floor full log log1p matmul max min minimum"
            " ones prod repeat roll searchsorted sort split sqrt stack sum tan transpose tril triu"
            " where",
        )
    ),
    ElementwiseKernel=ElementwiseKernel,
    ReductionKernel=ReductionKernel,
    add=_Add(),
    asarray=asarray,
    copyto=lambda target, source: target.__setitem__(..., source),
    dtype=np.dtype,
    empty=lambda shape, dtype: ndarray(_rubbish(shape, dtype)),
    linalg=_mirror(np.linalg, "cholesky det eigh eigvalsh inv pinv qr slogdet solve svd"),
    ndarray=ndarray,
    random=SimpleNamespace(Generator=_Generator, Philox4x3210=np.random.Philox),
)


def _benchmark(run: Any, args: Any, n_repeat: int, n_warmup: int) -> SimpleNamespace:
    """`cupyx.profiler.benchmark`, of one call."""
    run(*args)
    return SimpleNamespace(cpu_times=np.ones(1), gpu_times=np.ones((1, 1)))


MODULES = {
    "cupy": cupy,
    "cupyx.profiler": SimpleNamespace(benchmark=_benchmark),
    "cupyx.scipy.linalg": _mirror(scipy.linalg, "solve_triangular"),
    "cupyx.scipy.sparse": SimpleNamespace(
        csr_matrix=_matrix("csr_matrix"), csc_matrix=_matrix("csc_matrix")
    ),
}


def load(name: str = "cupy") -> Any:
    """What takes the place of `array_module.load`."""
    return MODULES[name]
