"""Every mistake that a user can make has a class here; its message says what, where and how to mend it."""

from __future__ import annotations


class StatmechError(Exception):
    """Base of all errors raised by statmech_dsl.

    Parameters
    ----------
    what : str
        What happened, one sentence.
    where : str, optional
        Which variable, energy term or argument it concerns.
    mend : str, optional
        What the user can do about it.

    Examples
    --------
    >>> print(StatmechError("T is negative", where="T=-1", mend="use T > 0"))
    T is negative (T=-1). To mend it: use T > 0.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None) -> None:
        self.what, self.where, self.mend = what, where, mend
        text = what.rstrip(".") + (f" ({where})" if where else "")
        stop = "" if text.endswith("?") else "."
        super().__init__(text + (f"{stop} To mend it: {mend.rstrip('.')}." if mend else ""))


class DomainError(StatmechError, ValueError):
    """A declaration or a value that a variable type does not allow."""


class LatticeError(StatmechError, ValueError):
    """A lattice or graph that does not exist, or a property that it does not have."""


class EnergyError(StatmechError, ValueError):
    """An Energy or Observable term that is malformed: no variable, wrong type, NaN, bad index."""


class NonLocalEnergyError(EnergyError):
    """An energy that cannot be written as local factors or as a function of running sums."""


class ModelError(StatmechError, ValueError):
    """A model that a verb cannot work with: nothing to sample, two models mixed, random couplings."""


class IntractableNormalizerError(ModelError):
    """A log-posterior that needs log Z(theta), which plain PyMC samplers do not have."""


class IllegalUpdateError(StatmechError, ValueError):
    """An update that is unknown or not valid for a variable."""


class BackendError(StatmechError, ValueError):
    """A backend that is unknown, or not usable on this machine."""


class PackageError(StatmechError, ImportError):
    """An optional package that is not installed."""


class ArgumentError(StatmechError, ValueError):
    """An argument of a verb that is out of range or of the wrong kind."""


class ImproperDistributionError(StatmechError, ArithmeticError):
    """The weights cannot be normalized: the energy became NaN or infinite while sampling."""


class UnboundedLikelihoodError(StatmechError, ArithmeticError):
    """Data whose likelihood rises without end as a parameter goes to infinity."""


class InfeasibleError(StatmechError, ValueError):
    """An exact computation that would not fit into the stated limits."""


class DiagnosticsError(StatmechError, ValueError):
    """Results that a diagnostic cannot work with."""


class OverlapError(DiagnosticsError):
    """Draws that say nothing about the temperature that is asked for."""


class ValidationError(StatmechError, AssertionError):
    """`validate` found a disagreement between a sampler and the exact result."""


class StatmechWarning(UserWarning):
    """Base of all warnings of statmech_dsl."""


class ShortChainWarning(StatmechWarning):
    """Too few autocorrelation times of data for the errors to be trusted."""


class UnusedVariableWarning(StatmechWarning):
    """A variable that no energy term depends on."""


class NotConvergedWarning(StatmechWarning):
    """An approximation whose iteration did not settle."""


class IdentifiabilityWarning(StatmechWarning):
    """Parameters, or combinations of them, that data do not determine."""


class SmallPopulationWarning(StatmechWarning):
    """A population with too few families for its errors to be trusted."""


class OverlapWarning(StatmechWarning):
    """States with too little in common for a free energy between them, or its error, to be trusted."""


class DisagreementWarning(StatmechWarning):
    """Estimates of one number, or forward and reverse runs, that differ by more than their errors."""


class CoarseGridWarning(StatmechWarning):
    """An integral over a grid too coarse for the errors of its nodes to be most of its error."""


class EquilibrationWarning(StatmechWarning):
    """States that still depend on where they started."""


class DivergenceWarning(StatmechWarning):
    """Hamiltonian trajectories whose energy error grew beyond all bounds."""


class InterruptedWarning(StatmechWarning):
    """A run was interrupted; the results hold what was done until then."""
