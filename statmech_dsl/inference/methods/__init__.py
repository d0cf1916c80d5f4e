"""Ways to get at a posterior: one file each, and one line here."""

from statmech_dsl.inference.methods.base import Method, Run
from statmech_dsl.inference.methods.bethe import BetheMethod
from statmech_dsl.inference.methods.exact import Exact
from statmech_dsl.inference.methods.exchange import ExchangeMethod
from statmech_dsl.inference.methods.path import Path
from statmech_dsl.inference.methods.pseudolikelihood import Pseudolikelihood

METHODS: dict[str, Method] = {
    m.name: m for m in (Exact(), Path(), ExchangeMethod(), Pseudolikelihood(), BetheMethod())
}
"""All methods, in the order in which "auto" asks them."""

__all__ = ["METHODS", "Method", "Run"]
