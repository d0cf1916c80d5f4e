"""The parameters that are fitted, as one vector, and the coupling tables as functions of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.compile.maker import function
from pytensor.gradient import grad
from pytensor.graph.traversal import ancestors
from pytensor.scalar.basic import Neg
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.random.op import RandomVariable
from pytensor.tensor.shape import Reshape, SpecifyShape
from scipy.sparse import csr_array, vstack

from statmech_dsl.errors import ArgumentError
from statmech_dsl.inference.problem.interpreted import INTERPRETED
from statmech_dsl.inference.problem.parameter_model import coefficients, parameter_model
from statmech_dsl.inference.problem.posed import Posed

Arrays = dict[str, np.ndarray]


class Space:
    """The free random variables that couplings read, in PyMC's unconstrained space.

    Priors play no part. What only a prior reads is not fitted.
    """

    def __init__(self, posed: Posed) -> None:
        self.model: pm.Model = parameter_model(posed)
        self.couplings = posed.couplings
        graphs = coefficients(posed, posed.couplings, self.model)
        rvs: list[Any] = [self.model[str(v.name)] for v in posed.parameters]
        read = set(ancestors(list(graphs.values()), blockers=rvs))
        self.rvs = [v for v in rvs if v in read]
        self.names = tuple(str(v.name) for v in self.rvs)
        self._inputs = [self.model.rvs_to_values[v] for v in self.rvs]
        outputs: Any = self.model.replace_rvs_by_values([*graphs.values(), *self.rvs])
        tables, self._natural = outputs[: len(graphs)], outputs[len(graphs) :]
        point = self.model.initial_point()
        self._only_moved = all(_moves(v) for g in graphs.values() for v in ancestors([g], rvs))
        self._start = [np.asarray(point[v.name], float) for v in self._inputs]
        self._ends = np.cumsum([x.size for x in self._start])
        self.size = int(self._ends[-1])
        self._tables = self._function([], tables)
        self._tables_back = self._function(*self._pullback(tables))

    def _function(self, more: list, outputs: list) -> Any:
        f = function([*self._inputs, *more], outputs, mode=INTERPRETED, on_unused_input="ignore")
        f.trust_input = True
        return f

    def _pullback(self, outputs: list) -> tuple[list, list]:
        """Cotangents of outputs, and what they become as derivatives by the inputs."""
        back = [x.type() for x in outputs]
        total: Any = pt.constant(0.0)
        for b, x in zip(back, outputs, strict=True):
            total = total + pt.sum(b * x)
        slopes: Any = grad(total, self._inputs, disconnected_inputs="ignore")
        return back, slopes

    @cached_property
    def start(self) -> np.ndarray:
        """PyMC's initial point: about where the priors are."""
        return self._joined(self._start)

    @cached_property
    def transformed(self) -> bool:
        """Whether some parameter is bounded."""
        return any(self.model.rvs_to_transforms[v] is not None for v in self.rvs)

    def of(self, name: str) -> slice:
        """Where a parameter lies in the vector."""
        k = self.names.index(name)
        return slice(int(self._ends[k] - self._start[k].size), int(self._ends[k]))

    def _split(self, x: np.ndarray) -> list[np.ndarray]:
        return [
            part.reshape(s.shape)
            for part, s in zip(np.split(x, self._ends[:-1]), self._start, strict=True)
        ]

    @staticmethod
    def _joined(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.ravel(part) for part in parts])

    def tables(self, x: np.ndarray) -> Arrays:
        """Coupling tables."""
        return dict(zip(self.couplings, self._tables(*self._split(x)), strict=True))

    def gradient(self, x: np.ndarray, by_table: Mapping[str, np.ndarray]) -> np.ndarray:
        """Derivatives by the vector, from those by the entries of the tables."""
        back = [np.asarray(by_table[name], float) for name in self.couplings]
        return self._joined(self._tables_back(*self._split(x), *back))

    def jacobian(self, x: np.ndarray) -> csr_array:
        """Derivatives of all entries of the tables, one after another, shape (entries, size)."""
        return _rows(self._tables_back, self._split(x), list(self.tables(x).values()))

    def signed_order(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Of each entry of the tables the element of the vector that it is, and its sign.

        None if an entry is more than that, or an element is read twice or never.
        """
        x = self.start
        sizes = [len(t) for t in self.tables(x).values()]
        if self.transformed or not self._only_moved or sum(sizes) != self.size:
            return None
        mark = np.random.default_rng(0).random(self.size)
        parts = np.split(mark, np.cumsum(sizes)[:-1])
        found = self.gradient(x, dict(zip(self.couplings, parts, strict=True)))
        to, at = np.argsort(abs(found)), np.argsort(mark)
        if (abs(found)[to] != mark[at]).any():
            return None
        places, signs = np.empty(self.size, int), np.empty(self.size)
        places[at], signs[at] = to, np.sign(found[to])
        return places, signs

    def natural(self, x: np.ndarray) -> Arrays:
        """Values of the parameters as the user knows them."""
        return dict(zip(self.names, self._to_natural(*self._split(x)), strict=True))

    @cached_property
    def _to_natural(self) -> Any:
        return self._function([], self._natural)

    def spread(self, x: np.ndarray, covariance: np.ndarray) -> Arrays:
        """Standard errors of the natural values: the delta method."""
        if not self.transformed:
            variance = np.diag(covariance)
        else:
            f = self._function(*self._pullback(self._natural))
            d = _rows(f, self._split(x), list(self.natural(x).values()))
            variance = np.asarray(d.multiply(d @ covariance).sum(axis=1)).ravel()
        values = list(self.natural(x).values())
        ends = np.cumsum([v.size for v in values])
        each = np.split(np.sqrt(variance), ends[:-1])
        return {
            name: e.reshape(v.shape) for name, e, v in zip(self.names, each, values, strict=True)
        }

    def vector(self, values: Mapping[str, Any], base: np.ndarray) -> np.ndarray:
        """The vector of given natural values; ``base`` has the others.

        Raises
        ------
        ArgumentError
            A name is no parameter, a shape does not fit, or a value is out of bounds.
        """
        out = base.copy()
        for name, value in values.items():
            if name not in self.names:
                raise ArgumentError(
                    f"init= names {name!r}, which is no parameter that energies read",
                    mend=f"those are {', '.join(self.names)}",
                )
            rv = self.rvs[self.names.index(name)]
            given = np.asarray(value, float)
            shape = np.shape(self.natural(base)[name])
            if given.shape != shape:
                raise ArgumentError(
                    f"init= of {name!r} has shape {given.shape}, the parameter has {shape}"
                )
            transform = self.model.rvs_to_transforms[rv]
            if transform is not None:
                given = transform.forward(pt.constant(given), *rv.owner.inputs).eval(
                    mode=INTERPRETED
                )
            if not np.isfinite(given).all():
                raise ArgumentError(f"init= of {name!r} is not within its bounds")
            out[self.of(name)] = np.ravel(given)
        return out


def _moves(v: Any) -> bool:
    """Whether a variable of a graph is a root, or another one reshaped or with its sign changed."""
    node = v.owner
    if node is None or isinstance(node.op, RandomVariable | DimShuffle | Reshape | SpecifyShape):
        return True
    return isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, Neg)


def _rows(f: Any, at: list[np.ndarray], outputs: list[np.ndarray]) -> csr_array:
    """Rows of a Jacobian, one for each element of the outputs: most couplings read one parameter."""
    back = [np.zeros(np.shape(x)) for x in outputs]
    rows = []
    for b in back:
        for k in np.ndindex(b.shape):
            b[k] = 1.0
            rows.append(csr_array(Space._joined(f(*at, *back))[None]))
            b[k] = 0.0
    return csr_array(vstack(rows))
