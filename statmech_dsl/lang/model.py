"""The model: a `pm.Model`, with nothing added but a name of its own."""

from __future__ import annotations

from typing import Any

import pymc as pm

from statmech_dsl.errors import ModelError


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


def given_or_context(model: Any) -> pm.Model:
    """Return the model that a verb was given, or that of the surrounding ``with`` block.

    Raises
    ------
    ModelError
        There is none, or it is no model.
    """
    if model is None:
        try:
            model = pm.modelcontext(None)
        except TypeError:
            raise ModelError(
                "no model is given", mend="give one, or call the verb inside `with model:`"
            ) from None
    if not isinstance(model, pm.Model):
        raise ModelError(
            f"expected a model, got {type(model).__name__}", mend="give an sm.Model or a pm.Model"
        )
    return model
