"""`exact`: log Z and expectations of discrete models without sampling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pymc as pm
import xarray as xr
from numpy.typing import ArrayLike

from statmech_dsl.errors import ArgumentError, InfeasibleError, ModelError
from statmech_dsl.lower.recovery import recover
from statmech_dsl.solvers.elimination import eliminate
from statmech_dsl.solvers.enumeration import MAX_STATES, spectrum
from statmech_dsl.solvers.factors import factorize
from statmech_dsl.solvers.observables import expectations, observables_of
from statmech_dsl.solvers.order import plan
from statmech_dsl.solvers.system import System, discrete_system
from statmech_dsl.solvers.temperatures import inverse_temperatures

Method = Literal["auto", "enumeration", "elimination"]
FEW_STATES = 2**20
"""States up to which enumeration is taken in any case: about a second."""
...
