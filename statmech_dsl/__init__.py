"""Statistical mechanics for any energy that you can write in Python.

Declare variables and an energy in a `Model`, then `sample` it; see the quick start in the docs. The
public names are listed in ``__init__.pyi`` and imported when they are first used.
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__all__ = [*__all__, "__version__"]
