"""The model: a `pm.Model`, with nothing added but a name of its own."""

from __future__ import annotations

import pymc as pm


class Model(pm.Model):
    """A `pm.Model`: a context in which variables, energies and observables are declared.

    Everything PyMC offers works on it, and every verb of statmech_dsl takes any `pm.Model`: all that is
    ours lies in the tags of the declared variables.

    Examples
    --------
    >>> import statmech_dsl as sm
    >>> with sm.Model() as model:
    ...     s = sm.Spin("s", sm.lattices.square(4))
    ...     zeeman = sm.Energy("zeeman", -0.5 * s)
    >>> model.basic_RVs
    [s]
    """
