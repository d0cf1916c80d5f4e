"""Statistical mechanics for any energy that you can write in Python.

Declare variables and an energy in a `Model`, then `sample` it; see the quick start in the docs.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=["errors", "models"],
    submod_attrs={
        "lang.model": ["Model"],
        "lang.variables": [
            "Spin",
            "Occupation",
            "Levels",
            "Potts",
            "Clock",
            "Angle",
            "UnitVector",
            "Field",
        ],
        "lang.energy": ["Energy", "Observable"],
        "lang": ["lattices"],
        "runs.sample": ["sample"],
        "runs.pymc_step": ["LocalGibbs"],
        "engine.explain": ["explain"],
        "solvers.exact": ["exact"],
        "diagnostics": ["derived", "correlation", "tau_int"],
        "testing.validate": ["validate"],
    },
)
__all__ = [*__all__, "__version__"]
